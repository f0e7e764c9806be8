package spell

import (
	"bytes"
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// Members hands over the members of an object in their order, each value as it is written, where the object is spelt plainly: on one line,
// without a space between its parts and without an escape, as most documents are. It says false of any other, whether that is an
// object or not, and leaves it to a reader that knows all of JSON; what it handed over by then means nothing. Names may stand
// twice.
func Members(object []byte, member func(name, value []byte)) (plain bool) {
	if !unescaped(object) || !utf8.Valid(object) {
		return false
	}
	r := reader{rest: object}
	return r.members(member, deepest) && len(r.rest) == 0
}

// unescaped says whether there is no escape and no sign below the space. It looks at eight bytes at a time: what is smaller than what is
// taken from it gets its high bit set, which tells where it had none before. Such a byte borrows from the next, whose bit then tells
// nothing more; but it is found already.
func unescaped(object []byte) bool {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	for ; len(object) >= 8; object = object[8:] {
		eight := binary.LittleEndian.Uint64(object)
		slash := eight ^ ones*'\\'
		if ((eight-ones*' ')&^eight|(slash-ones)&^slash)&high != 0 {
			return false
		}
	}
	return !slices.ContainsFunc(object, func(c byte) bool { return c < ' ' || c == '\\' })
}

// deepest is how many objects and arrays may stand in each other before a document is left to the other reader.
const deepest = 32

// reader reads JSON without spaces and escapes from the front. Where it says false, something else was there.
type reader struct{ rest []byte }

func (r *reader) sign(c byte) bool {
	if len(r.rest) == 0 || r.rest[0] != c {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// members reads an object.
func (r *reader) members(member func(name, value []byte), depth int) bool {
	if !r.sign('{') {
		return false
	}
	for first := true; !r.sign('}'); first = false {
		if !first && !r.sign(',') {
			return false
		}
		name, ok := r.text()
		if !ok || !r.sign(':') {
			return false
		}
		before := r.rest
		if !r.value(depth - 1) {
			return false
		}
		if member != nil {
			member(name, before[:len(before)-len(r.rest)])
		}
	}
	return true
}

func (r *reader) value(depth int) bool {
	if len(r.rest) == 0 || depth == 0 {
		return false
	}
	switch r.rest[0] {
	case '"':
		_, ok := r.text()
		return ok
	case '{':
		return r.members(nil, depth)
	case '[':
		return r.items(depth)
	case 't':
		return r.word("true")
	case 'f':
		return r.word("false")
	case 'n':
		return r.word("null")
	}
	return r.number()
}

// items reads an array.
func (r *reader) items(depth int) bool {
	r.sign('[')
	for first := true; !r.sign(']'); first = false {
		if !first && !r.sign(',') || !r.value(depth-1) {
			return false
		}
	}
	return true
}

// text reads a text and gives what stands between the quotes.
func (r *reader) text() ([]byte, bool) {
	if !r.sign('"') {
		return nil, false
	}
	end := bytes.IndexByte(r.rest, '"')
	if end < 0 {
		return nil, false
	}
	text := r.rest[:end]
	r.rest = r.rest[end+1:]
	return text, true
}

func (r *reader) word(word string) bool {
	if len(r.rest) < len(word) || string(r.rest[:len(word)]) != word {
		return false
	}
	r.rest = r.rest[len(word):]
	return true
}

func (r *reader) number() bool {
	r.sign('-')
	if !r.sign('0') && !r.digits() {
		return false
	}
	if r.sign('.') && !r.digits() {
		return false
	}
	if !r.sign('e') && !r.sign('E') {
		return true
	}
	if !r.sign('+') {
		r.sign('-')
	}
	return r.digits()
}

// digits reads one digit or more.
func (r *reader) digits() bool {
	n := 0
	for n < len(r.rest) && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	r.rest = r.rest[n:]
	return n > 0
}
