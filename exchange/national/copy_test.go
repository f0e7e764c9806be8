package national

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/broker"
	"github.com/onedoor/yimen/exchange/catalogue"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/ofd"
)

// identified is a title whose identifier is known, with notes and somebody else among its owners.
func identified(id byte, identifier string) exchange.Record {
	r := record(id, titleNo, exchange.Valid)
	r.Payload = fmt.Appendf(nil, `{"certificateNumber":%q,"certificateIdentifier":%q,"unitNumber":"430281001002GB00003F00010005","owners":[{"name":"张三","number":%q},{"name":"李四","number":"430281199001010025"}],"location":"醴陵市","rightType":"所有权","notes":"附记一\n附记二","issuedOn":"2008-10-13"}`,
		titleNo, identifier, citizen)
	return r
}

var soundFile = map[string]any{"fileType": "ofd", "certificateIdentifier": identifier, "certificateCopyCause": cause + " 张三要用", "holderCode": citizen, "holderTypeCode": "111"}

// fileIn is the file that an answer holds.
func fileIn(t testing.TB, a answer) []byte {
	t.Helper()
	file, err := base64.StdEncoding.DecodeString(word(t, a.Data["content"]))
	if err != nil || len(file) == 0 {
		t.Fatalf("%+v %v", a.Head, err)
	}
	return file
}

func word(t testing.TB, quoted json.RawMessage) string {
	t.Helper()
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		t.Fatalf("%s: %v", quoted, err)
	}
	return s
}

// pageOf is all the XML of a file in one text.
func pageOf(t testing.TB, file []byte) string {
	t.Helper()
	files, err := ofd.Unpack(file)
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, f := range files {
		all.Write(f.Content)
	}
	return all.String()
}

func TestDownloadFile(t *testing.T) {
	held := []exchange.Record{identified(1, identifier)}
	for name, test := range map[string]struct {
		records []exchange.Record
		data    map[string]any
		status  status
	}{
		"held":                  {held, soundFile, ok},
		"in capitals":           {held, with(soundFile, "fileType", "OFD"), ok},
		"until a day":           {held, with(soundFile, "certificateCopyExpiringTime", "2026-12-31"), ok},
		"a picture":             {held, with(soundFile, "fileType", "png"), notOffered},
		"no type of file":       {held, with(soundFile, "fileType", nil), valueMissing},
		"no cause":              {held, with(soundFile, "certificateCopyCause", " "), valueMissing},
		"no case":               {held, with(soundFile, "certificateCopyCause", "办事"), valueMissing},
		"no holder":             {held, with(soundFile, "holderCode", nil), notOffered},
		"a damaged identifier":  {held, with(soundFile, "certificateIdentifier", identifier[:len(identifier)-1]+"Z"), otherFault},
		"another's identifier":  {[]exchange.Record{identified(1, identifier[:len(identifier)-5]+"002.W")}, soundFile, otherFault},
		"until yesterday":       {held, with(soundFile, "certificateCopyExpiringTime", "2026-11-22"), otherFault},
		"until no day":          {held, with(soundFile, "certificateCopyExpiringTime", "soon"), otherFault},
		"two of one identifier": {append(held, identified(2, identifier)), soundFile, otherFault},
		"none":                  {nil, soundFile, noMatch},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldIn(t, cityOfFiles(), test.records...)
			got := w.call(t, "downloadFile", test.data)
			if got.Head.Status != test.status || (got.Data["content"] != nil) != (test.status == ok) {
				t.Fatalf("%+v %s", got.Head, got.Data)
			}
			if (len(w.entries) == 1) != (got.Data["receipt"] != nil) || w.finds > len(w.entries) {
				t.Errorf("%d looked for, %d entries, receipt %s", w.finds, len(w.entries), got.Data["receipt"])
			}
		})
	}
}

