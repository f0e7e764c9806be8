package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// adopter is who takes records of _schemas over.
const adopter = "_schemas"

// found is a record of _schemas that counts, as the registry that wrote it would see it.
type found struct {
	offset  int64
	at      time.Time
	key     recordKey
	value   []byte
	deleted bool // by a later record that deletes versions up to a number
}

// adopt takes over what stands in _schemas where there are no proposals but such ones. Each record's proposal names the
// record before, so that nodes that do so at once make one chain.
func (r *Registry) adopt(ctx context.Context) error {
	records := standing(r.mirror.pastMessages())
	for len(records) > 0 {
		r.mu.RLock()
		closed, adopted := r.state.closed, r.state.adopted
		r.mu.RUnlock()
		if closed {
			break
		}
		rest := slices.DeleteFunc(slices.Clone(records), func(f found) bool { return f.offset <= adopted })
		r.log.Info("taking over _schemas", "records", len(rest), "after", adopted)
		if err := r.adoptPart(ctx, adopted, rest[:min(len(rest), adoptTogether)], len(rest) <= adoptTogether); err != nil {
			return err
		}
	}
	r.mirror.forgetPast()
	return nil
}

// adoptTogether is how many records are taken over by one request.
const adoptTogether = 200

// adoptPart proposes records, and the end after the last ones, and waits until they are folded.
func (r *Registry) adoptPart(ctx context.Context, after int64, records []found, last bool) error {
	var msgs []exchange.Message
	for _, f := range records {
		if p := r.adoption(f); p != nil {
			p.Adopted.After = after
			if m := r.message(p, f.at); m != nil {
				msgs, after = append(msgs, *m), f.offset
			}
		}
	}
	if last {
		end := &proposal{Operation: opAdopt, By: adopter, Adopted: &adopted{After: after, Offset: after + 1, Kind: adoptEnd}}
		msgs = append(msgs, *r.message(end, r.clock()))
	}
	for len(msgs) > 0 {
		err := r.topics.Append(ctx, Proposals, msgs)
		if err == nil {
			return r.reach(ctx, msgs[len(msgs)-1].Offset+1)
		}
		r.log.Warn("_schemas cannot be taken over yet", "error", err)
		if err := sleep(ctx, r.patience.retry); err != nil {
			return err
		}
	}
	return nil
}

// message is the proposal as it goes onto the topic; nil, and told in the log, where it is too large.
func (r *Registry) message(p *proposal, at time.Time) *exchange.Message {
	p.Format, p.Nonce, p.At = proposalFormat, newNonce(), at.UTC().Round(time.Millisecond)
	value, err := p.bytes()
	if err != nil || len(value)+len(p.Subject) > maxProposal {
		r.log.Error("a record of _schemas is not taken over: it is larger than a proposal may be", "subject", p.Subject, "version", p.Version)
		return nil
	}
	return &exchange.Message{Topic: Proposals, Key: []byte(p.Subject), Value: value}
}

// adoption is the proposal that takes a record over; nil, and told in the log, where it cannot be.
func (r *Registry) adoption(f found) *proposal {
	p := &proposal{Operation: opAdopt, Subject: f.key.subject, By: adopter, Adopted: &adopted{After: never, Offset: f.offset}}
	rec, err := parseRecord(f.key, f.value)
	switch {
	case err != nil || f.key.subject != globalScope && checkSubject(f.key.subject) != nil || strings.HasPrefix(f.key.subject, ":."):
		// of a schema the id is saved below
	case f.key.kind == levelRecord:
		p.Adopted.Kind, p.Compatibility, p.Policy = adoptLevel, rec.Level, rec.Policy
	case f.key.kind == modeRecord:
		p.Adopted.Kind, p.Mode = adoptMode, rec.Mode
	case rec.Type == schemaType:
		p.Adopted.Kind, p.Adopted.Deleted = adoptSchema, f.deleted || rec.Deleted != nil && *rec.Deleted
		p.Text, p.References, p.Metadata, p.ID, p.Version = rec.Schema, rec.References, rec.Metadata, rec.ID, f.key.version
		p.Adopted.Plain = plainGUID(rec)
	}
	if p.sound() && p.soundText() {
		return p
	}
	if rec.ID > 0 {
		r.skipped(f, "it is no JSON schema, or its subject cannot be kept; its id is not given again")
		return &proposal{Operation: opAdopt, By: adopter, ID: rec.ID, Adopted: &adopted{Kind: adoptID, Offset: f.offset}}
	}
	r.skipped(f, "it says nothing that this registry knows")
	return nil
}

// soundText says whether a schema is JSON at all.
func (p *proposal) soundText() bool { return p.Text == "" || json.Valid([]byte(p.Text)) }

func (r *Registry) skipped(f found, why string) {
	r.log.Warn("a record of _schemas is not taken over", "offset", f.offset, "kind", f.key.kind, "version", f.key.version, "why", why)
	r.metrics.records.WithLabelValues("skipped").Inc()
}

// plainGUID names the content without white space; "" where the text has none.
func plainGUID(rec record) string {
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(rec.Schema)); err != nil || b.Len() == len(rec.Schema) {
		return ""
	}
	return contentGUID(b.Bytes(), rec.References, rec.Metadata)
}

// standing are the records that count in the end, in the order of their offsets.
func standing(msgs []exchange.Message) []found {
	newest := map[recordKey]found{}
	for _, m := range msgs {
		k, err := parseKey(m.Key)
		if err != nil {
			continue
		}
		switch k.kind {
		case schemaRecord, levelRecord, modeRecord:
			if delete(newest, k); m.Value != nil {
				newest[k] = found{offset: m.Offset, at: m.Time, key: k, value: m.Value}
			}
		case deleteRecord:
			r, err := parseRecord(k, m.Value)
			if err == nil {
				markDeleted(newest, k.subject, r.Version)
			}
		case clearRecord:
			for other := range newest {
				if other.kind == schemaRecord && (other.subject == k.subject || k.subject == globalScope) {
					delete(newest, other)
				}
			}
		}
	}
	records := make([]found, 0, len(newest))
	for _, f := range newest {
		records = append(records, f)
	}
	slices.SortFunc(records, func(a, b found) int { return int(min(max(a.offset-b.offset, -1), 1)) })
	return records
}

// markDeleted marks a subject's versions up to a number.
func markDeleted(newest map[recordKey]found, subject string, upTo int) {
	for k, f := range newest {
		if k.kind == schemaRecord && k.subject == subject && k.version <= upTo {
			f.deleted = true
			newest[k] = f
		}
	}
}

func (m *mirror) pastMessages() []exchange.Message {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.past)
}

func (m *mirror) forgetPast() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.past, m.full = nil, true
}
