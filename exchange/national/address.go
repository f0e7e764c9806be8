package national

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/door"
)

// forAddress is what downloadUrl is asked; see forFile.
type forAddress struct {
	CertIdentifier string `json:"certIdentifier"`
	UseCause       string `json:"useCause"`
	ExpiryTime     string `json:"expiryTime,omitempty"` // until when the copy is to serve
	HolderCode     string `json:"holderCode,omitempty"`
	HolderTypeCode string `json:"holderTypeCode,omitempty"`
}

func (f facade) addressOf(t turn, d forAddress) (said, error) {
	if err := required("certIdentifier", d.CertIdentifier, "useCause", d.UseCause); err != nil {
		return said{}, err
	}
	w, err := f.identified(t, byIdentifier{d.CertIdentifier, d.UseCause, d.HolderCode, d.HolderTypeCode})
	if err != nil {
		return said{}, err
	}
	made, err := f.shelved(t, w, d.ExpiryTime)
	if err != nil || made.status != ok {
		return made.said, err
	}
	made.data = made.told
	return made.said, nil
}

func (f facade) addressesOf(t turn, d byHolder) (said, error) {
	w, err := f.ofHolder(d)
	if err != nil {
		return said{}, err
	}
	made, err := f.shelved(t, w, "")
	if err != nil || made.status != ok {
		return made.said, err
	}
	made.data = copyList{made.told}
	return made.said, nil
}

// shelved makes a copy and gives its address: it is fetched there once, within ten minutes. Room for it is taken first, so that nobody is
// looked up in vain; the entry of the query stands before there is an address.
func (f facade) shelved(t turn, w wanted, until string) (making, error) {
	serves, err := f.servesUntil(until)
	if err != nil {
		return making{}, err
	}
	origin, err := f.Origin(t.Request)
	if err != nil {
		return making{}, err
	}
	place, err := f.Shelf.Reserve(t.caller.Department)
	if err != nil {
		return making{}, err
	}
	defer place.Leave()
	made, err := f.copied(t, w, serves)
	if err != nil || made.status != ok {
		return made, err
	}
	may := f.stillMay(disclosed(t, w, made.finding), f.Door.Remember(t.Request, t.caller))
	ticket := place.Put(copies.Kept{File: made.file, Receipt: made.Receipt.ID, May: may})
	made.told.ContentType, made.told.Content = "https", origin+copiesPath+ticket
	return made, nil
}

// copiesPath is where copies are fetched.
const copiesPath = Path + "/copies/"

// disclosure is what a copy shows of whom and to whom. It is all that is kept beside the file, and goes with it: nothing of the request,
// and of the record no more than names.
type disclosure struct {
	asker    broker.Caller
	item     exchange.Item
	evidence exchange.EvidenceType
	fields   []string
	holder   exchange.Holder
	record   string
}

func disclosed(t turn, w wanted, found finding) disclosure {
	e := found.evidence[0]
	d := disclosure{asker: t.caller.Caller, item: found.Item, evidence: e.Type, holder: w.holder, record: e.Record}
	for field := range fieldsOf(e) {
		d.fields = append(d.fields, field)
	}
	return d
}

// stillMay says whether a copy may still be given: not if who asked is let in no more or is suspended, if the grant was taken back, or if
// the record is not held as one in force any more, since it was erased, withdrawn or revoked.
func (f facade) stillMay(d disclosure, admitted func() error) func(context.Context) error {
	return func(ctx context.Context) error {
		if err := admitted(); err != nil {
			return lost(err, askerGone())
		}
		if err := f.Bar(d.asker.Department, d.asker.Clerk); err != nil {
			return lost(err, askerSuspended())
		}
		if !f.shows(d) {
			return noGrant()
		}
		return f.holds(ctx, d)
	}
}

// shows says whether the grant shows all that was disclosed.
func (f facade) shows(d disclosure) bool {
	grant, may := f.Catalogue().Permit(d.asker.Department, d.item, d.evidence, exchange.DateOf(f.Clock()))
	return may && !slices.ContainsFunc(d.fields, func(field string) bool { return !slices.Contains(grant.Fields, field) })
}

