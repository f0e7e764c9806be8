package copies

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Shelf keeps files in memory until they are fetched: each once, and within Waits, after which it is taken away. Nothing of them is on
// disk, and a restart forgets them. It is safe for concurrent use.
type Shelf struct {
	clock func() time.Time

	mu      sync.Mutex // guards what follows
	waiting map[string]*waiting
	fetched map[string]fetchedFile
	inOrder []string // the tickets of what was fetched, oldest first
	all     room
	ofOne   map[exchange.Department]room
}

// Kept is a file that waits, with whose it is.
type Kept struct {
	File       []byte
	Receipt    string              // the id of the query's that it tells of
	Department exchange.Department // which asked for it
	// May says whether it may still be given: it errs where who asked may not ask any more, or would not be told the same. nil: it may.
	May func(context.Context) error
}

type waiting struct {
	Kept
	until  time.Time
	inHand bool // somebody is taking it
}

// fetchedFile is what remains of a file: that, of which query, it was fetched.
type fetchedFile struct {
	receipt    string
	department exchange.Department
	until      time.Time
}

// room is what files take, those that are being made included.
type room struct{ files, bytes int }

func (r room) and(files, bytes int) room { return room{r.files + files, r.bytes + bytes} }

func (r room) exceeds(most room) bool { return r.files > most.files || r.bytes > most.bytes }

// Waits is how long a file waits to be fetched, and for how long it is known that it was.
const Waits = 10 * time.Minute

// The bounds of a shelf. A department may not take all of the room.
var (
	most      = room{1000, 128 << 20}
	mostOfOne = room{250, 48 << 20}
)

// mostFetched is of how many files it is known at most that they were fetched.
const mostFetched = 10_000

// NewShelf makes an empty shelf.
func NewShelf(clock func() time.Time) *Shelf {
	return &Shelf{clock: clock, waiting: map[string]*waiting{}, fetched: map[string]fetchedFile{}, ofOne: map[exchange.Department]room{}}
}

// Place is room for one file that is being made. It is used by one goroutine.
type Place struct {
	shelf      *Shelf
	department exchange.Department
	gone       bool
}

// Reserve takes a place for a file of a department's, so that whatever is spent on making it is not spent in vain. It errs with a Problem
// where there is none. The place must be left.
func (s *Shelf) Reserve(department exchange.Department) (*Place, error) {
	s.Tidy()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all.and(1, MaxFile).exceeds(most) || s.ofOne[department].and(1, MaxFile).exceeds(mostOfOne) {
		return nil, noRoom()
	}
	s.take(department, 1, MaxFile)
	return &Place{shelf: s, department: department}, nil
}

// Put keeps a file, of MaxFile bytes at most, in the place, and gives the ticket for it: 256 bits that nobody guesses.
func (p *Place) Put(file Kept) (ticket string) {
	s := p.shelf
	s.mu.Lock()
	defer s.mu.Unlock()
	file.Department = p.department
	ticket = newTicket()
	s.waiting[ticket] = &waiting{Kept: file, until: s.clock().Add(Waits)}
	s.take(p.department, 0, len(file.File)-MaxFile)
	p.gone = true
	time.AfterFunc(Waits, s.Tidy)
	return ticket
}

// Leave gives the place back where no file was put into it.
func (p *Place) Leave() {
	p.shelf.mu.Lock()
	defer p.shelf.mu.Unlock()
	if !p.gone {
		p.gone = true
		p.shelf.take(p.department, -1, -MaxFile)
	}
}

// take notes that a department has more room, or less.
func (s *Shelf) take(department exchange.Department, files, bytes int) {
	s.all = s.all.and(files, bytes)
	s.ofOne[department] = s.ofOne[department].and(files, bytes)
	if s.ofOne[department] == (room{}) {
		delete(s.ofOne, department)
	}
}

// Find gives a file and leaves it where it is. It errs with a Problem where there is none; of one that was fetched it still gives
// whose it was.
func (s *Shelf) Find(ticket string) (Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, err := s.find(ticket)
	if err != nil {
		return s.remembered(ticket), err
	}
	return one.Kept, nil
}

func (s *Shelf) find(ticket string) (*waiting, error) {
	now := s.clock()
	one, waits := s.waiting[ticket]
	before, found := s.fetched[ticket]
	switch {
	case waits && one.inHand, found && now.Before(before.until):
		return nil, alreadyFetched()
	case !waits || !now.Before(one.until):
		return nil, noSuchTicket()
	}
	return one, nil
}

