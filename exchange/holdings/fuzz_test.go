package holdings

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/erasure"
)

// sample is a version with every field set.
func sample() version {
	return version{state: stated, at: time.Unix(1, 2).UTC(), logged: time.Unix(3, 4).UTC(), position: position{5, 6}, adapter: "scjg/licences",
		schema: "01234567-89ab-cdef-0123-456789abcdef", status: exchange.Valid, from: "2020-01-01", until: "2030-01-01", payload: []byte(`{"a":1}`)}
}

// withdrawal is one with hardly any.
func withdrawal() version {
	return version{state: withdrawn, at: time.Time{}, logged: time.Date(9999, 1, 1, 0, 0, 0, 999, time.UTC), schema: "s", status: exchange.Withdrawn, payload: []byte{}}
}

func TestVersionComesBackAsItWent(t *testing.T) {
	for _, want := range []version{sample(), withdrawal(), {state: others, position: position{1 << 20, 1 << 50}}} {
		b := want.append(nil)
		got, err := readVersion(b, &names{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for n := range len(b) - len(want.payload) {
			if _, err := readVersion(b[:n], &names{}); err == nil {
				t.Errorf("the first %d of %d bytes are read as a version", n, len(b))
			}
		}
	}
}

func traces() []trace {
	w := withdrawal()
	return []trace{
		{state: stated, position: position{1, 2}, content: [16]byte{3}, size: 4, holders: []token{{5}, {6}}, more: []token{{7}}},
		{state: stated},
		{state: withdrawn, more: []token{{8}}, withdrawal: &w},
	}
}

func TestTraceComesBackAsItWent(t *testing.T) {
	for _, want := range traces() {
		b := want.append(nil)
		got, err := readTrace(b, &names{})
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for n := range b {
			if _, err := readTrace(b[:n], &names{}); err == nil {
				t.Errorf("the first %d of %d bytes are read as a trace", n, len(b))
			}
		}
		if _, err := readTrace(append(b, 0), &names{}); err == nil && want.state == stated {
			t.Error("a trace with something after it is read")
		}
	}
}

func FuzzVersion(f *testing.F) {
	for _, v := range []version{sample(), withdrawal(), {state: others}} {
		f.Add(v.append(nil))
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := readVersion(b, &names{})
		if err != nil {
			return
		}
		again, err := readVersion(v.append(nil), &names{})
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("read %+v, written and read again %+v, %v", v, again, err)
		}
	})
}

func FuzzTrace(f *testing.F) {
	for _, t := range traces() {
		f.Add(t.append(nil))
	}
	f.Add(bytes.Repeat([]byte{1}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := readTrace(b, &names{})
		if err != nil {
			return
		}
		again, err := readTrace(one.append(nil), &names{})
		if err != nil || !reflect.DeepEqual(again, one) {
			t.Errorf("read %+v, written and read again %+v, %v", one, again, err)
		}
	})
}

