package adapters

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/onedoor/yimen/exchange"
)

// The state's database belongs to one process. Beside it lie two files that anybody with the rights may read while the
// adapter runs, replaced whole after each reading.
const (
	databaseDir    = "db"
	statusFile     = "status.json"
	quarantineFile = "quarantine.sealed" // one row a line: its id in hex, a space, the sealed row in base64
)

// Status is what an adapter was like after its last reading.
type Status struct {
	exchange.Coverage
	Last Result `json:"last"`
}

// ReadStatus reads the status an adapter left in its state directory.
func ReadStatus(dir string) (Status, error) {
	var status Status
	content, err := os.ReadFile(filepath.Join(dir, statusFile))
	if errors.Is(err, fs.ErrNotExist) {
		return status, neverRun(dir)
	}
	if err != nil {
		return status, fmt.Errorf("read adapter status: %w", err)
	}
	if err := json.Unmarshal(content, &status); err != nil {
		return status, fmt.Errorf("read adapter status: %w", err)
	}
	return status, nil
}

func neverRun(dir string) error {
	return &exchange.Problem{Code: "YM-ADP-0103", Kind: exchange.NotFound,
		What: exchange.Text{ZH: "此目录没有适配器状态：" + dir, EN: "no adapter state here: " + dir},
		Why:  exchange.Text{ZH: "适配器尚未读完过一次，或目录有误", EN: "the adapter never finished a reading, or this is another directory"},
		Mend: exchange.Text{ZH: "先运行 yimen adapter run，或用 --data 指定目录", EN: "run `yimen adapter run` first, or name the directory with --data"}}
}

// ReadQuarantine gives the rows in quarantine that an adapter left in its state directory, in the order of their lines. The
// department's key opens them.
func ReadQuarantine(dir string, departmentKey []byte) ([]*Quarantined, error) {
	locked, err := newSafe(departmentKey)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(dir, quarantineFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, neverRun(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read quarantine: %w", err)
	}
	defer f.Close()
	return readQuarantine(f, locked)
}

func readQuarantine(r io.Reader, locked *safe) ([]*Quarantined, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	rows := []*Quarantined{}
	for lines.Scan() {
		id, sealed, ok := cutLine(lines.Bytes())
		if !ok {
			return nil, fmt.Errorf("read quarantine: a line is damaged")
		}
		q, err := locked.unlock(id, sealed)
		if err != nil {
			return nil, err
		}
		rows = append(rows, q)
	}
	slices.SortFunc(rows, func(a, b *Quarantined) int { return a.Line - b.Line })
	return rows, lines.Err()
}

func cutLine(line []byte) (id [16]byte, sealed []byte, ok bool) {
	if len(line) < 33 || line[32] != ' ' {
		return id, nil, false
	}
	if _, err := hex.Decode(id[:], line[:32]); err != nil {
		return id, nil, false
	}
	sealed, err := base64.StdEncoding.AppendDecode(nil, line[33:])
	return id, sealed, err == nil
}

// snapshot leaves status and quarantine for others to read.
func (r *Runner) snapshot() error {
	status, err := json.Marshal(Status{Coverage: r.coverage(), Last: r.state.meta.Last})
	if err != nil {
		return fmt.Errorf("write adapter status: %w", err)
	}
	err = replace(filepath.Join(r.cfg.StateDir, quarantineFile), func(w io.Writer) error {
		return r.state.scan(prefixQuarantine, func(key, value []byte) error {
			_, err := fmt.Fprintf(w, "%x %s\n", key, base64.StdEncoding.EncodeToString(value))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("write quarantine: %w", err)
	}
	return replace(filepath.Join(r.cfg.StateDir, statusFile), func(w io.Writer) error {
		_, err := w.Write(status)
		return err
	})
}

// replace writes a file whole or leaves the old one.
func replace(path string, content func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	w := bufio.NewWriter(f)
	if err := errors.Join(content(w), w.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
