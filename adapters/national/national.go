// Package national reads a service of the national data sharing platform (国家数据共享交换平台) page by page.
//
// Whoever calls a service there says who it is in four values, signed with a request secret that runs out; a refresh, signed with the
// app key that the department was given, brings the next one. Provincial platforms that copied the convention under a prefix of their own are
// read the same way. The app key lies in a file that only its owner may read, never in the manifest.
//
// A reading fetches every page before it yields the first row: what breaks off half-way, or changes meanwhile, is no reading.
package national

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"time"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/adapters"
	"github.com/onedoor/yimen/adapters/mapping"
)

// Kind is the source.kind of manifests that this package reads.
const Kind = "national"

// Source is one service of the platform.
type Source struct {
	line     *line
	own      settings
	complete bool
	meaning  string // of the manifest: with another one the service is read anew
	columns  []string
	clock    func() time.Time
}

// patience bounds one call.
const patience = time.Minute

// New calls nobody yet: it takes from the manifest what a reading needs, and says what is wrong with it.
func New(m *adapters.Manifest, clock func() time.Time) (*Source, error) {
	own := defaults()
	if err := m.Source.Decode(&own); err != nil {
		return nil, err
	}
	if err := check(m, own); err != nil {
		return nil, err
	}
	key, err := appKey(m.Path(own.AppKeyFile))
	if err != nil {
		return nil, err
	}
	rules, err := mapping.Compile(m.Mapping, m.Absent)
	if err != nil {
		return nil, err
	}
	direct := &http.Client{Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }} // signatures go nowhere else
	return &Source{
		line: &line{http: direct, call: own.URL, refresh: own.RefreshURL, requester: own.Requester, service: own.Service, prefix: own.Prefix, appKey: key, clock: clock},
		own:  own, complete: m.Source.Complete, meaning: m.Hash(), columns: rules.Columns(), clock: clock,
	}, nil
}

// place is the note of a service that was read to its end.
type place struct {
	Digest  string `json:"digest"` // of all rows
	Meaning string `json:"meaning"`
}

// Read yields every row of the service. See adapters.Source.
func (s *Source) Read(ctx context.Context, from adapters.Place, yield func(adapters.Row) error) (adapters.Reading, error) {
	started := s.clock()
	rows, err := s.fetch(ctx)
	if err != nil {
		return adapters.Reading{}, s.explained(ctx, err)
	}
	here := place{digest(rows), s.meaning}
	reading := adapters.Reading{Complete: s.complete, UpTo: started}
	if reading.Place, err = json.Marshal(here); err != nil {
		return adapters.Reading{}, err
	}
	var before place
	if json.Unmarshal(from, &before) == nil && before == here {
		reading.Unchanged = true
		return reading, nil
	}
	if err := s.lacking(rows); err != nil {
		return adapters.Reading{}, err
	}
	for i, row := range rows {
		if err := ctx.Err(); err != nil {
			return adapters.Reading{}, err
		}
		if err := yield(s.row(i+1, row, started)); err != nil {
			return adapters.Reading{}, err
		}
	}
	return reading, nil
}

// maxHeld bounds what a reading holds, in bytes.
const maxHeld = 512 << 20

// fetch brings all rows: up to the total that the service says, or else up to a page without any.
func (s *Source) fetch(ctx context.Context) (all []jsontext.Value, err error) {
	held, total := 0, -1
	for number := 1; total < 0 || len(all) < total; number++ {
		p, err := s.page(ctx, number)
		if err != nil {
			return nil, err
		}
		if number > 1 && p.total != total || p.total >= 0 && len(all)+len(p.rows) > p.total {
			return nil, errChanged
		}
		if total = p.total; len(p.rows) == 0 {
			break
		}
		if len(all) >= len(p.rows) && string(all[len(all)-len(p.rows)]) == string(p.rows[0]) && string(all[len(all)-1]) == string(p.rows[len(p.rows)-1]) {
			return nil, errSamePage
		}
		all = append(all, p.rows...)
		for _, row := range p.rows {
			held += len(row)
		}
		if held > maxHeld {
			return nil, errTooMuch
		}
	}
	if total >= 0 && len(all) < total {
		return nil, errChanged
	}
	return all, nil
}

func (s *Source) page(ctx context.Context, number int) (p page, err error) {
	parameters := map[string]any{s.own.Page: number, s.own.PageSize: s.own.Size}
	for name, value := range s.own.Parameters {
		parameters[name] = value
	}
	err = s.line.ask(ctx, parameters, func(answer []byte) (err error) {
		p, err = parsePage(answer, jsontext.Pointer(s.own.Rows), jsontext.Pointer(s.own.Total))
		return err
	})
	return p, err
}

// row makes a row of an object. The columns are those that the mapping uses.
func (s *Source) row(number int, from jsontext.Value, at time.Time) adapters.Row {
	row := adapters.Row{Line: number, Columns: s.columns, Values: make([]string, len(s.columns)), AsOf: at}
	var object map[string]jsontext.Value
	if gojson.Unmarshal(from, &object) != nil {
		row.Damage = notAnObject()
		return row
	}
	for i, column := range s.columns {
		row.Values[i] = cell(object[column])
	}
	return row
}

// digest is of the rows as they came, in their order.
func digest(rows []jsontext.Value) string {
	sum := sha256.New()
	for _, row := range rows {
		sum.Write(row)
		sum.Write([]byte{'\n'})
	}
	return hex.EncodeToString(sum.Sum(nil))
}
