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

	mu    sync.Mutex // guards what follows
	kept  map[string]*kept
	bytes int
}

// Kept is a file that waits, with whose it is.
type Kept struct {
	File       []byte
	Name       string              // of the file, without anybody's data
	Department exchange.Department // which asked for it
	// May says whether it may still be given: it errs where who asked may not ask any more. nil: it may.
	May func(context.Context) error
}

type kept struct {
	Kept  // File nil: it was fetched
	until time.Time
}

// Waits is how long a file waits to be fetched.
const Waits = 10 * time.Minute

// The bounds of a shelf. A department may not take all of the room.
const (
	mostKept  = 1000
	mostOfOne = 250
	mostBytes = 64 << 20
)

// NewShelf makes an empty shelf.
func NewShelf(clock func() time.Time) *Shelf { return &Shelf{clock: clock, kept: map[string]*kept{}} }

// Put keeps a file, and gives the ticket for it: 256 bits that nobody guesses. It errs with a Problem where there is no room.
func (s *Shelf) Put(file Kept) (ticket string, err error) {
	s.Tidy()
	s.mu.Lock()
	defer s.mu.Unlock()
	ofOne := 0
	for _, other := range s.kept {
		if other.Department == file.Department {
			ofOne++
		}
	}
	if len(s.kept) >= mostKept || ofOne >= mostOfOne || s.bytes+len(file.File) > mostBytes {
		return "", noRoom()
	}
	ticket = newTicket()
	s.kept[ticket] = &kept{file, s.clock().Add(Waits)}
	s.bytes += len(file.File)
	time.AfterFunc(Waits, s.Tidy)
	return ticket, nil
}

// Find gives a file and leaves it where it is. It errs with a Problem where there is none.
func (s *Shelf) Find(ticket string) (Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(ticket)
}

func (s *Shelf) find(ticket string) (Kept, error) {
	one, found := s.kept[ticket]
	switch {
	case !found || !s.clock().Before(one.until):
		return Kept{}, noSuchTicket()
	case one.File == nil:
		return Kept{}, fetched()
	}
	return one.Kept, nil
}

// Take gives a file and keeps of it only that it was fetched.
func (s *Shelf) Take(ticket string) (Kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, err := s.find(ticket)
	if err == nil {
		s.bytes -= len(file.File)
		s.kept[ticket].File = nil
	}
	return file, err
}

// Forget drops all files.
func (s *Shelf) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept, s.bytes = map[string]*kept{}, 0
}

// Tidy takes away what has had its time.
func (s *Shelf) Tidy() {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	for ticket, one := range s.kept {
		if !now.Before(one.until) {
			s.bytes -= len(one.File)
			delete(s.kept, ticket)
		}
	}
}

// newTicket is never predictable: it is all that a fetch must show.
func newTicket() string {
	var drawn [32]byte
	rand.Read(drawn[:]) // it never fails
	return base64.RawURLEncoding.EncodeToString(drawn[:])
}

func noRoom() error {
	return &exchange.Problem{Code: "YM-CPY-0201", Kind: exchange.Unavailable, What: text("等待取走的文件太多", "too many files wait to be fetched"),
		Mend: text("先取走已给出地址的文件，或用 downloadFile 直接取；十分钟后空出", "fetch those whose addresses were given, or use downloadFile; there is room again within ten minutes")}
}

func noSuchTicket() error {
	return &exchange.Problem{Code: "YM-CPY-0202", Kind: exchange.NotFound, What: text("这个地址没有文件", "there is no file at this address"),
		Why:  text("地址十分钟后失效；平台重启、密钥收回，或换了节点，文件也不再有", "an address has ten minutes; a restart, keys that were given up, or another node have no file either"),
		Mend: text("重新请求 downloadUrl", "ask for another with downloadUrl")}
}

func fetched() error {
	return &exchange.Problem{Code: "YM-CPY-0203", Kind: exchange.NotFound, What: text("文件已被取走", "the file was fetched already"),
		Why:  text("地址只能用一次", "an address serves once"),
		Mend: text("重新请求 downloadUrl；若不是你们取走的，请告知平台管理员", "ask for another with downloadUrl; if it was none of you who fetched it, tell the exchange's administrator")}
}
