package demo

import (
	"bufio"
	"embed"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

//go:embed manifests/*.yaml README.txt
var written embed.FS

// Tally is what was put into one file, so that a test can compare it with what came out of the exchange.
type Tally struct {
	Adapter  exchange.Adapter
	Type     exchange.EvidenceType
	File     string // relative to the city's folder; the manifest lies beside it, with the ending .yaml
	Rows     int    // with the spoilt ones, without the header
	Spoilt   map[Flaw]int
	Nameless int // spoilt rows in which the number of a holder cannot be read any more
	// Partial says that the manifest does not claim completeness: who is not found is 暂查不到, not 需提交.
	Partial bool
}

// Bad is how many rows belong into quarantine.
func (t *Tally) Bad() int {
	bad := 0
	for _, n := range t.Spoilt {
		bad += n
	}
	return bad
}

// Tallies counts what Write writes, file by file. It takes about as long.
func (c *City) Tallies() []Tally {
	tallies := make([]Tally, len(c.registers))
	for i := range c.registers {
		r := &c.registers[i]
		tallies[i], _ = c.rows(r, io.Discard, func(int) {}) // nothing is written, so nothing can fail
	}
	return tallies
}

// Write writes a folder for each department into dir, with its exports and an adapter manifest beside each. Files appear
// whole or not at all, and bear the city's time. progress, where given, is told how many of the people and companies
// have been gone through, over all files.
func (c *City) Write(dir string, progress func(done, total int)) error {
	done, total := 0, 0
	for i := range c.registers {
		total += c.units(&c.registers[i])
	}
	step := func(n int) {
		done += n
		if progress != nil {
			progress(done, total)
		}
	}
	for i := range c.registers {
		if err := c.writeRegister(dir, &c.registers[i], step); err != nil {
			return err
		}
	}
	readme, err := written.ReadFile("README.txt")
	if err != nil {
		return fmt.Errorf("read README: %w", err)
	}
	return c.file(filepath.Join(dir, "README.txt"), func(w io.Writer) error {
		_, err := w.Write(readme)
		return err
	})
}

// writeRegister writes the export, and then the manifest that describes it.
func (c *City) writeRegister(dir string, r *register, step func(int)) error {
	var tally Tally
	export := filepath.Join(dir, filepath.FromSlash(r.file()))
	if err := os.MkdirAll(filepath.Dir(export), 0o755); err != nil {
		return fmt.Errorf("make department folder: %w", err)
	}
	err := c.file(export, func(w io.Writer) (err error) {
		tally, err = c.rows(r, w, step)
		return err
	})
	if err != nil {
		return err
	}
	manifest, err := c.manifest(r, &tally)
	if err != nil {
		return err
	}
	return c.file(strings.TrimSuffix(export, ".csv")+".yaml", func(w io.Writer) error {
		_, err := io.WriteString(w, manifest)
		return err
	})
}

// file is where the register's export lies below the city's folder.
func (r *register) file() string {
	return string(r.adapter.Department()) + "/" + string(r.evidence) + ".csv"
}

// manifest is the register's manifest with the tolerances that go with the size of the file. The department bears as
// many unreadable rows as it knows its file to have.
func (c *City) manifest(r *register, t *Tally) (string, error) {
	text, err := written.ReadFile("manifests/" + string(r.evidence) + ".yaml")
	if err != nil {
		return "", fmt.Errorf("read manifest of %s: %w", r.adapter, err)
	}
	expected := t.Rows * c.spoilt / 1000
	share := min(1, max(0.05, float64(3*c.spoilt)/1000))
	return strings.NewReplacer(
		"$ROWS", strconv.Itoa(100+3*expected),
		"$SHARE", strconv.FormatFloat(share, 'f', -1, 64),
		"$UNREADABLE", strconv.Itoa(5+expected),
	).Replace(string(text)), nil
}

// stepUnits is after how many people or companies progress is told.
const stepUnits = 1000

// rows writes the register's export and counts what is in it.
func (c *City) rows(r *register, w io.Writer, step func(int)) (Tally, error) {
	t := Tally{Adapter: r.adapter, Type: r.evidence, File: r.file(), Partial: r.partial, Spoilt: map[Flaw]int{}}
	out := newTable(w, r.dialect)
	out.header(r.columns)
	units := c.units(r)
	for number := range units {
		for _, p := range c.unit(r, number) {
			out.row(p.cells)
			t.Rows++
			if p.Spoilt != "" {
				t.Spoilt[p.Spoilt]++
				if len(p.Named) < len(p.Holders) {
					t.Nameless++
				}
			}
		}
		if (number+1)%stepUnits == 0 || number+1 == units {
			step(number%stepUnits + 1)
			if out.err != nil {
				break
			}
		}
	}
	return t, out.close()
}

// file writes a file under another name first, so that nobody reads half of it.
func (c *City) file(name string, write func(io.Writer) error) (err error) {
	temporary, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*.part")
	if err != nil {
		return fmt.Errorf("begin %s: %w", filepath.Base(name), err)
	}
	defer func() {
		if err != nil {
			os.Remove(temporary.Name())
			err = fmt.Errorf("write %s: %w", filepath.Base(name), err)
		}
	}()
	buffered := bufio.NewWriterSize(temporary, 1<<18)
	if err = write(buffered); err == nil {
		err = buffered.Flush()
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err == nil {
		err = finishFile(temporary.Name(), name, c.now)
	}
	return err
}

func finishFile(temporary, name string, at time.Time) error {
	if err := os.Chmod(temporary, 0o644); err != nil {
		return err
	}
	if err := os.Chtimes(temporary, at, at); err != nil {
		return err
	}
	return os.Rename(temporary, name)
}