// holds errs where the record is not held as one in force.
func (f facade) holds(ctx context.Context, d disclosure) error {
	found, err := f.Holdings.Find(ctx, d.holder, []exchange.EvidenceType{d.evidence})
	if err != nil {
		return errors.Join(unsure(), err)
	}
	for _, r := range found.Records {
		if r.ID.String() == d.record && r.Status == exchange.Valid && r.ValidOn(exchange.DateOf(f.Clock())) {
			return nil
		}
	}
	return notHeldAnyMore()
}

// fetch gives a copy to whoever has its address: the convention hands bare addresses on to browsers and to systems that have no token
// of ours. What keeps others away is that an address is 256 bits that nobody guesses, serves once and for ten minutes, over https. Who
// shows a certificate or a token all the same must be of the department that asked.
//
// What is said of a fetch in the audit log is what is certain: of which query's copy it was, by the receipt, and who came only where
// they showed it.
func (f facade) fetch(r *http.Request) (any, error) {
	ticket := r.PathValue("ticket")
	if r.TLS == nil { // whoever is on the way has read the address
		return nil, f.refuse(r, door.Caller{}, f.Shelf.Discard(ticket), onlyHTTPS())
	}
	kept, missing := f.Shelf.Find(ticket)
	fetcher, err := f.fetcher(r, kept)
	if err := cmp.Or(err, missing); err != nil {
		return nil, f.refuse(r, fetcher, kept, err)
	}
	if err := kept.May(r.Context()); err != nil {
		if exchange.KindOf(err) == exchange.NotFound { // what is said of an erased record waits for nobody
			f.Shelf.Discard(ticket)
		}
		return nil, f.refuse(r, fetcher, kept, err)
	}
	if r.Method == http.MethodGet { // who asks for the head alone has not fetched it
		kept, err = f.Shelf.Take(ticket, func(kept copies.Kept) error { return f.handOver(r.Context(), fetcher, kept) })
		if err != nil {
			return nil, f.refuse(r, fetcher, kept, err)
		}
	}
	return contract.Content{Type: copies.Media, Body: kept.File, Name: kept.Receipt + ".ofd"}, nil
}

func (f facade) refuse(r *http.Request, fetcher door.Caller, kept copies.Kept, err error) error {
	return f.Door.RejectAbout(r, fetcher, kept.Receipt, err)
}

// fetcher is who fetches, as far as they say so.
func (f facade) fetcher(r *http.Request, kept copies.Kept) (door.Caller, error) {
	if !introduced(r) {
		return door.Caller{}, nil
	}
	caller, err := f.Door.Caller(r)
	switch {
	case err != nil:
		return door.Caller{}, lost(err, badShown())
	case kept.Department != "" && caller.Department != kept.Department:
		return caller, othersCopy()
	}
	return caller, nil
}

// handedOver is the act by which the exchange gives a copy away, and itself the name under which it does so to people who show none.
const (
	handedOver = "hand-over-copy"
	itself     = "yimen"
)

// entryPatience is how long a fetch waits for its entry.
const entryPatience = 5 * time.Second

// handOver makes it durable that a copy leaves. The entry of the query says what it tells and of whom; but only now does that get out,
// and no data without an entry. It is no second query and no access to the log, so the person sees one look at their data, not two.
func (f facade) handOver(ctx context.Context, fetcher door.Caller, kept copies.Kept) error {
	ctx, cancel := context.WithTimeout(ctx, entryPatience)
	defer cancel()
	err := f.Append(ctx, audit.Entry{Kind: audit.Act, Department: kept.Department, Clerk: cmp.Or(fetcher.Clerk, itself), Act: handedOver, Target: kept.Receipt})
	if err != nil {
		return errors.Join(notEntered(), err)
	}
	return nil
}

// introduced says whether a request shows who sends it.
func introduced(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || r.TLS != nil && len(r.TLS.VerifiedChains) > 0
}

// lost says why somebody is let in no more, unless that could only not be found out.
func lost(err, refusal error) error {
	if kind := exchange.KindOf(err); kind == exchange.Unavailable || kind == exchange.Internal {
		return errors.Join(unsure(), err)
	}
	return refusal
}
