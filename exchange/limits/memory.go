package limits

// cases remembers about whom each case was asked: in two halves, of which the older one is dropped when the younger one is full of
// days. A case that is used moves to the younger half.
type cases struct {
	span    int // days that a half covers
	from    int // the day on which the younger half began
	younger half
	older   half
}

// half holds the subjects of cases by 32 bits of their hashes: most cases have one, which is what first is for.
type half struct {
	first map[uint64]uint32
	more  map[uint64][]uint32 // from the second on
}

func newCases(span int) *cases { return &cases{span: span, younger: newHalf(), older: newHalf()} }

func newHalf() half { return half{map[uint64]uint32{}, map[uint64][]uint32{}} }

// turn drops what is old.
func (c *cases) turn(today int) {
	for ; today >= c.from+c.span; c.from += c.span {
		if today >= c.from+2*c.span { // at the start, or after a long silence
			c.from = today - c.span
			c.younger = newHalf()
		}
		c.older, c.younger = c.younger, newHalf()
	}
}

// with is how many subjects the case will have asked about with this one.
func (c *cases) with(matter, subject uint64) int {
	h := &c.younger
	first, known := h.first[matter]
	if !known {
		h = &c.older
		if first, known = h.first[matter]; !known {
			return 1
		}
	}
	return h.with(matter, first, uint32(subject))
}

func (h *half) with(matter uint64, first, subject uint32) int {
	n := 1
	found := first == subject
	for _, other := range h.more[matter] {
		n++
		found = found || other == subject
	}
	if !found {
		n++
	}
	return n
}

func (c *cases) add(matter, subject uint64) {
	short := uint32(subject)
	if first, known := c.younger.first[matter]; known {
		c.younger.add(matter, first, short)
		return
	}
	first, known := c.older.first[matter]
	if !known {
		c.younger.first[matter] = short
		return
	}
	c.younger.first[matter] = first
	if more := c.older.more[matter]; more != nil {
		c.younger.more[matter] = more
	}
	delete(c.older.first, matter)
	delete(c.older.more, matter)
	c.younger.add(matter, first, short)
}

func (h *half) add(matter uint64, first, subject uint32) {
	if first == subject {
		return
	}
	for _, other := range h.more[matter] {
		if other == subject {
			return
		}
	}
	h.more[matter] = append(h.more[matter], subject)
}

// nonces remembers those of requests for one to two spans of time.
type nonces struct {
	span    int64 // milliseconds
	turn    int64 // which span the younger half covers
	younger map[uint64]struct{}
	older   map[uint64]struct{}
}

func newNonces(span int64) *nonces {
	return &nonces{span: span, younger: map[uint64]struct{}{}, older: map[uint64]struct{}{}}
}

// seen says whether a nonce is remembered at a moment.
func (n *nonces) seen(nonce uint64, at int64) bool {
	n.advance(at)
	_, young := n.younger[nonce]
	_, old := n.older[nonce]
	return young || old
}

// add remembers a nonce of a request made at a moment; one of long ago need not be.
func (n *nonces) add(nonce uint64, at int64) {
	n.advance(at)
	switch at / n.span {
	case n.turn:
		n.younger[nonce] = struct{}{}
	case n.turn - 1:
		n.older[nonce] = struct{}{}
	}
}

func (n *nonces) advance(at int64) {
	turn := at / n.span
	if turn <= n.turn {
		return
	}
	n.older, n.younger = n.younger, map[uint64]struct{}{}
	if turn > n.turn+1 {
		n.older = map[uint64]struct{}{}
	}
	n.turn = turn
}
