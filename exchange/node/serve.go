package node

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/audit/ledger"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/doubts"
	"github.com/onedoor/yimen/exchange/grants"
	"github.com/onedoor/yimen/exchange/items"
	"github.com/onedoor/yimen/exchange/limits"
	"github.com/onedoor/yimen/exchange/national"
	"github.com/onedoor/yimen/exchange/watch"
	"github.com/onedoor/yimen/exchange/window"
)

// front is one address at which the node is served.
type front struct {
	http.Server
	address string
}

// The fronts, in their order: one for people and their programs, one where departments show their certificates.
const (
	people = iota
	departments
)

// serve opens both addresses. What stands behind them is the same. Nothing is answered before both are known: answers name them.
func (n *Node) serve(context.Context) error {
	handler, err := n.handler()
	if err != nil {
		return err
	}
	var listeners []net.Listener
	for _, at := range []struct {
		address, key string
		tls          *tls.Config
	}{{n.cfg.HTTP, "http", n.tls}, {n.cfg.Departments, "departments", n.departmentsTLS()}} {
		listener, err := net.Listen("tcp", at.address)
		if err != nil {
			for _, other := range listeners {
				other.Close()
			}
			return cannotListen(at.address, at.key, err)
		}
		listeners = append(listeners, listener)
		n.fronts = append(n.fronts, &front{address: listener.Addr().String(), Server: http.Server{
			Handler:           handler,
			ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 15 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute,
			MaxHeaderBytes: 32 << 10, TLSConfig: at.tls, ErrorLog: slog.NewLogLogger(n.around.Log.Handler(), slog.LevelDebug),
		}})
	}
	for i, name := range []string{people: "serve people", departments: "serve departments"} {
		n.goes(name, func(context.Context) error { return n.fronts[i].answer(listeners[i]) })
	}
	n.goes("watch lag", n.watchLag)
	n.goes("forget keys", n.surrender)
	n.goes("keep Kafka's rules", n.guard)
	n.goes("free erased bytes", n.bury)
	return nil
}

