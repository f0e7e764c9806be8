package embedded

import (
	"encoding/binary"
	"errors"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// guard accepts connections that must speak Kafka. kfake makes room for whatever length a client names, as soon as it has read that, and
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

// guarded follows the requests on a connection: a length, a request key, and the rest. Nothing of a request is handed on before its
// length and key are seen to be good.
type guarded struct {
	net.Conn
	head [6]byte
	have int   // bytes of head that were read
	gone int   // bytes of head that were handed on
	rest int   // bytes of the request behind its head that were not read
	over error // why nothing is handed on any more
}

// Read implements net.Conn. Bytes that are no request end the connection.
func (g *guarded) Read(p []byte) (int, error) {
	if g.over != nil {
		return 0, g.over
	}
	if g.gone == len(g.head) && g.rest == 0 {
		g.have, g.gone = 0, 0
	}
	if g.have < len(g.head) {
		n, err := io.ReadFull(g.Conn, g.head[g.have:])
		g.have += n
		if err != nil {
			return 0, err
		}
		if g.over = g.check(); g.over != nil {
			return 0, g.over
		}
	}
	if g.gone < len(g.head) {
		n := copy(p, g.head[g.gone:])
		g.gone += n
		return n, nil
	}
	n, err := g.Conn.Read(p[:min(len(p), g.rest)])
	g.rest -= n
	return n, err
}

var errNotKafka = errors.New("not a Kafka request")

// check sees whether the head begins a request.
func (g *guarded) check() error {
	const shortest, longest = 8, 100 << 20 // key, version, correlation; Kafka's own socket.request.max.bytes
	size, key := binary.BigEndian.Uint32(g.head[:]), int16(binary.BigEndian.Uint16(g.head[4:]))
	if size < shortest || size > longest || kmsg.RequestForKey(key) == nil {
		return errNotKafka
	}
	g.rest = int(size) - 2
	return nil
}