// A copy shows what is granted by its Chinese names, whose word it is, and for whom and for what it was made; nothing else of the
// record, no clerk, and no word of the cause besides item and case.
func TestCopySaysWhatIsGranted(t *testing.T) {
	got := newWorldIn(t, cityOfFiles(), identified(1, identifier)).call(t, "downloadFile", soundFile)
	says := pageOf(t, fileIn(t, got))
	for _, want := range []string{"不动产权证书", "不动产权证号", titleNo, identifier, "权利人 1 姓名或者名称", "张三", "权利人 2 证件号码", "430281199001010025", "附记二", "数源部门", "2026-11-23 12:00:00", "有效（",
		"办理事项：", "；收件号：LL-2026-1123-0041", "仅用于：", "430281********0017", ">01<", "非证照原件", `Name="JZJZZSY"`, `Name="JZJZZSJ">2026-11-23 12:00:00`, `Name="JZJZZZ"`, `Name="JZJYXQJZSJ">2026-12-23 12:00:00`, `Name="ZZBS">` + identifier} {
		if !strings.Contains(says, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if strings.Index(says, ">不动产权证号<") > strings.Index(says, ">证照标识<") {
		t.Error("fields are not in the schema's order")
	}
	for _, secret := range []string{"430281001002GB00003F00010005", "所有权", "2008-10-13", "xzsp/0017", ">0017<", "张三要用", token} {
		if strings.Contains(says, secret) {
			t.Errorf("it says %q", secret)
		}
	}
	if word(t, got.Data["contentType"]) != "base64" || word(t, got.Data["certIdentifier"]) != identifier || word(t, got.Data["certificateCopyExpiringTime"]) != "2026-12-23 12:00:00" {
		t.Errorf("%s", got.Data)
	}
}

func TestCopyServesNoLongerThanTheLicence(t *testing.T) {
	for name, test := range map[string]struct{ asked, until, want string }{
		"as usual":             {"", "", "2026-12-23 12:00:00"},
		"the licence ends":     {"", "2026-12-01", "2026-12-02 00:00:00"},
		"a day":                {"2026-11-25", "", "2026-11-26 00:00:00"},
		"a moment":             {"2026-11-25 18:00:00", "2026-12-01", "2026-11-25 18:00:00"},
		"a moment of RFC 3339": {"2026-11-25T18:00:00+08:00", "", "2026-11-25 18:00:00"},
		"for ever":             {"2099-01-01", "", "2027-05-22 12:00:00"},
	} {
		r := identified(1, identifier)
		r.Until = exchange.Date(test.until)
		got := newWorldIn(t, cityOfFiles(), r).call(t, "downloadFile", with(soundFile, "certificateCopyExpiringTime", test.asked))
		if got.Head.Status != ok || word(t, got.Data["certificateCopyExpiringTime"]) != test.want {
			t.Errorf("%s: %+v %s", name, got.Head, got.Data["certificateCopyExpiringTime"])
		}
	}
}

// Without an entry, and without keys, there is no file.
func TestNoFileWithoutEntryOrKeys(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	w.broken = errors.New("disk full")
	for _, operation := range []string{"downloadFile", "downloadUrl"} {
		if got := w.call(t, operation, with(soundFile, "certIdentifier", identifier, "useCause", cause)); got.Head.Status != otherFault || len(got.Data) != 0 {
			t.Errorf("%s: %+v %s", operation, got.Head, got.Data)
		}
	}
	w.broken, w.keyless = nil, &exchange.Problem{Code: "YM-KEY-0301", Kind: exchange.Unavailable, What: text("密钥不可用", "no keys")}
	if got := w.call(t, "downloadFile", soundFile); got.Head.Status != otherFault || len(got.Data) != 0 {
		t.Errorf("%+v %s", got.Head, got.Data)
	}
	if got := w.call(t, "verifyFile", map[string]any{"certTypeCode": title, "contentType": "base64", "content": "UERG", "useCause": cause}); got.Head.Status != otherFault {
		t.Errorf("it can be told without keys: %+v", got.Head)
	}
}

// get fetches what stands at an address.
func (w *world) get(t testing.TB, method, address string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	path, below := strings.CutPrefix(address, origin)
	if !below {
		t.Fatalf("%s is not below %s", address, origin)
	}
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.TLS = &tls.ConnectionState{}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, r)
	return recorder
}

// addressIn is the address that an answer gives.
func addressIn(t testing.TB, a answer) string {
	t.Helper()
	if a.Head.Status != ok || word(t, a.Data["contentType"]) != "https" {
		t.Fatalf("%+v %s", a.Head, a.Data)
	}
	return word(t, a.Data["content"])
}

var soundAddress = map[string]any{"certIdentifier": identifier, "useCause": cause, "holderCode": citizen, "holderTypeCode": "111"}

// plain asks for what stands at an address without https.
func (w *world) plain(t testing.TB, address string) *httptest.ResponseRecorder {
	t.Helper()
	recorder := httptest.NewRecorder()
	w.ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimPrefix(address, origin), nil))
	return recorder
}

