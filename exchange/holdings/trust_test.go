package holdings_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/envelope/envelopetest"
	"github.com/onedoor/yimen/exchange/holdings"
)

// signedBy makes a sealer of an adapter that signs with a certificate that is not its own, or not valid.
func (w *world) signedBy(a exchange.Adapter, signer envelope.Signer) *envelope.Sealer {
	w.t.Helper()
	s, err := envelope.NewSealer(envelope.SealerConfig{Adapter: a, DepartmentKey: make([]byte, 32), Signer: signer,
		ExchangeKey: w.trust.PublicKey(envelope.Standard), Clock: func() time.Time { return noon }})
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

// kinds makes one message of each kind that the index believes, as the sealer would.
func (w *world) kinds(s *envelope.Sealer) map[string]exchange.Message {
	w.t.Helper()
	schema, _ := w.schemas.ByType(licence)
	batch := s.Batch()
	record, err := batch.Record(envelope.Draft{Type: licence, ID: s.RecordID(licence, "1"), Version: 7, Schema: schema.ID, At: noon,
		Payload: document(statement{of: licence, holders: []string{company(1)}, name: "伪造"})})
	row, err2 := batch.Rejection(envelope.Rejection{Type: licence, Row: [16]byte{1}, Code: "YM-ID-0101", Holders: []exchange.Holder{holder(company(1))}, At: noon})
	claim := said(9, 0)
	claim.Adapter = "scjg/licences"
	covered, err3 := batch.Statement(claim)
	if err := errors.Join(err, err2, err3); err != nil {
		w.t.Fatal(err)
	}
	resolved := batch.Resolution([16]byte{1}, noon)
	envelopetest.Sign(batch, &record, &row, &covered, &resolved)
	return map[string]exchange.Message{"record": record, "rejection": row, "coverage": covered, "resolution": resolved}
}

// TestNobodyElseIsBelieved has every way in which a message of another, or of a certificate that no longer counts, could come.
// What stands so far must stay as it is.
func TestNobodyElseIsBelieved(t *testing.T) {
	ever := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	forgers := map[string]func(*world) *envelope.Sealer{
		"another department":  func(w *world) *envelope.Sealer { return w.signedBy("scjg/licences", w.trust.Signer("mzj/marriages")) },
		"another of the same": func(w *world) *envelope.Sealer { return w.signedBy("scjg/licences", w.trust.Signer("scjg/archive")) },
		"nobody's certificate": func(w *world) *envelope.Sealer {
			return w.signedBy("scjg/licences", envelopetest.NewRoll().Signer("gaj/x"))
		},
		"not valid yet": func(w *world) *envelope.Sealer {
			return w.signedBy("scjg/licences", w.trust.Enrol("scjg/licences", envelope.Standard, noon.Add(time.Second), ever))
		},
		"not valid any more": func(w *world) *envelope.Sealer {
			return w.signedBy("scjg/licences", w.trust.Enrol("scjg/licences", envelope.Standard, time.Time{}, noon.Add(-time.Second)))
		},
		"revoked when written": func(w *world) *envelope.Sealer { return w.revoked(noon) },
		"revoked long ago":     func(w *world) *envelope.Sealer { return w.revoked(noon.Add(-time.Hour)) },
		"signature of the wrong key": func(w *world) *envelope.Sealer {
			return w.signedBy("scjg/licences", impostor{w.trust.Signer("mzj/marriages"), w.trust.Signer("scjg/licences")})
		},
	}
	for name, forger := range forgers {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.fold(w.heartbeat(said(1, 0)))
			w.state(statement{of: licence, natural: company(1), version: 1, holders: []string{company(1)}, name: "真"})
			w.fold(w.rejection(envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}))
			before := w.find(company(1), licence)
			forged := w.kinds(forger(w))
			for _, m := range forged {
				w.fold(m)
			}
			if n := w.index.Counts().Refused; n["not_signed"] != int64(len(forged)) || len(n) != 1 {
				t.Errorf("refused %v", n)
			}
			refused, err := w.index.Refused(t.Context())
			if err != nil || len(refused) != len(forged) || slices.ContainsFunc(refused, func(r holdings.Refusal) bool { return r.Code[:7] != "YM-SIG-" }) {
				t.Errorf("listed %+v, %v", refused, err)
			}
			after := w.find(company(1), licence)
			if len(after.Records) != 1 || after.Records[0].Version != before.Records[0].Version {
				t.Errorf("records %+v", after.Records)
			}
			s := after.Sources
			if len(s) != 1 || !s[0].Alive.Equal(before.Sources[0].Alive) || !s[0].HolderQuarantined {
				t.Errorf("sources %+v", s)
			}
		})
	}
}

