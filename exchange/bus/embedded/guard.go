package embedded

import (
	"encoding/binary"
	"errors"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard accepts connections that must speak Kafka. kfake makes room for whatever length a client names and
// ends the whole process on a request it does not know; a stray client must not be able to do either.
type guard struct{ net.Listener }

// Accept implements net.Listener.
func (g guard) Accept() (net.Conn, error) {
	conn, err := g.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &guarded{Conn: conn}, nil
}

// guarded follows the requests on a connection: a length, a request key, and the rest.
type guarded struct {
	net.Conn
	head [6]byte
	have int // bytes of head
	left int // bytes until the next head
}

// Read implements net.Conn. Bytes that are no request end the connection.
func (g *guarded) Read(p []byte) (int, error) {
	n, err := g.Conn.Read(p)
	if refused := g.check(p[:n]); refused != nil {
		return 0, refused
	}
	return n, err
}

var errNotKafka = errors.New("not a Kafka request")

func (g *guarded) check(p []byte) error {
	const shortest, longest = 8, 100 << 20 // key, version, correlation; Kafka's own socket.request.max.bytes
	for len(p) > 0 {
		if g.left > 0 {
			skip := min(g.left, len(p))
			g.left -= skip
			p = p[skip:]
			continue
		}
		n := copy(g.head[g.have:], p)
		g.have += n
		p = p[n:]
		if g.have < len(g.head) {
			return nil
		}
		size, key := binary.BigEndian.Uint32(g.head[:]), int16(binary.BigEndian.Uint16(g.head[4:]))
		if size < shortest || size > longest || kmsg.RequestForKey(key) == nil {
			return errNotKafka
		}
		g.have, g.left = 0, int(size)-2
	}
	return nil
}