// An address serves once. The entry of the query stands before there is an address, and that of the fetch before there is a file.
func TestAddressServesOnce(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	address := addressIn(t, w.call(t, "downloadUrl", soundAddress))
	if len(w.entries) != 1 || len(address) < len(origin+copiesPath)+43 || strings.Contains(address, citizen) {
		t.Errorf("%d entries before %s", len(w.entries), address)
	}
	if head := w.get(t, http.MethodHead, address); head.Code != http.StatusOK || len(w.entries) != 1 {
		t.Errorf("the head: %d, %d entries", head.Code, len(w.entries))
	}
	first := w.get(t, http.MethodGet, address)
	if first.Code != http.StatusOK || first.Header().Get("Content-Type") != "application/ofd" || first.Header().Get("Cache-Control") != "no-store" || first.Header().Get("Content-Disposition") != `attachment; filename="01.ofd"` || !strings.Contains(pageOf(t, first.Body.Bytes()), titleNo) {
		t.Errorf("%d %v", first.Code, first.Header())
	}
	if e := w.entries[len(w.entries)-1]; len(w.entries) != 2 || e.Kind != audit.Act || e.Act != handedOver || e.Target != "01" || e.Department != "xzsp" || e.Clerk != itself || e.Holder.Number+e.Subject != "" {
		t.Errorf("of the fetch the log says %+v", e)
	}
	second := w.get(t, http.MethodGet, address)
	if second.Code != http.StatusNotFound || !strings.Contains(second.Body.String(), "YM-CPY-0203") || len(w.entries) != 2 {
		t.Errorf("the second time: %d %s", second.Code, second.Body)
	}
	w.refusedOnce(t, "YM-CPY-0203", "", "01")
}

// Without its entry a file is not given, and waits on.
func TestNoFetchWithoutEntry(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	address := addressIn(t, w.call(t, "downloadUrl", soundAddress))
	w.broken = errors.New("disk full")
	if got := w.get(t, http.MethodGet, address); got.Code != http.StatusServiceUnavailable || !strings.Contains(got.Body.String(), "YM-NAT-0118") {
		t.Errorf("%d %s", got.Code, got.Body)
	}
	w.broken = nil
	if got := w.get(t, http.MethodGet, address, "Authorization", "Bearer "+token); got.Code != http.StatusOK {
		t.Errorf("later: %d %s", got.Code, got.Body)
	}
	if e := w.entries[len(w.entries)-1]; e.Clerk != "0017" || len(w.turned) != 0 {
		t.Errorf("who showed a token is entered as %q; %d refused", e.Clerk, len(w.turned))
	}
}

