package node

import (
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"sync"

	"github.com/onedoor/yimen/exchange"
)

// addRoots adds the certificates of the file that a setting names; the Problem has the code given, and says whose they are to be.
func addRoots(to *x509.CertPool, file, code, setting string, whose exchange.Text) error {
	content, err := os.ReadFile(file)
	if err == nil && to.AppendCertsFromPEM(content) {
		return nil
	}
	return &exchange.Problem{Code: code, Kind: exchange.Invalid, Err: err,
		What: text(setting+" 不可用："+file, setting+" cannot be used: "+file),
		Mend: text("写明"+whose.ZH+"的文件：PEM 格式、可读", "name the file of "+whose.EN+": PEM, and readable")}
}

// load reads the files at the start, so that a wrong one does not show only when a connection is lost.
func (t KafkaTLS) load(log *slog.Logger) (*tls.Config, error) {
	if t.CA == "" {
		return nil, nil
	}
	roots := x509.NewCertPool()
	if err := addRoots(roots, t.CA, "YM-CFG-0107", "kafka.tls.ca", text("本市根证书", "the city's root certificate")); err != nil {
		return nil, err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: roots}
	if t.Cert == "" {
		return config, nil
	}
	own := &renewed{files: t, log: log}
	first, err := own.read()
	if err != nil {
		return nil, err
	}
	own.last = first
	config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return own.current(), nil }
	return config, nil
}

// renewed is a certificate whose files somebody else renews.
type renewed struct {
	files KafkaTLS
	log   *slog.Logger // nil: silent

	mu   sync.Mutex
	last *tls.Certificate // guarded by mu: the last that could be read
}

// current reads the files again: connections are opened seldom. While they cannot be used (one of the two is written
// already, the other is not) the last pair serves.
func (r *renewed) current() *tls.Certificate {
	pair, err := r.read()
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.last = pair
	} else if r.log != nil {
		r.log.Warn("the certificate for Kafka cannot be read again, the last one serves", "error", err)
	}
	return r.last
}

func (r *renewed) read() (*tls.Certificate, error) {
	info, err := os.Stat(r.files.Key)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		return nil, &exchange.Problem{Code: "YM-CFG-0109", Kind: exchange.Invalid,
			What: text("密钥文件可能被他人读取："+r.files.Key, "key file can be read by others: "+r.files.Key),
			Why:  text("权限为 "+info.Mode().String(), "its mode is "+info.Mode().String()),
			Mend: text("chmod 600 "+r.files.Key+"；如他人可能已读取，请更换证书", "chmod 600 "+r.files.Key+"; if others may have read it, replace the certificate")}
	}
	pair, err := tls.LoadX509KeyPair(r.files.Cert, r.files.Key)
	if err != nil {
		return nil, &exchange.Problem{Code: "YM-CFG-0108", Kind: exchange.Invalid, Err: err,
			What: text("连接 Kafka 用的证书或私钥不可用", "the certificate for Kafka or its key cannot be used"),
			Mend: text("检查 kafka.tls.cert 和 kafka.tls.key：PEM 格式、可读、彼此成对", "check kafka.tls.cert and kafka.tls.key: PEM, readable, and each the other's")}
	}
	return &pair, nil
}
