package node

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
)

// serve opens the HTTP address.
func (n *Node) serve(context.Context) error {
	listener, err := net.Listen("tcp", n.cfg.HTTP)
	if err != nil {
		return cannotListen(n.cfg.HTTP, err)
	}
	n.address = listener.Addr().String()
	n.serv = &http.Server{
		Handler:           n.handler(),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 32 << 10, TLSConfig: n.tls, ErrorLog: slog.NewLogLogger(n.around.Log.Handler(), slog.LevelDebug),
	}
	n.goes("watch lag", n.watchLag)
	n.goes("serve HTTP", func(context.Context) error {
		err := n.listen(listener)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
	return nil
}

// handler is everything the node answers.
func (n *Node) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", api.New(api.Config{Broker: n.Broker, Catalogue: n.Catalogue, Door: n.door, Ready: n.checks(),
		Metrics: n.Metrics, Log: n.around.Log, Clock: n.around.Clock}))
	mux.Handle(RegistryPath+"/", n.registryHandler())
	return mux
}

func (n *Node) listen(listener net.Listener) error {
	if n.tls != nil {
		return n.serv.ServeTLS(listener, "", "")
	}
	return n.serv.Serve(listener)
}

func cannotListen(address string, err error) error {
	p := &exchange.Problem{Code: "YM-CFG-0102", Kind: exchange.Invalid, Err: err,
		What: text("HTTP 地址不可用："+address, "HTTP address cannot be used: "+address),
		Mend: text("用 --http 或配置 http 指定本机的另一地址", "name another address of this machine with --http, or http in the configuration")}
	if errors.Is(err, syscall.EADDRINUSE) {
		p.Kind, p.Why = exchange.Conflict, text("端口已被占用", "the port is in use")
		p.Mend = text("停止占用它的程序，或指定另一地址，例如 --http 127.0.0.1:0 自动选择空闲端口", "stop the program that uses it, or name another address, such as --http 127.0.0.1:0 for any free port")
	}
	return p
}

// load reads the certificate at the start, so that a wrong one does not show only when somebody calls.
func (t TLS) load() (*tls.Config, error) {
	if t.Cert == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	if err != nil {
		return nil, &exchange.Problem{Code: "YM-CFG-0106", Kind: exchange.Invalid, Err: err,
			What: text("TLS 证书或私钥不可用", "the TLS certificate or its key cannot be used"),
			Mend: text("检查 tls.cert 和 tls.key：PEM 格式、可读、彼此成对", "check tls.cert and tls.key: PEM, readable, and each the other's")}
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}
