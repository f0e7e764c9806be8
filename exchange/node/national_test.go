package node

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange/copies"
	"github.com/onedoor/yimen/exchange/erasure"
	"github.com/onedoor/yimen/exchange/national"
)

// What was published is answered in the national convention too, with a receipt.
func TestNationalInterface(t *testing.T) {
	n := start(t, settings(t))
	t.Cleanup(func() { stop(t, n) })
	publish(t, n, 1)
	for operation, test := range map[string]struct{ data, want string }{
		"queryCertInfoByHolderCode": {`{"holderCode":"` + company + `","holderTypeCode":"001","certTypeCode":"business-licence","useCause":"food-licence-new LL-2026-1123-0041"}`, `"creditCode":"` + company + `"`},
		"verifyCertInfo":            {`{"certTypeCode":"business-licence","certData":{"holderCode":"` + company + `","certNo":"` + company + `"},"useCause":"food-licence-new LL-2026-1123-0041"}`, `"result":"0"`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL()+national.Path+"/"+operation, strings.NewReader(`{"accessId":"xzsp/0017","accessToken":"`+token+`","data":`+test.data+`}`))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		var answer struct {
			Head struct{ Status int }
			Data struct {
				Receipt struct{ ID, Hash string }
			}
		}
		if err != nil || json.Unmarshal(body, &answer) != nil || answer.Head.Status != 0 || !strings.Contains(string(body), test.want) || answer.Data.Receipt.Hash == "" {
			t.Errorf("%s: %s, %v", operation, body, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// A copy is fetched once, bare, over https at the departments' address, and verified as genuine; while the authority is closed none waits.
func TestCopiesOfARecord(t *testing.T) {
	local, err := certs.NewLocal(certs.LocalConfig{Dir: filepath.Join(t.TempDir(), "keys"), City: DefaultCity, Clock: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	authority := &closable{Authority: local}
	around := surroundings()
	around.authority = authority
	n, err := Start(t.Context(), settings(t), around)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { n.Close() })
	publish(t, n, 1)
	city := x509.NewCertPool()
	for _, root := range n.Authority.Roots() {
		city.AddCert(root)
	}
	bare := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: city, Time: around.Clock}}}
	t.Cleanup(bare.CloseIdleConnections)
	fetch := func(address string) (int, []byte) {
		t.Helper()
		response, err := bare.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response.StatusCode, body
	}
	address := func() string {
		t.Helper()
		var list []struct{ ContentType, Content string }
		if status := askNational(t, n, "downloadUrlsByHolderCode", `{"holderCode":"`+company+`","holderTypeCode":"001","certTypeCode":"business-licence","useCause":"food-licence-new LL-2026-1123-0041"}`, &list); status != 0 || len(list) != 1 || !strings.HasPrefix(list[0].Content, n.DepartmentsURL()+"/") {
			t.Fatalf("%d %+v", status, list)
		}
		return list[0].Content
	}
	at := address()
	code, file := fetch(at)
	if again, _ := fetch(at); code != http.StatusOK || again != http.StatusNotFound {
		t.Errorf("first %d, then %d", code, again)
	}
	var said struct{ Result, Message string }
	if status := askNational(t, n, "verifyFile", `{"certTypeCode":"business-licence","contentType":"base64","content":"`+base64.StdEncoding.EncodeToString(file)+`","useCause":"food-licence-new LL-2026-1123-0041"}`, &said); status != 0 || said.Result != "0" {
		t.Errorf("%d %+v", status, said)
	}
	at = address()
	if _, err := n.Erase(t.Context(), "scjg/0001", EraseRequest{Kind: erasure.OfHolder, Number: company, Basis: "pipl-47"}); err != nil {
		t.Fatal(err)
	}
	if code, body := fetch(at); code != http.StatusNotFound || !strings.Contains(string(body), "YM-NAT-0117") {
		t.Errorf("of what was erased: %d", code)
	}
	place, err := n.shelf.Reserve("xzsp")
	if err != nil {
		t.Fatal(err)
	}
	at = place.Put(copies.Kept{File: file})
	authority.closed.Store(true)
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(lookAgain / 4) {
		if _, err := n.shelf.Find(at); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("a file waits although the keys were given up")
		}
	}
}

// askNational asks in the national convention, and gives the head's status.
func askNational(t *testing.T, n *Node, operation, data string, into any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL()+national.Path+"/"+operation, strings.NewReader(`{"accessId":"xzsp/0017","accessToken":"`+token+`","data":`+data+`}`))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer := struct {
		Head struct{ Status int }
		Data any
	}{Data: into}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer.Head.Status
}

// An address is where its asker asked, if that was over https, and never plain http.
func TestAddressesAreHTTPS(t *testing.T) {
	asked := func(secure bool) *http.Request {
		r := &http.Request{Host: "exchange.city:8443"}
		if secure {
			r.TLS = &tls.ConnectionState{}
		}
		return r
	}
	for name, test := range map[string]struct {
		listens string
		hosts   []string
		secure  bool
		want    string
	}{
		"over https":                     {"0.0.0.0:7443", nil, true, "https://exchange.city:8443"},
		"plain":                          {"10.1.2.3:7443", nil, false, "https://10.1.2.3:7443"},
		"plain, everywhere":              {"0.0.0.0:7443", []string{"node1.city"}, false, "https://node1.city:7443"},
		"plain, everywhere in IPv6":      {"[::]:7443", []string{"fd00::1"}, false, "https://[fd00::1]:7443"},
		"plain, everywhere, and no name": {"0.0.0.0:7443", nil, false, ""},
	} {
		n := &Node{cfg: Config{Hosts: test.hosts}, fronts: []*front{{address: "127.0.0.1:7080"}, {address: test.listens}}}
		got, err := n.origin(asked(test.secure))
		if got != test.want || (err != nil) != (test.want == "") {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
