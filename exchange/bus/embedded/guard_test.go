package embedded

import (
	"bytes"
	"errors"
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

// streams are what a client may send; of bad ones, how many bytes are handed on.
var streams = map[string]struct {
	bytes string
	ok    bool
	good  int
}{
	"nothing":          {"", true, 0},
	"one request":      {versions, true, len(versions)},
	"two requests":     {versions + versions, true, 2 * len(versions)},
	"part of a head":   {versions[:5], true, 0},
	"part of a body":   {versions[:10], true, 10},
	"a web browser":    {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", false, 0},
	"TLS":              {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", false, 0},
	"unknown request":  {"\x00\x00\x00\x0c\x7f\xff\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00", false, 0},
	"negative key":     {"\x00\x00\x00\x0c\xff\xff\x00\x00\x00\x00\x00\x01\xff\xff\x00\x00", false, 0},
	"no length":        {"\x00\x00\x00\x00\x00\x12", false, 0},
	"negative length":  {"\xff\xff\xff\xff\x00\x12", false, 0},
	"too long by much": {"\x7f\xff\xff\xff\x00\x12", false, 0},
	"second is bad":    {versions + "\x00\x00\x00\x0c\x7f\xff", false, len(versions)},
}

// Nothing of a bad request is handed on: kfake makes room for a length before it reads what follows.
func TestGuard(t *testing.T) {
	for name, row := range streams {
		for how, r := range map[string]io.Reader{"at once": &once{[]byte(row.bytes)}, "byte by byte": iotest.OneByteReader(&once{[]byte(row.bytes)})} {
			conn := &guarded{Conn: source{r: r}}
			got, err := io.ReadAll(conn)
			if errors.Is(err, errNotKafka) == row.ok || string(got) != row.bytes[:row.good] {
				t.Errorf("%s, %s: %d bytes, error %v", name, how, len(got), err)
			}
			if n, err := conn.Read(make([]byte, 8)); n > 0 || err == nil {
				t.Errorf("%s, %s: %d bytes after the end, error %v", name, how, n, err)
			}
		}
	}
}

// A head that is cut by a deadline goes on where it was.
func TestGuardAfterDeadline(t *testing.T) {
	conn := &guarded{Conn: source{r: iotest.TimeoutReader(iotest.OneByteReader(&once{[]byte(versions)}))}} // its second read times out
	if n, err := conn.Read(make([]byte, 4)); n != 0 || !errors.Is(err, iotest.ErrTimeout) {
		t.Errorf("%d bytes, error %v", n, err)
	}
	if got, err := io.ReadAll(conn); string(got) != versions || err != nil {
		t.Errorf("%q, %v", got, err)
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

// However the bytes are cut, the verdict is the same, and so is what is handed on.
func FuzzGuard(f *testing.F) {
	for _, row := range streams {
		f.Add([]byte(row.bytes))
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		whole, wholeErr := io.ReadAll(&guarded{Conn: source{r: &once{stream}}})
		cut, cutErr := io.ReadAll(&guarded{Conn: source{r: iotest.OneByteReader(&once{stream})}})
		if !bytes.Equal(whole, cut) || errors.Is(wholeErr, errNotKafka) != errors.Is(cutErr, errNotKafka) {
			t.Errorf("at once: %d, %v; byte by byte: %d, %v", len(whole), wholeErr, len(cut), cutErr)
		}
		if !bytes.HasPrefix(stream, whole) {
			t.Error("other bytes were handed on than came")
		}
	})
}
