package audit

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange"
)

var signatureKey = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{3}, ed25519.SeedSize))

// appended is an entry as it lies in the topic.
func appended(t testing.TB, e Entry) (k, v []byte) {
	t.Helper()
	topic := &fakeTopic{}
	l, err := New(Config{Appender: topic, Keys: always(Keys{Token: key}), Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	return topic.msgs[0].Key, topic.msgs[0].Value
}

func TestReceiptIsSigned(t *testing.T) {
	topic := &fakeTopic{}
	l, err := New(Config{Appender: topic, Keys: always(Keys{Token: key, Signature: signatureKey}), Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	receipt, err := l.Append(t.Context(), entry())
	if err != nil {
		t.Fatal(err)
	}
	public, value := signatureKey.Public().(ed25519.PublicKey), topic.msgs[0].Value
	if err := VerifyReceipt(public, receipt, value); err != nil {
		t.Fatal(err)
	}
	// Anybody can check it, by the text that the comment promises.
	text := "yimen audit receipt v1\n" + receipt.ID + "\n" + receipt.Hash + "\n2026-11-23T12:00:00.123Z\n"
	signature, err := base64.StdEncoding.DecodeString(receipt.Signature)
	if err != nil || !ed25519.Verify(public, []byte(text), signature) {
		t.Errorf("the signature is not over %q (%v)", text, err)
	}
	encoded, err := json.Marshal(receipt)
	if err != nil {
		t.Fatal(err)
	}
	var read Receipt
	if err := json.Unmarshal(encoded, &read); err != nil || VerifyReceipt(public, read, value) != nil {
		t.Errorf("after a way over JSON: %v", err)
	}
	other := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{4}, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	for name, spoil := range map[string]func(r *Receipt, public *ed25519.PublicKey, value *[]byte){
		"another key":       func(_ *Receipt, p *ed25519.PublicKey, _ *[]byte) { *p = other },
		"no key":            func(_ *Receipt, p *ed25519.PublicKey, _ *[]byte) { *p = nil },
		"another key named": func(r *Receipt, _ *ed25519.PublicKey, _ *[]byte) { r.Key = KeyName(other) },
		"another id":        func(r *Receipt, _ *ed25519.PublicKey, _ *[]byte) { r.ID = r.ID[:24] + r.ID[25:] + "Z" },
		"another hash":      func(r *Receipt, _ *ed25519.PublicKey, _ *[]byte) { r.Hash = strings.ToUpper(r.Hash) },
		"another time":      func(r *Receipt, _ *ed25519.PublicKey, _ *[]byte) { r.Time = r.Time.Add(time.Millisecond) },
		"no signature":      func(r *Receipt, _ *ed25519.PublicKey, _ *[]byte) { r.Signature = "" },
		"another signature": func(r *Receipt, _ *ed25519.PublicKey, _ *[]byte) { r.Signature = r.Signature[1:] + r.Signature[:1] },
		"another entry": func(_ *Receipt, _ *ed25519.PublicKey, v *[]byte) {
			*v = bytes.Replace(*v, []byte("w3-017"), []byte("w3-018"), 1)
		},
	} {
		r, p, v := receipt, public, value
		spoil(&r, &p, &v)
		if err := VerifyReceipt(p, r, v); !errors.Is(err, ErrReceipt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestReceiptsSignedTogether: each receipt of a group holds alone, for its own entry and by each byte of its path.
func TestReceiptsSignedTogether(t *testing.T) {
	topic := &fakeTopic{}
	unsigned, err := New(Config{Appender: topic, Keys: always(Keys{Token: key}), Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	keys, err := keysOf(Keys{Token: key, Signature: signatureKey})
	if err != nil {
		t.Fatal(err)
	}
	public := signatureKey.Public().(ed25519.PublicKey)
	for size := 2; size <= 9; size++ {
		topic.msgs = nil
		all := make([]*Receipt, size)
		for i := range all {
			r, err := unsigned.append(t.Context(), new(entry()))
			if err != nil {
				t.Fatal(err)
			}
			all[i] = &r
		}
		keys.signer.signAll(all)
		for i, r := range all {
			value := topic.msgs[i].Value
			if err := VerifyReceipt(public, *r, value); err != nil {
				t.Fatalf("receipt %d of %d: %v", i, size, err)
			}
			refusesPath(t, public, *r, value)
			other := *r
			other.ID, other.Hash = all[(i+1)%size].ID, all[(i+1)%size].Hash
			if VerifyReceipt(public, other, topic.msgs[(i+1)%size].Value) == nil {
				t.Errorf("receipt %d of %d passes for its neighbour", i, size)
			}
		}
	}
}

func refusesPath(t *testing.T, public ed25519.PublicKey, receipt Receipt, value []byte) {
	t.Helper()
	path, _ := base64.StdEncoding.DecodeString(receipt.Path)
	spoilt := bytes.Clone(path)
	spoilt[len(spoilt)-1] ^= 1
	for name, spoil := range map[string]func(r *Receipt){
		"no place":        func(r *Receipt) { r.Size, r.Index, r.Path = 0, 0, "" },
		"no path":         func(r *Receipt) { r.Path = "" },
		"another size":    func(r *Receipt) { r.Size++ },
		"another index":   func(r *Receipt) { r.Index ^= 1 },
		"an index beyond": func(r *Receipt) { r.Index = r.Size },
		"a size of one":   func(r *Receipt) { r.Size = 1 },
		"another path":    func(r *Receipt) { r.Path = base64.StdEncoding.EncodeToString(spoilt) },
		"a longer path": func(r *Receipt) {
			r.Path = base64.StdEncoding.EncodeToString(append(bytes.Clone(path), make([]byte, 32)...))
		},
		"half a hash more": func(r *Receipt) { r.Path = base64.StdEncoding.EncodeToString(append(bytes.Clone(path), 0)) },
		"no Base64":        func(r *Receipt) { r.Path = "!" },
	} {
		r := receipt
		spoil(&r)
		if err := VerifyReceipt(public, r, value); !errors.Is(err, ErrReceipt) {
			t.Errorf("receipt %d of %d, %s: %v", receipt.Index, receipt.Size, name, err)
		}
	}
}

// TestReceiptsOfOneMoment: who appends at the same time shares signatures, and everybody has one.
func TestReceiptsOfOneMoment(t *testing.T) {
	l, err := New(Config{Appender: instant{}, Keys: always(Keys{Token: key, Signature: signatureKey})})
	if err != nil {
		t.Fatal(err)
	}
	public := signatureKey.Public().(ed25519.PublicKey)
	var group sync.WaitGroup
	for range 32 {
		group.Go(func() {
			for range 50 {
				e := entry()
				if err := l.Stamp(t.Context(), &e); err != nil {
					t.Error(err)
				}
				value, err := e.encode()
				receipt, failed := l.Append(t.Context(), e)
				if err := errors.Join(err, failed, VerifyReceipt(public, receipt, value)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if keys, err := l.keys.Get(t.Context()); err != nil || keys.signer.next != nil {
		t.Error("somebody is left unsigned")
	}
}

func TestReceiptsOfConcurrentAppends(t *testing.T) {
	l, err := New(Config{Appender: instant{}, Keys: always(Keys{Token: key, Signature: signatureKey})})
	if err != nil {
		t.Fatal(err)
	}
	want := tokenOf(t, l, holder)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 200 {
				e := entry()
				if err := l.Stamp(t.Context(), &e); err != nil || e.Subject != want {
					t.Errorf("subject %q, %v", e.Subject, err)
				}
			}
		})
	}
	group.Wait()
}

func TestKinds(t *testing.T) {
	rejection := Entry{Kind: Rejection, Decision: Refused, Refusal: "YM-API-0401"}
	access := Entry{Kind: Access, Department: "zwfw", Clerk: "w3-017", Decision: Answered, Subject: strings.Repeat("0a", 32)}
	act := Entry{Kind: Act, Clerk: "admin-1", Act: "revoke", Target: "spiffe://liling/dept/scjg/clerk/w3-017"}
	for name, e := range map[string]Entry{
		"rejection":                 rejection,
		"rejection of somebody":     {Kind: Rejection, Decision: Refused, Refusal: "replayed", Department: "scjg", Clerk: "w3-017", Case: "LL-2026-1", Item: "food-licence-new", Nonce: "q83v/+=~"},
		"rejection about a receipt": {Kind: Rejection, Decision: Refused, Refusal: "YM-CPY-0203", Target: "01KAQ6M3K8ZD2W7N5YB4T9XE1C"},
		"access by token":           access,
		"access to a holder":        {Kind: Access, Department: "zwfw", Clerk: "w3-017", Decision: Answered, Holder: holder},
		"access refused":            {Kind: Access, Department: "zwfw", Clerk: "w3-017", Decision: Refused, Refusal: "not-permitted", Holder: holder},
		"act":                       act,
		"act of a department's own": {Kind: Act, Department: "scjg", Clerk: "admin-1", Act: "invite"},
	} {
		k, v := appended(t, e)
		read, err := Parse(k, v)
		if err != nil || read.Kind != e.Kind || e.Kind == Access && !ValidToken(read.Subject) {
			t.Errorf("%s: %v\n%s", name, err, v)
		}
	}
	for name, tc := range map[string]struct {
		base  Entry
		spoil func(*Entry)
	}{
		"no such kind":                 {entry(), func(e *Entry) { e.Kind = "gossip" }},
		"query that acts":              {entry(), func(e *Entry) { e.Act = "revoke" }},
		"query, number as nonce":       {entry(), func(e *Entry) { e.Nonce = number }},
		"query, text as nonce":         {entry(), func(e *Entry) { e.Nonce = "张" }},
		"query, long nonce":            {entry(), func(e *Entry) { e.Nonce = strings.Repeat("a", 129) }},
		"query, text as refusal":       {entry(), func(e *Entry) { e.Decision, e.Refusal = Refused, "王 示例" }},
		"rejection without a code":     {rejection, func(e *Entry) { e.Refusal = "" }},
		"rejection that answers":       {rejection, func(e *Entry) { e.Decision = Answered }},
		"rejection, number as code":    {rejection, func(e *Entry) { e.Refusal = "a" + number }},
		"rejection, number as item":    {rejection, func(e *Entry) { e.Item = exchange.Item("a" + number) }},
		"rejection, number for dept":   {rejection, func(e *Entry) { e.Department = exchange.Department("a" + number) }},
		"rejection, number as clerk":   {rejection, func(e *Entry) { e.Clerk = number }},
		"rejection, name as clerk":     {rejection, func(e *Entry) { e.Clerk = "张晓明" }},
		"rejection, number as case":    {rejection, func(e *Entry) { e.Case = number }},
		"rejection, number as target":  {rejection, func(e *Entry) { e.Target = "a" + number }},
		"rejection that acts":          {rejection, func(e *Entry) { e.Act = "revoke" }},
		"access with a target":         {access, func(e *Entry) { e.Target = "a" }},
		"rejection with materials":     {rejection, func(e *Entry) { e.Materials = entry().Materials }},
		"access by nobody":             {access, func(e *Entry) { e.Clerk = "" }},
		"access by no department":      {access, func(e *Entry) { e.Department = "" }},
		"access to nobody":             {access, func(e *Entry) { e.Subject = "" }},
		"access, number for token":     {access, func(e *Entry) { e.Subject = number }},
		"access, upper case token":     {access, func(e *Entry) { e.Subject = strings.Repeat("0A", 32) }},
		"access without a decision":    {access, func(e *Entry) { e.Decision = "" }},
		"access refused for no reason": {access, func(e *Entry) { e.Decision = Refused }},
		"access with inputs":           {access, func(e *Entry) { e.Inputs = entry().Inputs }},
		"act, number as subject":       {act, func(e *Entry) { e.Subject = number }},
		"act by nobody":                {act, func(e *Entry) { e.Clerk = "" }},
		"act without a name":           {act, func(e *Entry) { e.Act = "" }},
		"act, number as target":        {act, func(e *Entry) { e.Target = "person:" + number }},
		"act, name as target":          {act, func(e *Entry) { e.Target = "张晓明" }},
		"act, text as target":          {act, func(e *Entry) { e.Target = "a b" }},
		"act, long target":             {act, func(e *Entry) { e.Target = strings.Repeat("a", 257) }},
		"act that answers":             {act, func(e *Entry) { e.Materials = entry().Materials }},
	} {
		topic := &fakeTopic{}
		l, _ := newLog(t, topic)
		e := tc.base
		tc.spoil(&e)
		_, err := l.Append(t.Context(), e)
		if err == nil || len(topic.msgs) != 0 {
			t.Errorf("%s: appended", name)
		} else if strings.Contains(err.Error(), number) || strings.Contains(err.Error(), "张") || strings.Contains(err.Error(), "王") {
			t.Errorf("%s: the error repeats it: %v", name, err)
		}
	}
}

func TestLargeEntry(t *testing.T) {
	e := entry()
	for range 2000 {
		e.Materials = append(e.Materials, e.Materials[0])
	}
	topic := &fakeTopic{}
	l, _ := newLog(t, topic)
	if _, err := l.Append(t.Context(), e); exchange.KindOf(err) != exchange.Unavailable || len(topic.msgs) != 0 {
		t.Errorf("an entry that no leaf can hold: %v", err)
	}
}
