package exchange

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Inputs (依据位置) say how far topics had been folded when something was looked up, so that it can be looked up the same again: topic →
// partition → offset of the next message. They never change, and each topic is spelt once, when it comes in: every audit entry holds
// them, and for as long as nothing is published they are the same. The zero value is that nothing was looked up.
type Inputs struct {
	topics []input // by name, each once
}

type input struct {
	topic string
	next  map[int]int64
	spelt string // as a member of a JSON object
}

// InputsOf keeps the maps, which nobody changes any more.
func InputsOf(next map[string]map[int]int64) Inputs {
	var topics []input
	for topic, of := range next {
		topics = append(topics, inputOf(topic, of))
	}
	slices.SortFunc(topics, func(a, b input) int { return cmp.Compare(a.topic, b.topic) })
	return Inputs{topics}
}

func inputOf(topic string, next map[int]int64) input {
	spelt, _ := jsontext.AppendQuote(nil, topic) // its error is of bytes that are no UTF-8, and those are replaced
	spelt = append(spelt, ':', '{')
	partitions := make([]int, 0, len(next))
	for p := range next {
		partitions = append(partitions, p)
	}
	slices.Sort(partitions)
	for i, p := range partitions {
		if i > 0 {
			spelt = append(spelt, ',')
		}
		spelt = append(strconv.AppendInt(append(spelt, '"'), int64(p), 10), `":`...)
		spelt = strconv.AppendInt(spelt, next[p], 10)
	}
	return input{topic, next, string(append(spelt, '}'))}
}

// With are the inputs and one topic more, or one of them as it is now.
func (i Inputs) With(topic string, next map[int]int64) Inputs {
	at, found := i.find(topic)
	topics := make([]input, 0, len(i.topics)+1)
	topics = append(append(topics, i.topics[:at]...), inputOf(topic, next))
	if found {
		at++
	}
	return Inputs{append(topics, i.topics[at:]...)}
}

// Next is partition → offset of the next message of a topic; nil: it is none of the inputs. It is to be read only.
func (i Inputs) Next(topic string) map[int]int64 {
	if at, found := i.find(topic); found {
		return i.topics[at].next
	}
	return nil
}

func (i Inputs) find(topic string) (at int, found bool) {
	return slices.BinarySearchFunc(i.topics, topic, func(in input, topic string) int { return cmp.Compare(in.topic, topic) })
}

// IsZero says whether nothing was looked up.
func (i Inputs) IsZero() bool { return len(i.topics) == 0 }

// AppendText appends the inputs as JSON, topics and partitions in order. It gives no error.
func (i Inputs) AppendText(out []byte) ([]byte, error) {
	out = append(out, '{')
	for at := range i.topics {
		if at > 0 {
			out = append(out, ',')
		}
		out = append(out, i.topics[at].spelt...)
	}
	return append(out, '}'), nil
}

// MarshalJSON is AppendText.
func (i Inputs) MarshalJSON() ([]byte, error) { return i.AppendText(nil) }

// UnmarshalJSON reads what MarshalJSON writes, in any order.
func (i *Inputs) UnmarshalJSON(text []byte) error {
	var next map[string]map[int]int64
	if err := json.Unmarshal(text, &next); err != nil {
		return fmt.Errorf("read inputs: %w", err)
	}
	*i = InputsOf(next)
	return nil
}