// revoked seals with a certificate that was revoked as of then.
func (w *world) revoked(as time.Time) *envelope.Sealer {
	signer := w.trust.Enrol("scjg/licences", envelope.Standard, time.Time{}, noon.Add(time.Hour))
	w.trust.Revoke(signer.ID, as)
	return w.signedBy("scjg/licences", signer)
}

// impostor signs with one key and names another's certificate.
type impostor struct{ signs, named *envelopetest.Signer }

func (i impostor) Sign(message []byte) ([]byte, envelope.SignerID, error) {
	made, _, err := i.signs.Sign(message)
	return made, i.named.ID, err
}

// TestWhatWasWrittenBeforeTheRevocationStands: evidence does not lose its worth with the certificate that signed it.
func TestWhatWasWrittenBeforeTheRevocationStands(t *testing.T) {
	w := newWorld(t)
	for _, m := range w.kinds(w.revoked(noon.Add(time.Second))) {
		w.fold(m)
	}
	if n := w.index.Counts().Refused; len(n) != 0 {
		t.Errorf("refused %v", n)
	}
	if w.records(company(1)) == "" {
		t.Error("the record is not there")
	}
}

// TestOldStatementsOfItsOwnAreNotTakenAgain: what an adapter signed once is not believed at another time.
func TestOldStatementsOfItsOwnAreNotTakenAgain(t *testing.T) {
	w := newWorld(t)
	now := noon
	w.trust.Clock = func() time.Time { return now }
	w.fold(w.heartbeat(said(1, 0)))
	row := envelope.Rejection{Adapter: "scjg/licences", Type: licence, Row: [16]byte{1}, Holders: []exchange.Holder{holder(company(1))}, At: noon}
	first := w.rejection(row)
	now = noon.Add(time.Second)
	resolved := w.resolution("scjg/licences", row.Row)
	now = noon.Add(2 * time.Second)
	again := w.rejection(row)
	w.fold(first, resolved, again, resolved)
	claims := said(2, 0)
	claims.Rejected = map[int]int64{0: 4}
	w.fold(w.heartbeat(claims))
	if !w.find(company(1), licence).Sources[0].HolderQuarantined {
		t.Error("the resolution of the first rejection resolved the second")
	}
	if n := w.index.Counts().Refused; n["replayed"] != 1 || len(n) != 1 {
		t.Errorf("refused %v", n)
	}
	now = noon.Add(3 * time.Second)
	w.fold(w.resolution("scjg/licences", row.Row))
	since := said(5, 0)
	since.Rejected = map[int]int64{0: w.ends["quarantine.scjg"][0]}
	w.fold(w.heartbeat(since))
	if w.find(company(1), licence).Sources[0].HolderQuarantined {
		t.Error("it is not resolved")
	}
}

// waiting is a directory that cannot say anything yet.
type waiting struct {
	envelope.Directory
	err error
}

func (d *waiting) Signatory(ctx context.Context, id envelope.SignerID) (envelope.Signatory, bool, error) {
	if d.err != nil {
		return envelope.Signatory{}, false, d.err
	}
	return d.Directory.Signatory(ctx, id)
}

// TestFoldingWaitsForTheDirectory: while it is not known who signed, nothing is refused and nothing passed over.
func TestFoldingWaitsForTheDirectory(t *testing.T) {
	w := newWorld(t)
	behind := &waiting{Directory: w.trust.Roll, err: errors.New("the roll is not read yet")}
	opener, err := envelope.NewOpener(envelope.OpenerConfig{Secrets: w.trust.Secrets, Directory: behind})
	if err != nil {
		t.Fatal(err)
	}
	config := w.config()
	config.Opener = opener
	if w.index, err = holdings.New(config); err != nil {
		t.Fatal(err)
	}
	for name, m := range w.kinds(w.sealer("scjg/licences")) {
		msgs := w.append(m)
		if err := w.index.Fold(t.Context(), msgs); !errors.Is(err, behind.err) {
			t.Fatalf("%s: %v", name, err)
		}
		if next, _ := w.index.Next(t.Context(), m.Topic); next[0] > msgs[0].Offset {
			t.Errorf("%s was passed over", name)
		}
		cause := behind.err
		behind.err = nil
		if err := w.index.Fold(t.Context(), msgs); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		behind.err = cause
	}
	if n := w.index.Counts(); len(n.Refused) != 0 || n.Records[licence] != 1 {
		t.Errorf("%+v", n)
	}
}
