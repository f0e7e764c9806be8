package bus

import (
	"context"
	"net"
	"sync"
	"time"

	kafka "github.com/segmentio/kafka-go"
)

// wires are the open connections. kafka-go leaves a connection to its pending answer when a context ends;
// knowing them all lets close cut them, so that nothing lives on.
type wires struct {
	transport *kafka.Transport

	mu     sync.Mutex // guards all below
	open   map[*wire]struct{}
	closed bool
}

type wire struct {
	net.Conn
	owner *wires
}

func newWires(config Config) *wires {
	w := &wires{open: make(map[*wire]struct{})}
	w.transport = &kafka.Transport{
		Dial:        w.dial,
		DialTimeout: requestTimeout,
		MetadataTTL: metadataTTL,
		ClientID:    config.ClientID,
		TLS:         config.TLS,
	}
	return w
}

func (w *wires) dial(ctx context.Context, network, address string) (net.Conn, error) {
	// A third of the transport's limit: one silent broker must not use up the time of the others.
	dialer := net.Dialer{Timeout: requestTimeout / 3, KeepAlive: 15 * time.Second}
	conn, err := dialer.DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		conn.Close()
		return nil, net.ErrClosed
	}
	c := &wire{Conn: conn, owner: w}
	w.open[c] = struct{}{}
	return c, nil
}

// Close closes the connection and forgets it.
func (c *wire) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

func (w *wires) close() {
	w.transport.CloseIdleConnections()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for c := range w.open {
		c.Conn.Close()
	}
	clear(w.open)
}