// refusedOnce says that the log has one refusal with that code, of that department ("": nobody known) and about that receipt.
func (w *world) refusedOnce(t *testing.T, code string, department exchange.Department, receipt string) {
	t.Helper()
	all := slices.DeleteFunc(slices.Clone(w.turned), func(e audit.Entry) bool { return e.Refusal != code })
	if len(all) != 1 || all[0].Kind != audit.Rejection || all[0].Department != department || (all[0].Clerk == "") != (department == "") || all[0].Target != receipt {
		t.Errorf("refusals in the log: %+v", w.turned)
	}
}

func TestAddressIsGivenUp(t *testing.T) {
	revoked := &exchange.Problem{Code: "YM-ENR-0300", Kind: exchange.Unauthorised, What: text("已撤销", "revoked")}
	withdrawn := identified(1, identifier)
	withdrawn.Status = exchange.Withdrawn
	for name, test := range map[string]struct {
		then    func(*world)
		headers []string
		code    int
		says    string
		fetcher exchange.Department // in the entry of the refusal
	}{
		"in time":               {func(w *world) { w.now = w.now.Add(copies.Waits - time.Second) }, nil, http.StatusOK, "", ""},
		"the grant taken back":  {func(w *world) { w.known = city() }, nil, http.StatusForbidden, "YM-NAT-0104", ""},
		"that, and introduced":  {func(w *world) { w.known = city() }, []string{"Authorization", "Bearer " + token}, http.StatusForbidden, "YM-NAT-0104", "xzsp"},
		"the asker revoked":     {func(w *world) { w.unheard = revoked }, nil, http.StatusForbidden, "YM-NAT-0112", ""},
		"the asker unknown":     {func(w *world) { w.unheard = &exchange.Problem{Code: "YM-ENR-0301", Kind: exchange.Unavailable} }, nil, http.StatusServiceUnavailable, "YM-NAT-0113", ""},
		"the asker suspended":   {func(w *world) { w.barred = &exchange.Problem{Code: "YM-LIM-0202", Kind: exchange.Limited} }, nil, http.StatusForbidden, "YM-NAT-0116", ""},
		"limits not known":      {func(w *world) { w.barred = &exchange.Problem{Code: "YM-LIM-0301", Kind: exchange.Unavailable} }, nil, http.StatusServiceUnavailable, "YM-NAT-0113", ""},
		"the record erased":     {func(w *world) { w.records = nil }, nil, http.StatusNotFound, "YM-NAT-0117", ""},
		"the record withdrawn":  {func(w *world) { w.records = []exchange.Record{withdrawn} }, nil, http.StatusNotFound, "YM-NAT-0117", ""},
		"another is held":       {func(w *world) { w.records = []exchange.Record{identified(2, identifier)} }, nil, http.StatusNotFound, "YM-NAT-0117", ""},
		"the index away":        {func(w *world) { w.lost = errors.New("disk failed") }, nil, http.StatusServiceUnavailable, "YM-NAT-0113", ""},
		"by the department":     {func(*world) {}, []string{"Authorization", "Bearer " + token}, http.StatusOK, "", ""},
		"by another department": {func(*world) {}, []string{"Authorization", "Bearer " + otherToken}, http.StatusForbidden, "YM-NAT-0110", "scjg"},
		"by a stranger's token": {func(*world) {}, []string{"Authorization", "Bearer guess"}, http.StatusUnauthorized, "YM-NAT-0111", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
			address := addressIn(t, w.call(t, "downloadUrl", soundAddress))
			test.then(w)
			if got := w.get(t, http.MethodGet, address, test.headers...); got.Code != test.code || !strings.Contains(got.Body.String(), test.says) || (len(w.entries) == 2) != (test.code == http.StatusOK) {
				t.Errorf("%d %s, %d entries", got.Code, got.Body, len(w.entries))
			}
			if test.code != http.StatusOK && test.code != http.StatusServiceUnavailable {
				w.refusedOnce(t, test.says, test.fetcher, "01")
			}
		})
	}
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	late := addressIn(t, w.call(t, "downloadUrl", soundAddress))
	w.now = w.now.Add(copies.Waits)
	for name, address := range map[string]string{"too late": late, "a guess": origin + copiesPath + strings.Repeat("A", 43)} {
		if got := w.get(t, http.MethodGet, address); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "YM-CPY-0202") {
			t.Errorf("%s: %d %s", name, got.Code, got.Body)
		}
	}
}