func FuzzCoverage(f *testing.F) {
	f.Add([]byte(`{"adapter":"scjg/licences","type":"business-licence","holders":{"kind":"org","divisions":["43"]},"alive":"2026-11-23T12:00:00Z","complete_up_to":"2026-11-23T11:00:00Z","end":{"0":12},"read":1,"published":1,"quarantined":0,"unreadable":0,"tolerance":0}`))
	f.Add([]byte(`{"adapter":"scjg/licences","type":"business-licence","alive":"9999-12-31T23:59:59.999999999-23:59"}`))
	f.Add([]byte(`{"end":{"00":1}}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCoverage(b)
		if err != nil {
			return
		}
		st := statement{Coverage: c, Since: c.Alive, Learned: time.Unix(0, 0).UTC(), Heard: time.Unix(0, 0).UTC()}
		again, err := readStatement(encode(st))
		if err != nil || !again.repeats(&st) || !again.Coverage.Alive.Equal(c.Alive) || again.speaker() != st.speaker() {
			t.Errorf("read %+v, kept and read again %+v, %v", st, again, err)
		}
		if s, ok := readSpeaker(speakerKey(st.speaker())); !ok || s != st.speaker() {
			t.Errorf("speaker %v became %v", st.speaker(), s)
		}
	})
}

// FuzzRows gives every other reader of rows and keys bytes that this package has not written.
func FuzzRows(f *testing.F) {
	mark := markKey(token{1}, "a", "b/c", [16]byte{2}, position{3, 4})
	f.Add(mark)
	f.Add(mark[StemSize:])
	f.Add(viewKey(token{1}, record{Type: "a", ID: exchange.RecordID{2}}, 3)[StemSize:])
	f.Add(recordKey(record{Type: "a", ID: exchange.RecordID{1}}, 2))
	f.Add(owedKey("evidence.a", []byte("k")))
	f.Add(purgeKey(1, []byte("r")))
	f.Add(encode(given{Order: erasure.Order{ID: "01JDC5V7YK0000000000000000", Kind: erasure.Lift, Lifts: "01JDC5V7YK0000000000000001",
		At: time.Unix(1, 0).UTC(), By: "a", Basis: "b"}}))
	f.Add(placeKey("evidence.a", 3))
	f.Add(speakerKey(speaker{"a/b", "c"}))
	f.Add(encode(place{Next: 3, Refused: map[Reason]int64{notOpened: 1}}))
	f.Add(encode(quarantined{Marks: [][]byte{mark}}))
	f.Add(encode(Refusal{Topic: "evidence.a", Reason: notOpened}))
	f.Add(resolution{position{1, 2}, time.Unix(3, 4)}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := readPlace(b); err == nil && p.Next < 0 {
			t.Error("a negative place")
		}
		if q, err := readQuarantined(b); err == nil {
			for _, m := range q.Marks {
				if !sameMark(m, m) {
					t.Error("a mark is not itself")
				}
			}
		}
		if r, open, err := readResolution(b); err == nil && !open && !bytes.Equal(r.encode(), b) {
			t.Errorf("resolution %x became %x", b, r.encode())
		}
		if topic, partition, ok := readPlaceKey(b); ok && !bytes.Equal(placeKey(topic, partition), b) {
			t.Errorf("place %x", b)
		}
		if s, ok := readSpeaker(b); ok && !bytes.Equal(speakerKey(s), b) {
			t.Errorf("speaker %x", b)
		}
		if evidence, id, v, ok := readView(b); ok && !bytes.Equal(viewKey(token{}, record{Type: exchange.EvidenceType(evidence), ID: id}, v)[StemSize:], b) {
			t.Errorf("view %x", b)
		}
		if m, ok := readMark(b); ok && !bytes.Equal(markKey(token{}, exchange.EvidenceType(m.evidence), exchange.Adapter(m.adapter), m.row, m.opened)[StemSize:], b) {
			t.Errorf("mark %x", b)
		}
		if evidence, id, v, ok := readRecordKey(b); ok && !bytes.Equal(recordKey(record{Type: exchange.EvidenceType(evidence), ID: id}, v), b) {
			t.Errorf("record %x", b)
		}
		if topic, key, ok := readOwed(b); ok && !bytes.Equal(owedKey(topic, key), b) {
			t.Errorf("owed %x", b)
		}
		if g, err := readGiven(b); err == nil && g.Order.Check() != nil {
			t.Error("an order that makes no sense")
		}
		readPurge(b)
		readStatement(b)
		readRefusal(b)
	})
}

// TestFreshIsNeverSureOfWhatIsNot gives it more versions than its first filter takes.
func TestFreshIsNeverSureOfWhatIsNot(t *testing.T) {
	one := func(i int, version exchange.Version, holders ...token) []arrival {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		return []arrival{{record: record{Type: "a", ID: exchange.RecordID(sum[:16])}, number: version, holders: holders, version: version1}}
	}
	a, b := token{1, 2, 3}, token{9, 8}
	var none *fresh
	if none.meet(one(1, 1, a))[0] != unsure {
		t.Error("without filters something is sure")
	}
	none.learn(nil)
	none.forget(record{})
	f := newFresh()
	unsureOf := map[outlook]int{}
	n := freshFirst + 5000
	fold := func(all []arrival, everyone ...token) outlook {
		o := f.meet(all)[0]
		f.learn([]dossier{{record: all[0].record, outlook: o, latest: trace{holders: everyone}}})
		return o
	}
	for i := range n {
		unsureOf[fold(one(i, 1, a, b), a, b)]++
	}
	if len(f.versions) != 2 || unsureOf[unsure] > n/50 || unsureOf[familiar] > 0 {
		t.Errorf("%d filters; of %d new records %v", len(f.versions), n, unsureOf)
	}
	for i := range n {
		if f.meet(one(i, 1, a, b))[0] != unsure {
			t.Fatalf("version 1 of record %d is new again", i)
		}
	}
	for name, row := range map[string]struct {
		all  []arrival
		want outlook
	}{
		"the same holders":          {one(0, 2, b, a), familiar},
		"one of them":               {one(1, 2, a), unsure},
		"one more":                  {one(2, 2, a, b, token{4}), unsure},
		"nobody":                    {one(3, 2), unsure},
		"a withdrawal":              {[]arrival{{record: one(4, 0)[0].record, number: 2, version: version{state: withdrawn}}}, unsure},
		"another type's of that id": {[]arrival{{record: record{Type: "b", ID: one(5, 0)[0].record.ID}, number: 2, holders: []token{a, b}, version: version1}}, first},
	} {
		if got := f.meet(row.all)[0]; got != row.want {
			t.Errorf("%s: %v, want %v", name, got, row.want)
		}
	}
	f.forget(one(6, 0)[0].record)
	if f.meet(one(6, 2, a, b))[0] != unsure || f.meet(one(6, 3))[0] != unsure {
		t.Error("after somebody was taken out it is sure whom the record names")
	}
	f.most = len(f.named) // the table is full
	for i := n; i < n+1000; i++ {
		if o := fold(one(i, 1, a), a); o == familiar {
			t.Fatal("a record beyond the table is familiar")
		}
	}
	for i := n; i < n+1000; i++ {
		if o := f.meet(one(i, 2, a))[0]; o != unsure {
			t.Fatalf("the second version of a record beyond the table: %v", o)
		}
	}
	if f.meet(one(0, 3, a, b))[0] != familiar {
		t.Error("a full table has forgotten what it had")
	}
}

var version1 = version{state: stated}
