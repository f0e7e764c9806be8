package exchange

import "time"

// Message is one entry of a topic, on its way in or out. Key and Value are what Kafka stores; Route decides the
// partition and is not stored. Partition, Offset and Time are set on what comes off a topic, and on what was
// appended: Time only where the topic has the broker date its messages.
type Message struct {
	Topic     string
	Partition int
	Offset    int64
	Time      time.Time
	Route     []byte // nil: Key decides
	Key       []byte
	Value     []byte // nil: a tombstone
	Headers   []Header
	// Read is what was made of Key and Value on the way in, once for all who follow the topic: it is to be read only. Nil: nothing.
	Read any
}

// Header is one header of a message. Names may repeat; the first counts.
type Header struct {
	Name  string
	Value []byte
}

// Header is the value of the first header of that name, "" where there is none.
func (m *Message) Header(name string) string {
	for i := range m.Headers {
		if m.Headers[i].Name == name {
			return string(m.Headers[i].Value)
		}
	}
	return ""
}