// An address that was sent in clear serves nobody any more.
func TestAddressInClearIsGivenUp(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	address := addressIn(t, w.call(t, "downloadUrl", soundAddress))
	if got := w.plain(t, address); got.Code != http.StatusUnprocessableEntity || !strings.Contains(got.Body.String(), "YM-NAT-0114") {
		t.Errorf("without https: %d %s", got.Code, got.Body)
	}
	w.refusedOnce(t, "YM-NAT-0114", "", "01")
	if got := w.get(t, http.MethodGet, address); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "YM-CPY-0202") {
		t.Errorf("afterwards: %d %s", got.Code, got.Body)
	}
}

// However many a department fetches, it is given more; where too many wait, nobody is looked up and no entry says answered.
func TestFetchingMakesRoom(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	for range 251 {
		if got := w.get(t, http.MethodGet, addressIn(t, w.call(t, "downloadUrl", soundAddress))); got.Code != http.StatusOK {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
	}
	for range 250 {
		addressIn(t, w.call(t, "downloadUrl", soundAddress))
	}
	entries, finds := len(w.entries), w.finds
	got := w.call(t, "downloadUrl", soundAddress)
	if got.Head.Status != otherFault || !strings.Contains(got.Head.Message, "YM-CPY-0201") || len(w.entries) != entries || w.finds != finds {
		t.Errorf("%+v, %d entries and %d looked for more", got.Head, len(w.entries)-entries, w.finds-finds)
	}
	if got := w.call(t, "downloadFile", soundFile); got.Head.Status != ok {
		t.Errorf("downloadFile: %+v", got.Head)
	}
}

// What was found and what was sent are gone from memory with the file.
func TestNothingOutlivesTheFetch(t *testing.T) {
	w := newWorldIn(t, cityOfFiles())
	shelf, freed := copies.NewShelf(func() time.Time { return noon }), make(chan string, 3)
	f := facade{Config{Catalogue: func() *catalogue.Catalogue { return w.known }, Clock: func() time.Time { return noon }, Holdings: w}}
	watched := func(what string) []byte {
		data := []byte(strings.Repeat(what, 100))
		runtime.AddCleanup(&data[0], func(what string) { freed <- what }, what)
		return data
	}
	ticket := func() string {
		place, err := shelf.Reserve("xzsp")
		if err != nil {
			t.Fatal(err)
		}
		defer place.Leave()
		sent, token := watched("sent"), watched("token")
		r := httptest.NewRequestWithContext(context.WithValue(t.Context(), head{}, sent), http.MethodPost, Path, nil)
		r.Header.Set("Authorization", unsafe.String(&token[0], len(token)))
		fields := fmt.Appendf(watched("found")[:0], `{"certificateNumber":%q}`, titleNo)
		found := finding{evidence: []exchange.Evidence{{Type: "property-title", Fields: fields}}}
		turn := turn{Request: r, caller: door.Caller{Caller: broker.Caller{Department: "xzsp", Clerk: "0017"}}}
		may := f.stillMay(disclosed(turn, wanted{}, found), door.New(door.Config{Roll: w}).Remember(r, turn.caller))
		return place.Put(copies.Kept{File: watched("file"), May: may})
	}()
	await := func(want ...string) {
		t.Helper()
		got := map[string]bool{}
		for deadline := time.Now().Add(10 * time.Second); len(got) < len(want) && time.Now().Before(deadline); {
			runtime.GC()
			select {
			case what := <-freed:
				got[what] = true
			case <-time.After(time.Millisecond):
			}
		}
		for _, what := range want {
			if !got[what] {
				t.Errorf("%s stays in memory", what)
			}
		}
	}
	await("sent", "token", "found")
	if kept, err := shelf.Take(ticket, func(copies.Kept) error { return nil }); err != nil || len(kept.File) == 0 {
		t.Fatal(err)
	}
	await("file")
	runtime.KeepAlive(shelf)
}

// Addresses by the holder come as a list of one: of several licences none is guessed.
func TestAddressesByHolder(t *testing.T) {
	ask := func(records ...exchange.Record) (*world, head, []aCopy) {
		w := newWorldIn(t, cityOfFiles(), records...)
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path+"/downloadUrlsByHolderCode", strings.NewReader(`{"accessId":"xzsp/0017","accessToken":"`+token+`","data":{"holderCode":"`+citizen+`","holderTypeCode":"111","certTypeCode":"`+title+`","useCause":"`+cause+`"}}`))
		recorder := httptest.NewRecorder()
		w.ServeHTTP(recorder, r)
		var got struct {
			Head head
			Data json.RawMessage
		}
		if err := json.Unmarshal(recorder.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		var list []aCopy
		if got.Head.Status == ok {
			if err := json.Unmarshal(got.Data, &list); err != nil {
				t.Fatalf("%s: %v", got.Data, err)
			}
		}
		return w, got.Head, list
	}
	w, h, list := ask(identified(1, identifier))
	if h.Status != ok || len(list) != 1 || list[0].CertIdentifier != identifier || w.get(t, http.MethodGet, list[0].Content).Code != http.StatusOK {
		t.Errorf("%+v %+v", h, list)
	}
	if w, h, _ := ask(identified(1, identifier), record(2, "湘(2015)2号", exchange.Valid)); h.Status != otherFault || len(w.entries) != 1 {
		t.Errorf("of two: %+v", h)
	}
}

// forged is a file with another number of the certificate on its pages, packed as soundly as before.
func forged(t testing.TB, file []byte) []byte {
	t.Helper()
	files, err := ofd.Unpack(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i].Content = []byte(strings.ReplaceAll(string(files[i].Content), "湘(2008)", "湘(2009)"))
	}
	packed, err := ofd.Pack(files)
	if err != nil {
		t.Fatal(err)
	}
	return packed
}

