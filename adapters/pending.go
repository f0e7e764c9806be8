package adapters

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// errPending means that a pending message cannot be read back: the state is damaged.
var errPending = errors.New("read pending message: the adapter's state is damaged; delete its directory, it is rebuilt from the topics")

// encodeMessage writes what of a message is appended, so that exactly the same can be appended again: topic, route, key,
// value and headers, each with its length plus one in front, where 0 is nil.
func encodeMessage(m *exchange.Message) []byte {
	size := len(m.Topic) + len(m.Route) + len(m.Key) + len(m.Value)
	for i := range m.Headers {
		size += len(m.Headers[i].Name) + len(m.Headers[i].Value)
	}
	out := make([]byte, 0, size+4*(4+2*len(m.Headers)))
	for _, part := range [][]byte{[]byte(m.Topic), m.Route, m.Key, m.Value} {
		out = appendPart(out, part)
	}
	for i := range m.Headers {
		out = appendPart(appendPart(out, []byte(m.Headers[i].Name)), m.Headers[i].Value)
	}
	return out
}

func appendPart(out, part []byte) []byte {
	if part == nil {
		return binary.AppendUvarint(out, 0)
	}
	return append(binary.AppendUvarint(out, uint64(len(part))+1), part...)
}

func decodeMessage(b []byte) (exchange.Message, error) {
	var parts [][]byte
	for len(b) > 0 {
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)-n)+1 {
			return exchange.Message{}, errPending
		}
		b = b[n:]
		if length == 0 {
			parts = append(parts, nil)
			continue
		}
		parts = append(parts, append([]byte{}, b[:length-1]...))
		b = b[length-1:]
	}
	if len(parts) < 4 || len(parts)%2 != 0 {
		return exchange.Message{}, errPending
	}
	m := exchange.Message{Topic: string(parts[0]), Route: parts[1], Key: parts[2], Value: parts[3]}
	for header := range slices.Chunk(parts[4:], 2) {
		m.Headers = append(m.Headers, exchange.Header{Name: string(header[0]), Value: header[1]})
	}
	return m, nil
}