// Take gives a file to one of all who come for it, and keeps of it only that it was fetched. First it is entered; where that fails
// the file stays where it was.
func (s *Shelf) Take(ticket string, enter func(Kept) error) (Kept, error) {
	file, err := s.hold(ticket)
	if err != nil {
		return file, err
	}
	if err := enter(file); err != nil {
		s.release(ticket)
		return file, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(ticket)
	s.remember(ticket, file)
	return file, nil
}

func (s *Shelf) hold(ticket string) (Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, err := s.find(ticket)
	if err != nil {
		return s.remembered(ticket), err
	}
	one.inHand = true
	return one.Kept, nil
}

func (s *Shelf) release(ticket string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if one, waits := s.waiting[ticket]; waits {
		one.inHand = false
	}
}

// remember keeps that a file was fetched, and of the oldest no more than there is room for.
func (s *Shelf) remember(ticket string, file Kept) {
	s.fetched[ticket] = fetchedFile{file.Receipt, file.Department, s.clock().Add(Waits)}
	s.inOrder = append(s.inOrder, ticket)
	if len(s.inOrder) > mostFetched {
		delete(s.fetched, s.inOrder[0])
		s.inOrder = s.inOrder[1:]
	}
	time.AfterFunc(Waits, s.Tidy)
}

// remembered is whose a file was that was fetched.
func (s *Shelf) remembered(ticket string) Kept {
	before := s.fetched[ticket]
	return Kept{Receipt: before.receipt, Department: before.department}
}

// remove takes a file away.
func (s *Shelf) remove(ticket string) {
	if one, waits := s.waiting[ticket]; waits {
		s.take(one.Department, -1, -len(one.File))
		delete(s.waiting, ticket)
	}
}

// Discard takes a file away that is not to be given to anybody. It gives whose it was, where there was one.
func (s *Shelf) Discard(ticket string) Kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, err := s.find(ticket)
	if err != nil {
		return Kept{}
	}
	s.remove(ticket)
	return one.Kept
}

// Forget drops all files.
func (s *Shelf) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ticket := range s.waiting {
		s.remove(ticket)
	}
	s.fetched, s.inOrder = map[string]fetchedFile{}, nil
}

// Tidy takes away what has had its time.
func (s *Shelf) Tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	for ticket, one := range s.waiting {
		if !now.Before(one.until) {
			s.remove(ticket)
		}
	}
	for len(s.inOrder) > 0 && !now.Before(s.fetched[s.inOrder[0]].until) {
		delete(s.fetched, s.inOrder[0])
		s.inOrder = s.inOrder[1:]
	}
}

// newTicket is never predictable: it is all that a fetch must show.
func newTicket() string {
	var drawn [32]byte
	rand.Read(drawn[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(drawn[:])
}

func noRoom() error {
	return &exchange.Problem{Code: "YM-CPY-0201", Kind: exchange.Unavailable, What: text("等待取走的文件太多，没有查询", "too many files wait to be fetched, so nobody was looked up"),
		Mend: text("先取走已给出地址的文件，或用 downloadFile 直接取；没有取走的十分钟后空出", "fetch those whose addresses were given, or use downloadFile; what was not fetched makes room within ten minutes")}
}

func noSuchTicket() error {
	return &exchange.Problem{Code: "YM-CPY-0202", Kind: exchange.NotFound, What: text("这个地址没有文件", "there is no file at this address"),
		Why:  text("地址十分钟后失效；平台重启、密钥收回、换了节点，或地址曾不经 https 请求过，文件也不再有", "an address has ten minutes; after a restart, once keys were given up, at another node, or after it was asked for without https there is no file either"),
		Mend: text("重新请求 downloadUrl", "ask for another with downloadUrl")}
}

func alreadyFetched() error {
	return &exchange.Problem{Code: "YM-CPY-0203", Kind: exchange.NotFound, What: text("文件已被取走", "the file was fetched already"),
		Why:  text("地址只能用一次", "an address serves once"),
		Mend: text("重新请求 downloadUrl；若不是你们取走的，请告知平台管理员", "ask for another with downloadUrl; if it was none of you who fetched it, tell the exchange's administrator")}
}