func TestVerifyFile(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier))
	file := fileIn(t, w.call(t, "downloadFile", soundFile))
	later := noon.AddDate(0, 0, 30)
	for name, test := range map[string]struct {
		now    time.Time
		file   []byte
		data   map[string]any
		status status
		result string
	}{
		"genuine":         {noon, file, nil, ok, `"0"`},
		"by another":      {noon, file, map[string]any{"certTypeCode": "property-title"}, ok, `"0"`},
		"overdue":         {later, file, nil, ok, `"3"`},
		"changed":         {noon, forged(t, file), nil, ok, `"7"`},
		"with a tail":     {noon, append(slices.Clone(file), "tail"...), nil, ok, `"7"`},
		"damaged":         {noon, []byte(strings.Replace(string(file), "湘(2008)", "湘(2009)", 1)), nil, notOffered, ""}, // its checksum is wrong
		"of another type": {noon, file, map[string]any{"certTypeCode": "marriage-certificate"}, noRight, ""},
		"a PDF":           {noon, []byte("%PDF-1.7"), nil, notOffered, ""},
		"no cause":        {noon, file, map[string]any{"useCause": ""}, valueMissing, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w.now = test.now
			data := map[string]any{"certTypeCode": title, "contentType": "base64", "content": base64.StdEncoding.EncodeToString(test.file), "useCause": cause}
			for member, value := range test.data {
				data[member] = value
			}
			entries := len(w.entries)
			got := w.call(t, "verifyFile", data)
			if got.Head.Status != test.status || string(got.Data["result"]) != test.result || len(w.entries) != entries {
				t.Errorf("%+v %s", got.Head, got.Data)
			}
		})
	}
}

