package envelope_test

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
)

const guid = "0011aabb-ccdd-eeff-0123-456789abcdef"

var at = time.Date(2026, 11, 23, 10, 2, 11, 5000, time.UTC)

func pair(t testing.TB, adapter exchange.Adapter) (*envelope.Sealer, *envelope.Opener) {
	t.Helper()
	private, public, err := envelope.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	sealer, err := envelope.NewSealer(adapter, bytes.Repeat([]byte{7}, 32), public)
	if err != nil {
		t.Fatal(err)
	}
	opener, err := envelope.NewOpener(private)
	if err != nil {
		t.Fatal(err)
	}
	return sealer, opener
}

func record(t testing.TB, s *envelope.Sealer) (envelope.Draft, exchange.Message) {
	t.Helper()
	draft := envelope.Draft{Type: "business-licence", ID: s.RecordID("business-licence", "91430281000000019C"), Version: 42,
		Schema: guid, Payload: []byte(`{"name":"醴陵瓷厂"}`), At: at}
	batch, err := s.Batch()
	if err != nil {
		t.Fatal(err)
	}
	m, err := batch.Record(draft)
	if err != nil {
		t.Fatal(err)
	}
	return draft, m
}

func TestRecordComesBackAsItWent(t *testing.T) {
	sealer, opener := pair(t, "scjg/licences")
	draft, m := record(t, sealer)
	opened, err := opener.Record(&m)
	if err != nil {
		t.Fatal(err)
	}
	draft.Digest = sealer.Digest(draft.Payload)
	if !reflect.DeepEqual(opened.Draft, draft) || opened.Adapter != "scjg/licences" {
		t.Errorf("opened %+v, want %+v", opened, draft)
	}
	if bytes.Contains(m.Value, []byte("醴陵")) {
		t.Error("the payload is readable in the sealed value")
	}
}

func TestWithdrawnRecordHasNoPayloadButIsNoTombstone(t *testing.T) {
	sealer, opener := pair(t, "scjg/licences")
	batch, _ := sealer.Batch()
	m, err := batch.Record(envelope.Draft{Type: "business-licence", Schema: guid, Version: 1, Withdrawn: true, At: at})
	if err != nil {
		t.Fatal(err)
	}
	opened, err := opener.Record(&m)
	if err != nil || !opened.Withdrawn || len(opened.Payload) != 0 {
		t.Fatalf("opened %+v, %v", opened, err)
	}
	if m.Value == nil {
		t.Error("a withdrawal without a value would be compacted away with its record")
	}
}

