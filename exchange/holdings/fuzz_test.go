package holdings

import (
	"bytes"
	"crypto/sha256"
	"reflect"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// sample is a version with every field set.
func sample() version {
	return version{digest: exchange.Digest{1}, at: time.Unix(1, 2).UTC(), logged: time.Unix(3, 4).UTC(), position: position{5, 6},
		evidence: "business-licence", adapter: "scjg/licences", schema: "s", status: exchange.Valid, from: "2020-01-01", until: "2030-01-01",
		holders: []token{{7}, {8}}, payload: []byte(`{"a":1}`)}
}

func TestVersionComesBackAsItWent(t *testing.T) {
	withdrawn := version{withdrawn: true, at: time.Time{}, logged: time.Date(9999, 1, 1, 0, 0, 0, 999, time.UTC), status: exchange.Withdrawn, holders: []token{}, payload: []byte{}}
	for _, want := range []version{sample(), withdrawn} {
		b := want.append(nil)
		got, err := readVersion(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
		for n := range len(b) - len(want.payload) {
			if _, err := readVersion(b[:n]); err == nil {
				t.Errorf("the first %d of %d bytes are read as a version", n, len(b))
			}
		}
	}
}

func FuzzVersion(f *testing.F) {
	v := sample()
	f.Add(v.append(nil))
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 200))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := readVersion(b)
		if err != nil {
			return
		}
		again, err := readVersion(v.append(nil))
		if err != nil || !reflect.DeepEqual(again, v) {
			t.Errorf("read %+v, written and read again %+v, %v", v, again, err)
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
	f.Add(pointerKey(token{1}, "a", exchange.RecordID{2})[StemSize:])
	f.Add(recordKey(exchange.RecordID{1}, "a", 2))
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
		if evidence, id, ok := readPointer(b); ok && !bytes.Equal(pointerKey(token{}, exchange.EvidenceType(evidence), id)[StemSize:], b) {
			t.Errorf("pointer %x", b)
		}
		readMark(b)
		readRecordKey(b)
		readStatement(b)
		readRefusal(b)
	})
}

func TestFreshNeverForgets(t *testing.T) {
	var none *fresh
	if none.add(recordKey(exchange.RecordID{1}, "a", 1)) {
		t.Error("without filters something is certainly new")
	}
	f := &fresh{}
	taken, n := 0, freshFirst+5000
	key := func(i int) []byte {
		sum := sha256.Sum256([]byte{byte(i), byte(i >> 8), byte(i >> 16)})
		id := exchange.RecordID(sum[:16])
		return recordKey(id, "a", exchange.Version(i%3))
	}
	for i := range n {
		if !f.add(key(i)) {
			taken++
		}
	}
	if len(f.filters) != 2 || taken > n/50 {
		t.Errorf("%d filters; %d of %d new versions are taken for known", len(f.filters), taken, n)
	}
	for i := range n {
		if f.add(key(i)) {
			t.Fatalf("version %d is new again", i)
		}
	}
}
