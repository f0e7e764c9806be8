package adapters

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/onedoor/yimen/adapters/mapping"
	"github.com/onedoor/yimen/exchange"
)

// Manifest (清单) is what a department declares of one adapter: where the data lies, how it is written, for whom it speaks,
// and how its columns become the properties of an evidence schema. It is a YAML file, written by people and kept
// under version control, so it never holds a secret. Unknown and repeated keys are refused.
type Manifest struct {
	// Adapter is the department and the adapter's name: scjg/licences.
	Adapter exchange.Adapter `yaml:"adapter"`
	// Evidence is the type of the records: business-licence.
	Evidence exchange.EvidenceType `yaml:"evidence"`
	// Source says where the data comes from.
	Source SourceSettings `yaml:"source"`
	// Dialect says how text files are written. It is declared, never guessed. Only for sources that read such files.
	Dialect Dialect `yaml:"dialect"`
	// Holders says for whom the source speaks. Default: everybody.
	Holders exchange.Scope `yaml:"holders"`
	// Tolerance says how much may be wrong before a reading is stopped.
	Tolerance Tolerance `yaml:"tolerance"`
	// Absent are the words that stand for no value, such as N/A. A blank cell always does.
	Absent []string `yaml:"absent"`
	// Every is how often a standing adapter looks at its source again. Default: 30s.
	Every time.Duration `yaml:"every"`
	// Mapping says where each property comes from.
	Mapping mapping.Rules `yaml:"mapping"`

	dir string
	at  positions
}

// SourceSettings say what kind of source it is, and what that kind needs to know.
type SourceSettings struct {
	// Kind is the kind of source: tabular.
	Kind string `yaml:"kind"`
	// Complete says that every reading has all records there are, so that one without a row is withdrawn. Default: false.
	Complete bool `yaml:"complete"`
	// settings are the keys of the kind itself; Decode reads them.
	settings map[string]any
	at       positions
}

// Dialect says how a text file is written.
type Dialect struct {
	// Encoding is utf-8 or gb18030 (which includes GBK and GB2312).
	Encoding string `yaml:"encoding" json:"encoding,omitempty"`
	// Delimiter is what stands between values: "," (default), "\t", ";" or "|".
	Delimiter string `yaml:"delimiter" json:"delimiter,omitempty"`
	// Columns is the header that is expected, in order; a file with another is refused. Default: only the columns that
	// the mapping uses must be there.
	Columns []string `yaml:"columns" json:"columns,omitempty"`
	// Glyphs says which characters private-use codes of the department's own font stand for: U+E000: 㼆. Rows with
	// other private-use codes go to quarantine.
	Glyphs map[string]string `yaml:"glyphs" json:"glyphs,omitempty"`
}

// Tolerance says how much may be wrong with a source before a reading is stopped, so that a wrong file does no harm.
type Tolerance struct {
	// Rows is how many rows of one reading may go to quarantine. Default: 1000; 0: any number.
	Rows int64 `yaml:"rows"`
	// Share is the same as a share of the rows read. Default: 0.05; 0: any share.
	Share float64 `yaml:"share"`
	// Unreadable is how many rows whose holder cannot be read leave the source complete all the same. Default: 0.
	Unreadable int64 `yaml:"unreadable"`
	// WithdrawnShare is which share of the published records one reading may withdraw. Default: 0.2.
	WithdrawnShare float64 `yaml:"withdrawn_share"`
}

// defaults is a manifest before anything was read.
func defaults() *Manifest {
	return &Manifest{
		Tolerance: Tolerance{Rows: 1000, Share: 0.05, WithdrawnShare: 0.2},
		Every:     30 * time.Second,
	}
}

// maxManifest is the size of a manifest in bytes: far more than anybody writes.
const maxManifest = 1 << 20

// LoadManifest reads and checks a manifest. Paths in it are relative to its folder.
func LoadManifest(path string) (*Manifest, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &exchange.Problem{Code: "YM-MAN-0101", Kind: exchange.NotFound,
			What: text("没有清单文件："+path, "there is no manifest "+path), Mend: text("请核对路径，或写一份清单，参见 adapters/examples", "check the path, or write one after adapters/examples")}
	case err != nil:
		return nil, unreadableManifest(path, err)
	case info.IsDir() || info.Size() > maxManifest:
		return nil, unreadableManifest(path, errors.New("not a file of at most 1 MiB"))
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, unreadableManifest(path, err)
	}
	return ParseManifest(path, content)
}

func unreadableManifest(path string, err error) error {
	return &exchange.Problem{Code: "YM-MAN-0102", Kind: exchange.Invalid, Err: err,
		What: text("无法读取清单 "+path, "cannot read manifest "+path), Mend: text("请核对文件及其权限", "check the file and its permissions")}
}

// Path is a path of the manifest, which is relative to its folder.
func (m *Manifest) Path(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(m.dir, path)
}

// Hash stands for what the manifest makes of its source: with another hash the source must be read anew. How often to look
// and how much to bear have no part in it, nor have comments and the order of keys.
func (m *Manifest) Hash() string {
	content := struct {
		Adapter  exchange.Adapter
		Evidence exchange.EvidenceType
		Kind     string
		Complete bool
		Settings map[string]any
		Dialect  Dialect
		Holders  exchange.Scope
		Absent   []string
		Mapping  mapping.Rules
	}{m.Adapter, m.Evidence, m.Source.Kind, m.Source.Complete, m.Source.settings, m.Dialect, m.Holders, m.Absent, m.Mapping}
	meaning, err := json.Marshal(content)
	if err != nil { // YAML can say .nan, which JSON cannot
		meaning = fmt.Appendf(nil, "%+v", content)
	}
	sum := sha256.Sum256(meaning)
	return hex.EncodeToString(sum[:16])
}