// Of files to verify, which strangers can send as well, few are in memory at once. Who comes again is answered.
func TestFewFilesAtOnce(t *testing.T) {
	w := newWorldIn(t, cityOfFiles())
	var all sync.WaitGroup
	var ends []*io.PipeWriter
	for range mostVerified {
		body, end := io.Pipe()
		ends = append(ends, end)
		all.Go(func() {
			w.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodPost, Path+"/verifyFile", body))
		})
		io.WriteString(end, "{") // it returns once somebody reads
	}
	data := map[string]any{"certTypeCode": title, "contentType": "base64", "content": "UERG", "useCause": cause}
	if got := w.call(t, "verifyFile", data); got.Head.Status != otherFault || !strings.Contains(got.Head.Message, "YM-NAT-0119") {
		t.Errorf("%+v", got.Head)
	}
	for _, end := range ends {
		end.Close()
	}
	all.Wait()
	if got := w.call(t, "verifyFile", data); got.Head.Status != notOffered {
		t.Errorf("later: %+v", got.Head)
	}
}

// What a code names is found only by whoever may see it, for a case, with an entry.
func TestCodeNamesTheRecord(t *testing.T) {
	w := newWorldIn(t, cityOfFiles(), identified(1, identifier), record(2, "湘(2015)2号", exchange.Valid))
	says := pageOf(t, fileIn(t, w.call(t, "downloadFile", soundFile)))
	_, code, _ := strings.Cut(says, `Name="qrcode">`)
	code, _, _ = strings.Cut(code, "<")
	by := func(cause string) map[string]any { return map[string]any{"qrcode": code, "useCause": cause} }
	got := w.call(t, "queryCertInfoByQRcode", by(cause))
	if got.Head.Status != ok || !strings.Contains(string(got.Data["certData"]), titleNo) || len(w.entries) != 2 || w.entries[1].Holder.Number != citizen || w.entries[1].Chosen["property-title"] != (exchange.RecordID{1}) {
		t.Errorf("%+v %s", got.Head, got.Data)
	}
	if got := w.call(t, "queryCertInfoByQRcode", by("无收件号")); got.Head.Status != valueMissing || len(w.entries) != 2 {
		t.Errorf("without a case: %+v", got.Head)
	}
	body := `{"accessId":"scjg/0001","accessToken":"` + otherToken + `","data":{"qrcode":"` + code + `","useCause":"LL-2026-1123-0041"}}`
	if got := w.call(t, "queryCertInfoByQRcode", body); got.Head.Status != ok || string(got.Data["certData"]) != `{"certificateNumber":"`+titleNo+`"}` || w.entries[2].Department != "scjg" {
		t.Errorf("another department is not shown what its own grant has, and no more: %+v %s", got.Head, got.Data)
	}
	w.known = city()
	if got := w.call(t, "queryCertInfoByQRcode", strings.Replace(body, "LL-2026", "food-licence-new LL-2026", 1)); got.Head.Status != noRight {
		t.Errorf("the grant is gone: %+v", got.Head)
	}
	w.known, w.entries = cityOfFiles(), w.entries[:3]
	w.records = w.records[1:]
	if got := w.call(t, "queryCertInfoByQRcode", by(cause)); got.Head.Status != otherFault || !strings.Contains(got.Head.Message, "YM-NAT-0115") || got.Data["certData"] != nil || len(w.entries) != 4 {
		t.Errorf("the record is gone: %+v %s", got.Head, got.Data)
	}
	w.now = noon.AddDate(0, 0, 30)
	if got := w.call(t, "queryCertInfoByQRcode", by(cause)); got.Head.Status != otherFault || !strings.Contains(got.Head.Message, "YM-CPY-0103") {
		t.Errorf("too late: %+v", got.Head)
	}
}
