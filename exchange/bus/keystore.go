package bus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	kafka "github.com/segmentio/kafka-go"

	"github.com/onedoor/yimen/exchange"
)

// The settings of a broker that say where its certificate is, and by which listeners it is shown.
const (
	keyStore  = "ssl.keystore.location"
	listeners = "listeners"
	protocols = "listener.security.protocol.map"
)

// reloadPause is how soon it is looked again whether a broker shows its new certificate.
const reloadPause = 100 * time.Millisecond

// ReloadKeyStore has the broker that advertises the address read its key store anew, for all its listeners that speak TLS, while it
// runs: open connections stay. It returns once shown is content with every one of these listeners. Who asks must be one of the
// brokers' super users, as a broker itself is.
//
// Kafka reads the file again when the setting that names it is written, although it names the same file. The setting is taken
// away afterwards: left there it would outlive a change in server.properties.
func (b *Bus) ReloadKeyStore(ctx context.Context, address, location string, shown func(ctx context.Context, listener string) error) error {
	ctx, leave, err := b.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	act := exchange.Text{ZH: "让代理 " + address + " 重读证书", EN: "have the broker " + address + " read its certificate anew"}
	id, err := b.advertiser(ctx, address)
	if err != nil {
		return b.unreachable(act, err)
	}
	speaks, err := b.tlsListeners(ctx, id, address, location)
	if err != nil {
		return b.unreachable(act, err)
	}
	err = b.alterKeyStore(ctx, id, speaks, kafka.ConfigOperationSet, location)
	if errors.Is(err, kafka.ClusterAuthorizationFailed) {
		return noSuperUser(act, err)
	}
	if err != nil {
		return b.unreachable(act, err)
	}
	for _, l := range speaks {
		if err := awaitShown(ctx, l.address, shown); err != nil {
			return b.unreachable(act, err)
		}
	}
	if err := b.alterKeyStore(ctx, id, speaks, kafka.ConfigOperationDelete, ""); err != nil {
		return b.unreachable(act, err)
	}
	return nil
}

func noSuperUser(act exchange.Text, err error) error {
	return &exchange.Problem{Code: "YM-BUS-0313", Kind: exchange.Denied, Err: err,
		What: exchange.Text{ZH: "Kafka 拒绝" + act.ZH, EN: "Kafka refused to " + act.EN},
		Why:  exchange.Text{ZH: "证书所属的身份不在 super.users 中", EN: "the certificate's identity is not among super.users"},
		Mend: exchange.Text{ZH: "把 User:broker/名称 写进每台代理的 super.users，重启后再试", EN: "add User:broker/NAME to super.users of every broker, restart them and try again"}}
}

// advertiser is the number of the broker that advertises an address.
func (b *Bus) advertiser(ctx context.Context, address string) (string, error) {
	answer, err := b.client.Metadata(ctx, &kafka.MetadataRequest{})
	if err != nil {
		return "", err
	}
	var all []string
	for _, broker := range answer.Brokers {
		at := net.JoinHostPort(broker.Host, strconv.Itoa(broker.Port))
		if at == address {
			return strconv.Itoa(broker.ID), nil
		}
		all = append(all, at)
	}
	slices.Sort(all)
	known := strings.Join(all, ", ")
	return "", &exchange.Problem{Code: "YM-BUS-0311", Kind: exchange.NotFound,
		What: exchange.Text{ZH: "没有代理使用地址 " + address, EN: "no broker has the address " + address},
		Why:  exchange.Text{ZH: "集群的代理是 " + known, EN: "the cluster's brokers are " + known},
		Mend: exchange.Text{ZH: "照该代理的 advertised.listeners 填写", EN: "write the address as the broker's advertised.listeners has it"}}
}

// tlsListener is a listener of a broker, by the name in its settings, and where it can be called.
type tlsListener struct{ name, address string }

// tlsListeners are the broker's listeners that show its certificate. It must have it from the file.
func (b *Bus) tlsListeners(ctx context.Context, id, address, location string) ([]tlsListener, error) {
	found, err := b.describe(ctx, []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeBroker, ResourceName: id, ConfigNames: []string{keyStore, listeners, protocols}}})
	if err != nil {
		return nil, err
	}
	has := found[id]
	if is := has[keyStore].value; is != location {
		return nil, &exchange.Problem{Code: "YM-BUS-0312", Kind: exchange.Conflict,
			What: exchange.Text{ZH: "代理 " + address + " 的证书不在 " + location, EN: "the broker " + address + " does not have its certificate from " + location},
			Why:  exchange.Text{ZH: "它的 " + keyStore + " 是 " + orNone(is), EN: "its " + keyStore + " is " + orNone(is)},
			Mend: exchange.Text{ZH: "在 server.properties 写 " + keyStore + "=" + location + " 并重启该代理；或用 --dir 指明它的目录", EN: "set " + keyStore + "=" + location + " in server.properties and restart the broker, or name its folder with --dir"}}
	}
	return parseListeners(has[listeners].value, has[protocols].value, address), nil
}

// parseListeners reads the two settings, such as "SSL://10.0.0.11:9093,CONTROLLER://:9094" and "SSL:SSL,CONTROLLER:SSL". A listener on
// all addresses is called at the host of the address.
func parseListeners(all, protocols, address string) (speak []tlsListener) {
	tls := map[string]bool{"SSL": true, "SASL_SSL": true} // a listener named like its protocol needs no line in the map
	for pair := range strings.SplitSeq(protocols, ",") {
		name, protocol, _ := strings.Cut(strings.TrimSpace(pair), ":")
		tls[strings.ToUpper(name)] = protocol == "SSL" || protocol == "SASL_SSL"
	}
	here, _, _ := net.SplitHostPort(address)
	for one := range strings.SplitSeq(all, ",") {
		name, at, _ := strings.Cut(strings.TrimSpace(one), "://")
		host, port, err := net.SplitHostPort(at)
		if err != nil || !tls[strings.ToUpper(name)] {
			continue
		}
		if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
			host = here
		}
		speak = append(speak, tlsListener{strings.ToLower(name), net.JoinHostPort(host, port)})
	}
	return speak
}

func orNone(value string) string {
	if value == "" {
		return "-"
	}
	return value
}

// alterKeyStore sets where the listeners have their certificate from, or takes that back.
func (b *Bus) alterKeyStore(ctx context.Context, id string, of []tlsListener, operation kafka.ConfigOperation, location string) error {
	resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeBroker, ResourceName: id}
	for _, l := range of {
		resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{
			Name: "listener.name." + l.name + "." + keyStore, Value: location, ConfigOperation: operation})
	}
	answer, err := b.client.IncrementalAlterConfigs(ctx, &kafka.IncrementalAlterConfigsRequest{Resources: []kafka.IncrementalAlterConfigsRequestResource{resource}})
	if err != nil {
		return err
	}
	var all []error
	for _, r := range answer.Resources {
		all = append(all, r.Error)
	}
	return errors.Join(all...)
}

// awaitShown looks until a listener shows what it is to show.
func awaitShown(ctx context.Context, address string, shown func(context.Context, string) error) error {
	for {
		err := shown(ctx, address)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w; last seen: %w", context.Cause(ctx), err)
		case <-time.After(reloadPause):
		}
	}
}
