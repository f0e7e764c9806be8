package exchange

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	spelt, _ := json.Marshal(topic) // of a text it gives no error
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

// UnmarshalJSON reads what MarshalJSON writes, in any order. Whether a topic stands there twice is asked by who reads what is around.
func (i *Inputs) UnmarshalJSON(text []byte) error {
	var topics map[string]map[string]int64
	if err := json.Unmarshal(text, &topics); err != nil {
		return fmt.Errorf("read inputs: %w", err)
	}
	all := make(map[string]map[int]int64, len(topics))
	for topic, offsets := range topics {
		next, err := byPartition(offsets)
		if err != nil {
			return err
		}
		all[topic] = next
	}
	*i = InputsOf(all)
	return nil
}

// byPartition reads the numbers of partitions, each once. It refuses 00 and +1, which the library would take, and takes -0, as entries
// were always read: who verifies an old log must find in it what was found then.
func byPartition(offsets map[string]int64) (map[int]int64, error) {
	next := make(map[int]int64, len(offsets))
	for name, offset := range offsets {
		p, err := strconv.Atoi(name)
		_, twice := next[p]
		if err != nil || twice || strconv.Itoa(p) != name && name != "-0" {
			return nil, errors.New("read inputs: there is no such partition, or it stands there twice")
		}
		next[p] = offset
	}
	return next, nil
}
