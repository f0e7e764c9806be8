package kafka

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	deployed "github.com/onedoor/yimen/deploy/kafka"
)

// secure is the configuration that a city would use, where the plain one may only say what differs between this machine and
// the city's: addresses, directories, how many brokers there are, and what makes a start quick.
func (c *Cluster) secure(n *node, number int, authority *Authority, plain map[string]string) map[string]string {
	c.t.Helper()
	properties := parse(c, deployed.Properties)
	for _, name := range []string{
		"node.id", "controller.quorum.voters", "log.dirs", "broker.session.timeout.ms", "broker.heartbeat.interval.ms",
		"log.cleaner.dedupe.buffer.size", "num.network.threads", "num.io.threads", "offsets.topic.replication.factor",
		"transaction.state.log.replication.factor", "transaction.state.log.min.isr",
	} {
		properties[name] = plain[name]
	}
	for _, name := range []string{"listeners", "advertised.listeners"} {
		properties[name] = strings.Replace(plain[name], "PLAINTEXT:", "SSL:", 1)
	}
	certificate, key := PEM(c.t, authority.Issue(Leaf{Identity: Broker(fmt.Sprint("kafka", number)), P256: true}))
	properties["ssl.keystore.location"] = c.put(n, "identity.key", append(key, certificate...))
	properties["ssl.truststore.location"] = c.put(n, "roots.crt", authority.RootPEM())
	n.tls = authority.As(Node("main"))
	return properties
}

// parse reads the properties file.
func parse(c *Cluster, text string) map[string]string {
	c.t.Helper()
	properties := make(map[string]string)
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if _, twice := properties[name]; !ok || twice {
			c.t.Fatalf("server.properties: %q is no setting, or is there twice", line)
		}
		properties[name] = value
	}
	return properties
}

func (c *Cluster) put(n *node, name string, content []byte) string {
	c.t.Helper()
	path := filepath.Join(n.dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		c.t.Fatal(err)
	}
	return path
}
