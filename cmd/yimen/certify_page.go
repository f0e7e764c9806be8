package main

import (
	"fmt"
	"io"
	"time"

	"github.com/onedoor/yimen/certs"
)

// certifiedView is what came of it, as scripts see it.
type certifiedView struct {
	Identity    string    `json:"identity"`
	Issued      bool      `json:"issued"`   // now; false: the one that was there holds
	Reloaded    bool      `json:"reloaded"` // the broker was made to read it anew
	Until       time.Time `json:"until"`
	Due         time.Time `json:"due"` // by when it is to be renewed
	Serial      string    `json:"serial"`
	Fingerprint string    `json:"fingerprint"`
	Hosts       []string  `json:"hosts"`
	Key         string    `json:"key"` // the file of the private key with the chain behind it
	Roots       string    `json:"roots"`
	// RestartBy is by when a broker must have been restarted: its controller shows the certificate of its last start.
	RestartBy time.Time `json:"restart_by,omitzero"`
	Settings  []string  `json:"settings"` // lines for the machine's own configuration
}

func (o *office) view() certifiedView {
	leaf := o.credential.Leaf()
	v := certifiedView{Identity: o.who.String(), Issued: o.issued, Reloaded: o.reloaded, Until: leaf.NotAfter, Due: o.credential.Due(), Serial: leaf.SerialNumber.Text(16),
		Fingerprint: certs.FingerprintOf(leaf.Raw).String(), Hosts: hostsOf(leaf)}
	v.Key, v.Roots = o.at.Files()
	if o.who.Role == certs.Broker && o.before != nil {
		v.RestartBy = o.before.NotAfter
	}
	v.Settings = o.settings(v)
	return v
}

// settings are what the machine's own configuration says of the certificate: server.properties of a broker, kafka.tls of a node.
func (o *office) settings(v certifiedView) []string {
	if o.who.Role == certs.Node {
		return []string{"kafka:", "  tls: {ca: " + v.Roots + ", cert: " + v.Key + ", key: " + v.Key + "}"}
	}
	return []string{
		"ssl.keystore.type=PEM",
		"ssl.keystore.location=" + v.Key,
		"ssl.truststore.type=PEM",
		"ssl.truststore.location=" + v.Roots,
		"ssl.client.auth=required",
		"ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT",
		"super.users=User:node/main;User:" + o.who.Principal(),
	}
}

func (s *session) certifiedPage(o *office) error {
	v := o.view()
	return s.object(v.Identity, v, func(w io.Writer) error {
		until, due := moment(v.Until), moment(v.Due)
		if !v.Issued {
			fmt.Fprintf(w, s.t("%s 的证书有效至 %s，将在 %s 前续期\n", "The certificate of %s holds until %s, to be renewed by %s.\n"), o.who.Principal(), until, due)
		} else {
			fmt.Fprintf(w, s.t("✓ 已签发 %s 的证书，有效至 %s，须在 %s 前续期\n", "✓ Certificate of %s issued, valid until %s, to be renewed by %s.\n"), o.who.Principal(), until, due)
		}
		if v.Reloaded {
			fmt.Fprint(w, s.t("✓ 代理已重读，各 TLS 监听器都出示它，连接没有中断\n", "✓ The broker has read it anew: every TLS listener shows it, connections stay.\n"))
		}
		if !v.RestartBy.IsZero() {
			fmt.Fprintf(w, s.t("上次启动后没有再重启的代理，须在 %s 前重启（逐台）：控制器之间仍出示启动时的证书\n",
				"Restart this broker before %s (one at a time): its controller still shows others the certificate of its start.\n"), moment(v.RestartBy))
		}
		if !v.Issued || o.before != nil {
			return nil
		}
		where := s.t("写进 server.properties（super.users 写全部代理）：\n", "for server.properties (super.users names all brokers):\n")
		if o.who.Role == certs.Node {
			where = s.t("写进平台配置：\n", "for the exchange's configuration:\n")
		}
		_, err := fmt.Fprint(w, where)
		for _, line := range v.Settings {
			if err == nil {
				_, err = fmt.Fprintln(w, "  "+line)
			}
		}
		return err
	})
}
