package bus

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// distrust says why a connection failed where the two sides do not trust or do not understand each other, and what mends it;
// false where something else is wrong. It is not final: certificates are renewed while a process runs.
func distrust(config *tls.Config, err error, now time.Time) (why, mend exchange.Text, known bool) {
	var (
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
		plain   tls.RecordHeaderError
		remote  *net.OpError
	)
	switch {
	case config == nil && strings.Contains(err.Error(), "expecting TLS"): // kafka-go has no other sign for it
		return exchange.Text{ZH: "代理要求 TLS，本进程以明文连接", EN: "the broker wants TLS, and this process speaks plain text"},
			exchange.Text{ZH: "配置 kafka.tls", EN: "set kafka.tls"}, true
	case config == nil:
		return why, mend, false
	case errors.As(err, &unknown):
		return exchange.Text{ZH: "代理的证书不是本市根证书签发的", EN: "the broker's certificate was not issued by the city's authority"},
			exchange.Text{ZH: "核对 kafka.tls.ca 和 kafka.brokers；两者都对，则有人在冒充代理", EN: "check kafka.tls.ca and kafka.brokers; if both are right, somebody poses as the broker"}, true
	case errors.As(err, &host):
		return exchange.Text{ZH: "代理的证书不含所连的地址", EN: "the broker's certificate does not name the address that was connected to"},
			exchange.Text{ZH: "kafka.brokers 和代理的 advertised.listeners 写证书中的地址，或为代理签发含该地址的证书", EN: "write an address of the certificate in kafka.brokers and the broker's advertised.listeners, or issue one with this address"}, true
	case errors.As(err, &invalid):
		return exchange.Text{ZH: "代理的证书已过期、尚未生效或用途不符", EN: "the broker's certificate has expired, is not valid yet, or is for another use"},
			exchange.Text{ZH: "更新代理的证书，核对两边的时钟", EN: "renew the broker's certificate, and compare the clocks of both sides"}, true
	case errors.As(err, &remote) && remote.Op == "remote error":
		why, mend = refusedBy(config, now)
		return why, mend, true
	case errors.As(err, &plain), errors.Is(err, io.EOF):
		return exchange.Text{ZH: "代理没有完成 TLS 握手就断开：它正在停止，或该端口不用 TLS", EN: "the broker hung up before TLS was agreed on: it is stopping, or does not speak TLS on this port"},
			exchange.Text{ZH: "检查代理是否在运行，kafka.brokers 的端口是否为 TLS 端口", EN: "check that the broker runs, and that the port in kafka.brokers is the one with TLS"}, true
	}
	return why, mend, false
}

// refusedBy says why a broker may have refused this side's certificate: brokers give no more than an alert.
func refusedBy(config *tls.Config, now time.Time) (why, mend exchange.Text) {
	renew := exchange.Text{ZH: "更新 kafka.tls.cert，核对本机时钟；无需重启", EN: "renew kafka.tls.cert and check this machine's clock; no restart is needed"}
	own, err := ownCertificate(config)
	switch {
	case err != nil || own == nil:
		return exchange.Text{ZH: "代理要求客户端证书，本进程没有出示", EN: "the broker wants a client's certificate, and this process showed none"},
			exchange.Text{ZH: "配置 kafka.tls.cert 和 kafka.tls.key", EN: "set kafka.tls.cert and kafka.tls.key"}
	case now.After(own.NotAfter):
		return exchange.Text{ZH: "本进程的证书已于 " + own.NotAfter.In(exchange.China).Format(time.DateTime) + " 过期", EN: "this process's certificate expired at " + own.NotAfter.UTC().Format(time.RFC3339)}, renew
	case now.Before(own.NotBefore):
		return exchange.Text{ZH: "本进程的证书要到 " + own.NotBefore.In(exchange.China).Format(time.DateTime) + " 才生效", EN: "this process's certificate is not valid before " + own.NotBefore.UTC().Format(time.RFC3339)}, renew
	}
	return exchange.Text{ZH: "代理不接受本进程的证书", EN: "the broker does not accept this process's certificate"},
		exchange.Text{ZH: "确认该证书由本市根证书签发、用途含客户端认证，且代理的 ssl.truststore 就是该根证书", EN: "check that the city's authority issued it, for the use of clients, and that the broker's ssl.truststore is that authority's root"}
}

// ownCertificate is the certificate that a new connection would show, nil where there is none.
func ownCertificate(config *tls.Config) (*x509.Certificate, error) {
	var shown *tls.Certificate
	switch {
	case config.GetClientCertificate != nil:
		var err error
		if shown, err = config.GetClientCertificate(&tls.CertificateRequestInfo{Version: tls.VersionTLS13}); err != nil {
			return nil, fmt.Errorf("get the client's certificate: %w", err)
		}
	case len(config.Certificates) > 0:
		shown = &config.Certificates[0]
	}
	if shown == nil || len(shown.Certificate) == 0 {
		return nil, nil
	}
	return x509.ParseCertificate(shown.Certificate[0])
}
