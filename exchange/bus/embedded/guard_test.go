package embedded

import (
	"io"
	"net"
	"testing"
	"testing/iotest"
	"time"
)

// source is a connection that only reads.
type source struct {
	net.Conn
	r io.Reader
}

func (s source) Read(p []byte) (int, error) { return s.r.Read(p) }

type once struct{ bytes []byte }

func (o *once) Read(p []byte) (int, error) {
	if len(o.bytes) == 0 {
		return 0, io.EOF
	}
	n := copy(p, o.bytes)
	o.bytes = o.bytes[n:]
	return n, nil
}

const versions = "\x00\x00\x00\x0a\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff" // ApiVersions v0 without a client id

var streams = map[string]struct {
	bytes string
	ok    bool
}{
	"nothing":         {"", true},
	"one request":     {versions, true},
	"two requests":    {versions + versions, true},
	"part of a head":  {versions[:5], true},
	"a web browser":   {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false},
	"TLS":             {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", false},
	"unknown request": {"\x00\x00\x00\x0c\x7f\xff\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00", false},
	"negative key":    {"\x00\x00\x00\x0c\xff\xff\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00", false},
	"no length":       {"\x00\x00\x00\x00\x00\x12", false},
	"negative length": {"\xff\xff\xff\xff\x00\x12", false},
	"second is bad":   {versions + "\x00\x00\x00\x0c\x7f\xff", false},
}

func TestGuard(t *testing.T) {
	for name, row := range streams {
		for how, r := range map[string]io.Reader{"at once": &once{[]byte(row.bytes)}, "byte by byte": iotest.OneByteReader(&once{[]byte(row.bytes)})} {
			_, err := io.ReadAll(&guarded{Conn: source{r: r}})
			if (err == nil) != row.ok {
				t.Errorf("%s, %s: error %v", name, how, err)
			}
		}
	}
}

// A broker lives on whatever is sent to it.
func TestStrayClients(t *testing.T) {
	broker, err := Start(Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer broker.Close()
	for name, row := range streams {
		conn, err := net.Dial("tcp", broker.Addr())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(5 * time.Second))
		io.WriteString(conn, row.bytes)
		if !row.ok {
			if n, err := io.Copy(io.Discard, conn); err != nil && n == 0 {
				if ne, ok := err.(net.Error); ok && ne.Timeout() {
					t.Errorf("%s: the connection stays open", name)
				}
			}
		}
		conn.Close()
	}
	conn, err := net.Dial("tcp", broker.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	io.WriteString(conn, versions)
	if n, err := conn.Read(make([]byte, 100)); n == 0 {
		t.Errorf("the broker does not answer any more: %v", err)
	}
}

// However the bytes are cut, the verdict is the same.
func FuzzGuard(f *testing.F) {
	for _, row := range streams {
		f.Add([]byte(row.bytes))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		_, whole := io.ReadAll(&guarded{Conn: source{r: &once{stream}}})
		_, cut := io.ReadAll(&guarded{Conn: source{r: iotest.OneByteReader(&once{stream})}})
		if (whole == nil) != (cut == nil) {
			t.Errorf("at once: %v, byte by byte: %v", whole, cut)
		}
	})
}
