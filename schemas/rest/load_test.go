package rest

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"
)

// load is one keep-alive connection that asks the same again and again. It reads no more than it must: on two cores a
// generator that does takes half of them.
type load struct {
	b       testing.TB
	conn    net.Conn
	in      *bufio.Reader
	request []byte
	length  int
}

func newLoad(b testing.TB, whole string) *load {
	address, err := url.Parse(whole)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := net.Dial("tcp", address.Host)
	if err != nil {
		b.Fatal(err)
	}
	return &load{b: b, conn: conn, in: bufio.NewReaderSize(conn, 64<<10),
		request: []byte("GET " + address.RequestURI() + " HTTP/1.1\r\nHost: " + address.Host + "\r\nAccept: application/vnd.schemaregistry.v1+json\r\n\r\n")}
}

func (l *load) close() { l.conn.Close() }

// once asks, and reads the answer: by net/http the first time, and as many bytes ever after.
func (l *load) once() {
	if _, err := l.conn.Write(l.request); err != nil {
		l.b.Error(err)
		return
	}
	if l.length > 0 {
		if _, err := l.in.Discard(l.length); err != nil {
			l.b.Error(err)
		}
		return
	}
	counted := &counter{in: l.in}
	whole := bufio.NewReaderSize(counted, 16)
	response, err := http.ReadResponse(whole, nil)
	if err != nil || response.StatusCode != http.StatusOK {
		l.b.Errorf("answer %+v: %v", response, err)
		return
	}
	io.Copy(io.Discard, response.Body)
	l.length = counted.n
}

type counter struct {
	in io.Reader
	n  int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n += n
	return n, err
}

// discard is an answer nobody reads.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
