package national

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/onedoor/yimen/exchange"
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

// shelved makes a copy and gives its address: it is fetched there once, within ten minutes. The entry of the query stands before there
// is an address, and tells of it all that a fetch could.
func (f facade) shelved(t turn, w wanted, until string) (making, error) {
	serves, err := f.servesUntil(until)
	if err != nil {
		return making{}, err
	}
	origin, err := f.Origin(t.Request)
	if err != nil {
		return making{}, err
	}
	made, err := f.copied(t, w, serves)
	if err != nil || made.status != ok {
		return made, err
	}
	ticket, err := f.Shelf.Put(copies.Kept{File: made.file, Name: made.Receipt.ID + ".ofd", Department: t.caller.Department, May: f.stillMay(t, made.finding)})
	made.told.ContentType, made.told.Content = "https", origin+copiesPath+ticket
	return made, err
}

// copiesPath is where copies are fetched.
const copiesPath = Path + "/copies/"

// stillMay says whether who asked would still be shown what a copy says: not if they are let in no more, nor if the grant was taken back.
func (f facade) stillMay(t turn, found finding) func(context.Context) error {
	wanted := found.evidence[0].Type
	fields := fieldsOf(found.evidence[0])
	asker := t.Request.Clone(context.WithoutCancel(t.Context()))
	asker.Body = nil // it would keep what was sent
	return func(ctx context.Context) error {
		if _, err := f.Door.Caller(asker.WithContext(ctx)); err != nil {
			return lost(err, askerGone())
		}
		grant, may := f.Catalogue().Permit(t.caller.Department, found.Item, wanted, exchange.DateOf(f.Clock()))
		for field := range fields {
			may = may && slices.Contains(grant.Fields, field)
		}
		if !may {
			return noGrant()
		}
		return nil
	}
}

// fetch gives a copy to whoever has its address: the convention hands bare addresses on to browsers and to systems that have no token
// of ours. What keeps others away is that an address is 256 bits that nobody guesses, serves once and for ten minutes, over https. Who
// shows a certificate or a token all the same must be of the department that asked.
func (f facade) fetch(r *http.Request) (any, error) {
	if r.TLS == nil {
		return nil, f.Door.Reject(r, door.Caller{}, onlyHTTPS())
	}
	ticket := r.PathValue("ticket")
	kept, err := f.Shelf.Find(ticket)
	if err != nil {
		return nil, f.Door.Reject(r, door.Caller{}, err)
	}
	if err := f.mayFetch(r, kept); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet { // who asks for the head alone has not fetched it
		if kept, err = f.Shelf.Take(ticket); err != nil {
			return nil, f.Door.Reject(r, door.Caller{}, err)
		}
	}
	return contract.Content{Type: copies.Media, Body: kept.File, Name: kept.Name}, nil
}

func (f facade) mayFetch(r *http.Request, kept copies.Kept) error {
	if introduced(r) {
		caller, err := f.Door.Caller(r)
		if err != nil {
			return lost(err, badShown())
		}
		if caller.Department != kept.Department {
			return f.Door.Reject(r, caller, othersCopy())
		}
	}
	if kept.May == nil {
		return nil
	}
	return kept.May(r.Context())
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

func badShown() error {
	return &exchange.Problem{Code: "YM-NAT-0111", Kind: exchange.Unauthorised, What: text("所带的令牌或证书无效", "the token or certificate that came along is not good"),
		Mend: text("去掉它再取，地址本身就够；或换有效的", "leave it out, the address is enough; or show a good one")}
}

func askerGone() error {
	return &exchange.Problem{Code: "YM-NAT-0112", Kind: exchange.Denied, What: text("索取这个文件的账号或证书已不能查询", "who asked for this file may not ask any more"),
		Mend: text("用有效的身份重新请求 downloadUrl", "ask for another address with downloadUrl, as somebody who may")}
}

func unsure() error {
	return &exchange.Problem{Code: "YM-NAT-0113", Kind: exchange.Unavailable, What: text("暂时无法确认谁在索取文件", "it cannot be found out just now who asks for the file"),
		Mend: text("稍后再取；地址在十分钟内有效", "fetch it again soon: the address has ten minutes")}
}

func onlyHTTPS() error {
	return &exchange.Problem{Code: "YM-NAT-0114", Kind: exchange.Invalid, What: text("文件只经 https 取", "files are fetched over https only"),
		Mend: text("照 downloadUrl 给出的地址取，不要改动", "fetch the address as downloadUrl gave it")}
}

func othersCopy() error {
	return &exchange.Problem{Code: "YM-NAT-0110", Kind: exchange.Denied, What: text("这个文件是另一部门要的", "another department asked for this file"),
		Mend: text("用本部门的身份请求 downloadUrl", "ask for an address of your own with downloadUrl")}
}