func TestWhateverIsChangedIsRefused(t *testing.T) {
	sealer, opener := pair(t, "scjg/licences")
	draft, _ := record(t, sealer)
	draft.Payload = []byte(`{"name":"another"}`)
	batch, _ := sealer.Batch()
	other, err := batch.Record(draft)
	if err != nil {
		t.Fatal(err)
	}
	header := func(name, value string) func(*exchange.Message) {
		return func(m *exchange.Message) {
			for i := range m.Headers {
				if m.Headers[i].Name == name {
					m.Headers[i].Value = []byte(value)
				}
			}
		}
	}
	changes := map[string]func(*exchange.Message){
		"moved to another topic": func(m *exchange.Message) { m.Topic = "evidence.food-licence" },
		"another record":         func(m *exchange.Message) { m.Key = append([]byte{}, m.Key...); m.Key[0] ^= 1 },
		"another version":        func(m *exchange.Message) { m.Key = append([]byte{}, m.Key...); m.Key[23] ^= 1 },
		"shorter key":            func(m *exchange.Message) { m.Key = m.Key[:23] },
		"another adapter":        header("ce_source", "/gaj/licences"),
		"no adapter":             header("ce_source", "/../etc"),
		"another kind":           header("ce_type", "yimen.record.withdrawn"),
		"unknown kind":           header("ce_type", "yimen.record.blessed"),
		"another time":           header("ce_time", "2026-11-24T10:02:11Z"),
		"no time":                header("ce_time", "yesterday"),
		"another digest":         header("ce_contentdigest", strings.Repeat("00", 32)),
		"digest too long":        header("ce_contentdigest", strings.Repeat("00", 4000)),
		"another schema":         header("__value_schema_id", "\x01"+strings.Repeat("x", 16)),
		"short schema":           header("__value_schema_id", "\x01x"),
		"flipped ciphertext":     func(m *exchange.Message) { m.Value[len(m.Value)-20] ^= 1 },
		"flipped batch key":      func(m *exchange.Message) { m.Value[5] ^= 1 },
		"flipped format":         func(m *exchange.Message) { m.Value[0] = 2 },
		"truncated":              func(m *exchange.Message) { m.Value = m.Value[:50] },
		"empty":                  func(m *exchange.Message) { m.Value = nil },
		"another record's value": func(m *exchange.Message) { m.Value = other.Value },
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			_, m := record(t, sealer)
			change(&m)
			if opened, err := opener.Record(&m); err == nil {
				t.Errorf("opened %+v", opened)
			}
		})
	}
	t.Run("another exchange's key", func(t *testing.T) {
		_, stranger := pair(t, "scjg/licences")
		_, m := record(t, sealer)
		if _, err := stranger.Record(&m); !errors.Is(err, envelope.ErrNotGenuine) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRejectionComesBackAsItWent(t *testing.T) {
	sealer, opener := pair(t, "gaj/permits")
	want := envelope.Rejection{Adapter: "gaj/permits", Type: "residence-permit", Row: [16]byte{1, 2}, Line: 88, Code: "YM-ID-0102",
		Holders: []exchange.Holder{{Kind: exchange.Person, Number: "430281199001010017"}}, Columns: []string{"姓名"}, Values: []string{"张晓朙"}, At: at}
	batch, _ := sealer.Batch()
	m, err := batch.Rejection(want)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range m.Headers {
		if bytes.Contains(h.Value, []byte("430281")) || bytes.Contains(h.Value, []byte("张")) {
			t.Errorf("header %s tells of the person", h.Name)
		}
	}
	got, err := opener.Rejection(&m)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	m.Headers[6].Value = []byte("YM-ID-0101")
	if _, err := opener.Rejection(&m); !errors.Is(err, envelope.ErrNotGenuine) {
		t.Errorf("changed reason: %v", err)
	}
	tombstone := envelope.Resolution("gaj", want.Row)
	if _, err := opener.Rejection(&tombstone); err == nil {
		t.Error("a tombstone opened as a rejection")
	}
}

func TestIdsDependOnTypeAndDepartment(t *testing.T) {
	a, _ := pair(t, "scjg/a")
	_, public, _ := envelope.GenerateKey()
	b, err := envelope.NewSealer("scjg/a", bytes.Repeat([]byte{8}, 32), public)
	if err != nil {
		t.Fatal(err)
	}
	first, again := a.RecordID("x", "1"), a.RecordID("x", "1")
	stable := first == again
	if first == a.RecordID("y", "1") || a.RecordID("x", "1") == b.RecordID("x", "1") || !stable {
		t.Error("record id does not follow from key, type and number alone")
	}
	if a.RowID("x", []string{"a", "bc"}) == a.RowID("x", []string{"ab", "c"}) {
		t.Error("rows with other columns have one id")
	}
}

func TestKeysOfWrongSizeAreRefused(t *testing.T) {
	_, public, _ := envelope.GenerateKey()
	if _, err := envelope.NewSealer("a/b", []byte("short"), public); err == nil {
		t.Error("short department key accepted")
	}
	for name, wrong := range map[string][]byte{"short": public[:31], "unmarked": public[len(public)-32:], "some secret": make([]byte, 32), "empty": nil, "longer": append(public, 0)} {
		if _, err := envelope.NewSealer("a/b", make([]byte, 32), wrong); err == nil {
			t.Errorf("public key accepted: %s", name)
		}
	}
	if _, err := envelope.NewOpener([]byte("no key")); err == nil {
		t.Error("short private key accepted")
	}
}

func FuzzOpen(f *testing.F) {
	sealer, opener := pair(f, "scjg/licences")
	_, m := record(f, sealer)
	f.Add(m.Key, m.Value, m.Header("ce_source"), m.Header("ce_time"), m.Header("ce_contentdigest"), m.Header("__value_schema_id"))
	f.Fuzz(func(t *testing.T, key, value []byte, source, when, digest, schema string) {
		changed := exchange.Message{Topic: m.Topic, Key: key, Value: value, Headers: []exchange.Header{
			{Name: "ce_type", Value: []byte("yimen.record.stated")}, {Name: "ce_id", Value: []byte(m.Header("ce_id"))},
			{Name: "ce_source", Value: []byte(source)}, {Name: "ce_time", Value: []byte(when)},
			{Name: "ce_contentdigest", Value: []byte(digest)}, {Name: "__value_schema_id", Value: []byte(schema)}}}
		opened, err := opener.Record(&changed)
		if err == nil && !bytes.Equal(opened.Payload, []byte(`{"name":"醴陵瓷厂"}`)) {
			t.Errorf("opened something that was never sealed")
		}
	})
}

func BenchmarkSealAndOpen(b *testing.B) {
	sealer, opener := pair(b, "scjg/licences")
	batch, _ := sealer.Batch()
	draft := envelope.Draft{Type: "business-licence", Schema: guid, Payload: bytes.Repeat([]byte("x"), 500), At: at}
	b.ReportAllocs()
	for b.Loop() {
		m, err := batch.Record(draft)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := opener.Record(&m); err != nil {
			b.Fatal(err)
		}
	}
}
