package holdings

import (
	"context"
	"slices"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/gate"
)

// describe reads a record's facts by the schema it names. An error without a reason means that it cannot be said yet.
func describe(schema func(context.Context, string) (*schemas.Schema, error)) func(context.Context, *envelope.Opened) (schemas.Facts, Reason, error) {
	return func(ctx context.Context, o *envelope.Opened) (schemas.Facts, Reason, error) {
		s, err := schema(ctx, o.Schema)
		if err != nil {
			return schemas.Facts{}, "", err
		}
		if s == nil || s.Type != o.Type {
			return schemas.Facts{}, unknownSchema, nil
		}
		doc, err := gate.Decode(o.Payload)
		if err != nil {
			return schemas.Facts{}, unreadableFacts, err
		}
		facts, err := s.Facts(doc)
		if err != nil {
			return schemas.Facts{}, unreadableFacts, err
		}
		return facts, "", nil
	}
}

// arrival is one version that came by a message and may be kept.
type arrival struct {
	message *exchange.Message
	key     []byte
	id      exchange.RecordID
	number  exchange.Version
	version version
}

// stored is what tells a version that is kept already from another with its number.
type stored struct {
	digest    exchange.Digest
	withdrawn bool
}

// foldEvidence adds the record versions that the index does not have.
func (x *Index) foldEvidence(ctx context.Context, b *batch, msgs []exchange.Message) error {
	arrivals := make([]arrival, 0, len(msgs))
	for i := range msgs {
		m := &msgs[i]
		if m.Value == nil {
			continue // frees the topic of bytes; what shall be forgotten is said elsewhere
		}
		v, id, number, ok, err := x.read(ctx, b, m)
		if err != nil {
			return err
		}
		if ok {
			arrivals = append(arrivals, arrival{message: m, key: recordKey(id, v.evidence, number), id: id, number: number, version: v})
		}
	}
	known, err := x.known(ctx, arrivals)
	if err != nil {
		return err
	}
	b.rows = slices.Grow(b.rows, 2*len(arrivals)+1)
	var buffer []byte
	for i := range arrivals {
		a := &arrivals[i]
		now := stored{a.version.digest, a.version.withdrawn}
		switch before, ok := known[string(a.key)]; {
		case !ok:
			known[string(a.key)] = now
			buffer = x.keep(b, a, buffer[:0])
			b.place.Gaps = b.place.Gaps.closed(a.id, a.number)
		case before == now:
			b.duplicates++
			b.place.Duplicates++
		default:
			x.refuse(b, a.message, conflictingContent, nil)
			x.gap(b, a.message)
		}
	}
	return nil
}

// read opens a message and takes the facts from it, or refuses it.
func (x *Index) read(ctx context.Context, b *batch, m *exchange.Message) (v version, id exchange.RecordID, number exchange.Version, ok bool, err error) {
	o, err := x.open(ctx, m)
	if err != nil {
		reason, undecided := unopened(err)
		if undecided {
			return v, id, 0, false, err
		}
		x.refuse(b, m, reason, err)
		x.gap(b, m)
		return v, id, 0, false, nil
	}
	if o.Type != exchange.EvidenceType(b.of) || !exchange.ValidName(b.of) {
		x.refuse(b, m, wrongTopic, nil)
		return v, id, 0, false, nil
	}
	if !x.keeps(o.Adapter.Department(), o.Type) {
		x.refuse(b, m, notKeeper, nil)
		return v, id, 0, false, nil
	}
	if x.isErased(o.Type, o.ID) {
		x.refuse(b, m, erased, nil) // no gap: what is forgotten is not missing
		return v, id, 0, false, nil
	}
	v = version{digest: o.Digest, withdrawn: o.Withdrawn, at: o.At, logged: m.Time, position: b.at(m),
		evidence: o.Type, adapter: o.Adapter, schema: o.Schema, status: exchange.Withdrawn}
	if !o.Withdrawn {
		facts, reason, err := x.describe(ctx, &o)
		if err != nil && reason == "" {
			return v, id, 0, false, err
		}
		if reason == "" && len(facts.Holders) == 0 {
			reason = unreadableFacts
		}
		if reason != "" {
			x.refuse(b, m, reason, err)
			x.gap(b, m)
			return v, id, 0, false, nil
		}
		v.status, v.from, v.until, v.payload = facts.Status, facts.From, facts.Until, o.Payload
		for _, h := range facts.Holders {
			if t := x.secrets.token(h); !x.isForgotten(t) {
				v.holders = append(v.holders, t)
			}
		}
		if len(v.holders) == 0 {
			x.refuse(b, m, erased, nil)
			v.empty()
		}
	}
	return v, o.ID, o.Version, true, nil
}

// known looks up which of the versions the index has.
func (x *Index) known(ctx context.Context, arrivals []arrival) (map[string]stored, error) {
	keys := make([][]byte, 0, len(arrivals))
	for i := range arrivals {
		if !x.fresh.add(arrivals[i].key) {
			keys = append(keys, arrivals[i].key)
		}
	}
	known := make(map[string]stored, len(arrivals))
	err := x.engine.Get(ctx, keys, func(i int, value []byte) error {
		v, err := x.unseal(keys[i], value)
		if err != nil {
			return err
		}
		known[string(keys[i])] = stored{v.digest, v.withdrawn}
		return nil
	})
	return known, err
}

// keep adds the rows of a new version. It returns the buffer, which may have grown.
func (x *Index) keep(b *batch, a *arrival, buffer []byte) []byte {
	buffer = a.version.append(buffer)
	b.put(a.key, x.secrets.seal(make([]byte, 0, len(buffer)+sealSize), a.key, buffer))
	for _, t := range a.version.holders {
		b.put(pointerKey(t, a.version.evidence, a.id), []byte{})
	}
	b.records++
	b.place.Records++
	return buffer
}

func (x *Index) unseal(key, sealed []byte) (version, error) {
	plain, err := x.secrets.open(key, sealed)
	if err != nil {
		return version{}, err
	}
	return readVersion(plain)
}