func (f *front) answer(listener net.Listener) error {
	serve := f.Serve
	if f.TLSConfig != nil {
		serve = func(l net.Listener) error { return f.ServeTLS(l, "", "") }
	}
	if err := serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// hush lets no more questions in, and waits for those that are in to be answered.
func (n *Node) hush() {
	ctx, cancel := context.WithTimeout(context.Background(), stopPatience)
	defer cancel()
	var fronts sync.WaitGroup
	for _, f := range n.fronts {
		fronts.Go(func() {
			if err := f.Shutdown(ctx); err != nil {
				n.around.Log.Warn("requests were cut off by the stop", "error", err)
			}
			f.Close()
		})
	}
	fronts.Wait()
}

// handler is everything the node answers. The doorkeeper stands before all of it.
func (n *Node) handler() (http.Handler, error) {
	desk := &limits.Desk{Limits: n.Limits, Admin: n.door.With(door.Admin), Append: n.append}
	log := ledger.Serving{Ledger: n.Ledger, Reader: n.reader, Enter: n.enter, Refusals: []error{limits.Spent(), limits.Suspended()}, Clock: n.around.Clock}
	answers, err := api.New(api.Config{Broker: n.Broker, Catalogue: n.Current, Door: n.door, Left: n.Limits.Left, Ready: n.checks(), Epoch: n.epoch,
		Others: slices.Concat(ledger.Operations(log), desk.Operations(), n.erasures(), n.keyRings(), n.replays(), n.rules(), n.enrolment(), n.burdens(),
			(&grants.Desk{Book: n.Grants, Person: n.granting}).Operations(), (&items.Desk{Book: n.Items, Person: n.editing}).Operations(), n.nationals(),
			n.subscribing().Operations(), (&doubts.Desk{Book: n.Doubts, Person: n.doubting}).Operations()),
		Metrics: n.Metrics, Log: n.around.Log, Clock: n.around.Clock})
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/", answers)
	mux.Handle(RegistryPath+"/", n.registryHandler())
	mux.Handle("GET /{$}", http.RedirectHandler(window.Path, http.StatusSeeOther)) // whoever opens the address is a person
	mux.Handle(window.Path, n.window)
	mux.Handle(window.Path+"/", n.window)
	return watch.Traced(n.door.Guard(mux, contract.Fail), n.tracer, probes...), nil
}

// nationals are the operations of the national interface.
func (n *Node) nationals() []contract.Operation {
	return national.Operations(national.Config{Broker: n.Broker, Catalogue: n.Current, Door: n.door, Schemas: n.Registry.Evidence, Clock: n.around.Clock, Log: n.around.Log,
		Press: copies.NewPress(n.copyKeys, nil), Shelf: n.shelf, Holdings: n.found(), Bar: n.Limits.Bar, Append: n.append, Origin: n.origin,
		Nonce: func(r *http.Request, caller door.Caller) (string, error) {
			return api.Nonce(r, caller, n.door, n.around.Clock())
		}})
}

// origin is where whoever sent a request fetches a file: where they asked, if that was over https, else at the departments' address.
func (n *Node) origin(r *http.Request) (string, error) {
	if r.TLS != nil {
		return "https://" + r.Host, nil
	}
	host, port, err := net.SplitHostPort(n.fronts[departments].address)
	if err != nil {
		return "", err
	}
	if at := net.ParseIP(host); at != nil && at.IsUnspecified() {
		if len(n.cfg.Hosts) == 0 {
			return "", noHost()
		}
		host = n.cfg.Hosts[0]
	}
	return "https://" + net.JoinHostPort(host, port), nil
}

func noHost() error {
	return &exchange.Problem{Code: "YM-CFG-0114", Kind: exchange.Unavailable, What: text("不知道文件的下载地址", "it is not known at which address files are to be fetched"),
		Why:  text("departments 监听所有地址，而 hosts 没有写名称", "departments listens at every address, and hosts names none"),
		Mend: text("在配置的 hosts 中写上各部门访问本节点所用的名称；或用 https 请求；或改用 downloadFile", "write the name by which departments reach this node under hosts in the configuration, or ask over https, or use downloadFile")}
}

// reader is who reads the audit log, and what of it they may see.
func (n *Node) reader(r *http.Request) (ledger.Reader, error) {
	caller, err := n.door.Caller(r)
	return ledger.Reader{Department: caller.Department, Clerk: caller.Clerk, Supervisor: caller.May(door.Supervisor),
		Auditor: caller.May(door.Auditor), Holders: caller.May(door.Citizens)}, err
}

// enter counts an entry against the limits of who asks and makes it durable, the refused one too. After an error there must be no answer.
func (n *Node) enter(ctx context.Context, e *audit.Entry) error {
	if err := n.audit.Stamp(ctx, e); err != nil {
		return err
	}
	refused := n.Limits.Admit(e)
	if exchange.KindOf(refused) == exchange.Unavailable {
		return refused
	}
	if err := n.append(ctx, *e); err != nil {
		return err
	}
	return refused
}

// append makes an audit entry durable.
func (n *Node) append(ctx context.Context, e audit.Entry) error {
	_, err := n.audit.Append(ctx, e)
	return err
}

func cannotListen(address, key string, err error) error {
	p := &exchange.Problem{Code: "YM-CFG-0102", Kind: exchange.Invalid, Err: err,
		What: text("地址不可用："+address, "the address cannot be used: "+address),
		Mend: text("用 --"+key+" 或配置 "+key+" 指定本机的另一地址", "name another address of this machine with --"+key+", or "+key+" in the configuration")}
	if errors.Is(err, syscall.EADDRINUSE) {
		p.Kind, p.Why = exchange.Conflict, text("端口已被占用", "the port is in use")
		p.Mend = text("停止占用它的程序，或指定另一地址，例如 --"+key+" 127.0.0.1:0 自动选择空闲端口", "stop the program that uses it, or name another address, such as --"+key+" 127.0.0.1:0 for any free port")
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

// loginClient reaches the login service.
func (c Config) loginClient() (*http.Client, error) {
	if c.Login.CA == "" {
		return http.DefaultClient, nil
	}
	roots := x509.NewCertPool()
	if err := addRoots(roots, c.Login.CA, "YM-CFG-0111", "login.ca", text("登录服务根证书", "the login service's root certificate")); err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots}}}, nil
}
