package node

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange"
)

const least = "data: d\ncallers: c\n"

func TestConfigFile(t *testing.T) {
	tests := []struct {
		name, content string
		want          []string // found wrong, one a line; none: the file is good
	}{
		{"least", least, nil},
		{"byte order mark and comments", "\ufeff# of the city\n" + least + "kafka: # embedded\n", nil},
		{"durations and lists", least + "kafka:\n  brokers: [k1:9092, k2:9092]\n  replicas: 2\n  wait: 90s\n", nil},
		{"everybody, by TLS", least + "http: :443\ntls: {cert: a, key: b}\n", nil},
		{"IPv6 of this machine", least + "http: '[::1]:0'\n", nil},
		{"empty", "", []string{"y.yaml: data is missing", "y.yaml: callers is missing"}},
		{"null", "null\n", []string{"y.yaml: data is missing", "y.yaml: callers is missing"}},
		{"not YAML", least + "kafka: [\n", []string{"YM-CFG-0103"}},
		{"tab", "data:\n\tx: 1\n", []string{"YM-CFG-0103"}},
		{"key twice", least + "data: e\n", []string{"y.yaml:3"}},
		{"two documents", least + "---\n" + least, []string{"more than one document"}},
		{"list", "- data\n", []string{"y.yaml:1: settings must stand here → here may stand: data, http, tls, city, crypto, name"}},
		{"unknown key", least + "kafak: {}\n", []string{"y.yaml:3: unknown key kafak → here may stand: data, http"}},
		{"other letter case", "Data: d\n", []string{"y.yaml:1: unknown key Data"}},
		{"unknown key below", least + "kafka:\n  listen: 127.0.0.1:0\n  broker: x\n", []string{"y.yaml:5: unknown key kafka.broker → here may stand: brokers, listen"}},
		{"text for settings", least + "tls: cert.pem\n", []string{"y.yaml:3: settings must stand here → here may stand: cert, key"}},
		{"text for a number", least + "cache_mib: much\n", []string{"y.yaml:3: cache_mib has a value of another type → write a whole number"}},
		{"number for a time span", least + "kafka: {wait: soon}\n", []string{"y.yaml:3: kafka.wait has a value of another type → write a time span"}},
		{"settings for text", "data: {a: b}\n", []string{"y.yaml:1: data has a value of another type → write text"}},
		{"all at once", "dat: d\nkafka:\n  replica: 3\n  partitions: [x]\n", []string{"y.yaml:1: unknown key dat", "y.yaml:3: unknown key kafka.replica", "y.yaml:4: kafka.partitions"}},
		{"values at once", "http: nonsense\ntls: {cert: a}\nkafka:\n  listen: '9092'\n  partitions: -1\n  replicas: 3\n  wait: -1s\ncache_mib: -1\n", []string{
			"y.yaml: data is missing", "y.yaml: callers is missing", "y.yaml:2: tls needs both", "y.yaml:1: http is no address", "y.yaml:4: kafka.listen",
			"y.yaml:5: kafka.partitions", "y.yaml:6: the embedded Kafka is one broker", "y.yaml:7: kafka.wait", "y.yaml:8: cache_mib"}},
		{"everybody, in plain", least + "http: 0.0.0.0:7080\n", []string{"y.yaml:3: without tls"}},
		{"every interface, in plain", least + "http: :7080\n", []string{"y.yaml:3: without tls"}},
		{"broker without port", least + "kafka:\n  brokers: [k1:9092, k2]\n", []string{"y.yaml:4: item 2 of kafka.brokers"}},
		{"TLS to a real cluster", least + "kafka:\n  brokers: [k1:9093]\n  tls: {ca: root.pem, cert: node.pem, key: node.key}\n", nil},
		{"TLS to the embedded one", least + "kafka:\n  tls: {ca: root.pem}\n", []string{"y.yaml:4: the embedded Kafka is on this machine only"}},
		{"half a certificate", least + "kafka:\n  brokers: [k1:9093]\n  tls: {ca: root.pem, key: node.key}\n", []string{"y.yaml:5: kafka.tls needs both cert and key"}},
		{"a certificate without the root", least + "kafka:\n  brokers: [k1:9093]\n  tls: {cert: node.pem, key: node.key}\n", []string{"y.yaml:5: kafka.tls lacks ca"}},
		{"unknown key of TLS", least + "kafka:\n  brokers: [k1:9093]\n  tls: {root: root.pem}\n", []string{"y.yaml:5: unknown key kafka.tls.root → here may stand: ca, cert, key"}},
		{"traces", least + "traces: {endpoint: 'https://collector.example.gov.cn:4318', ca: root.pem, sample: 0.01}\n", nil},
		{"traces to nowhere", least + "traces:\n  sample: 0.5\n", []string{"y.yaml: there is a section traces without traces.endpoint"}},
		{"traces with a password", least + "traces:\n  endpoint: http://me:secret@collector:4318\n  sample: 2\n", []string{"y.yaml:4: traces.endpoint is no address", "y.yaml:5: traces.sample is not between 0 and 1"}},
		{"negative replicas", least + "kafka: {replicas: -1, brokers: ['k:1']}\n", []string{"y.yaml:3: kafka.replicas is less than 1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "y.yaml")
			put(t, path, test.content)
			_, err := LoadConfig(path)
			if len(test.want) == 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || exchange.KindOf(err) != exchange.Invalid {
				t.Fatalf("%v", err)
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(test.want) {
				t.Errorf("found %v", err)
			}
			for i, want := range test.want {
				if i < len(lines) && !strings.Contains(lines[i], want) {
					t.Errorf("%s\nlacks %s", lines[i], want)
				}
			}
		})
	}
	if _, err := LoadConfig(filepath.Join(t.TempDir(), "none.yaml")); exchange.KindOf(err) != exchange.Invalid || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("no file: %v", err)
	}
}

func TestRelativePaths(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "y.yaml")
	put(t, path, "data: d\ncallers: ../c\ntls: {cert: /a, key: b}\nkafka: {brokers: ['k:1'], tls: {ca: c, cert: /d, key: e}}\ncatalogue: [x, /y]\nschemas: [z]\n")
	c, err := LoadConfig(path)
	want := Config{Data: filepath.Join(dir, "d"), Callers: filepath.Join(filepath.Dir(dir), "c"), TLS: TLS{Cert: "/a", Key: filepath.Join(dir, "b")},
		Kafka:     Kafka{Brokers: []string{"k:1"}, TLS: KafkaTLS{CA: filepath.Join(dir, "c"), Cert: "/d", Key: filepath.Join(dir, "e")}},
		Catalogue: []string{filepath.Join(dir, "x"), "/y"}, Schemas: []string{filepath.Join(dir, "z")}}
	if err != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("%+v %v", c, err)
	}
}

func FuzzConfig(f *testing.F) {
	for _, seed := range []string{"", least, "kafka: &a {brokers: *a}\n", "<<: {data: x}\n", "? [a]\n: b\n", "data: !!int x\n", "tls:\n- a\n", "data: |\n  x\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		c, err := parseConfig("y.yaml", content)
		if err != nil {
			if exchange.KindOf(err) != exchange.Invalid {
				t.Fatal(err)
			}
			return
		}
		if c.Data == "" || c.Callers == "" || c.Kafka.Wait < 0 {
			t.Fatalf("taken: %+v", c)
		}
	})
}
