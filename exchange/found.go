package exchange

// Found is what the index knows of one holder for the evidence types that were asked: facts only. Whether
// they amount to "held" or "not held" is decided elsewhere.
type Found struct {
	// Records has the newest version of each record of the holder, withdrawn ones included.
	Records []Record
	// Sources has every adapter that speaks for one of the types, in no particular order. Answers share the maps in it: they are to be
	// read only.
	Sources []Source
	// Inputs says what had been folded when this was asked. With it the same answer can be found again later.
	Inputs Inputs
}

// Source is one adapter's coverage statement together with what the index can say about it.
type Source struct {
	Coverage
	// Folded says whether the index has folded past every offset the statement rests on. Until then the
	// statement does not count.
	Folded bool
	// HolderQuarantined says whether a row about the asked holder is in this source's quarantine: the keeper
	// said something about the holder that could not be read, or that may not be read any more.
	HolderQuarantined bool
	// Refused is how many records of the type there are whose newest version the index could not take: sealed for somebody
	// else, by an unknown schema, with facts that make no sense. Whose they are is not known.
	Refused int64
}

// Complete says whether the source's claim to be complete can be relied on: what the index had to refuse counts against
// the declared tolerance as rows do whose holder could not be read.
func (s *Source) Complete() bool {
	return s.Coverage.Complete() && s.Unreadable+s.Refused <= s.Tolerance
}
