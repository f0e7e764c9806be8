package test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/node"
	"github.com/onedoor/yimen/test/logs"
)

const canaryManifest = `
adapter: wjw/canaries
evidence: health-certificate
source: {kind: tabular, path: canaries.csv, complete: true}
dialect: {encoding: utf-8}
holders: {kind: person}
tolerance: {rows: 1000, share: 0.9, unreadable: 500}
mapping:
  name: 姓名
  citizenNumber: {column: 证号, as: citizen-number}
  certificateNumber: 编号
  trade: {constant: 食品}
  result: {constant: 合格}
  issuingAuthority: 机构
  issuedOn: {column: 体检日期, as: date}
  validFrom: {column: 体检日期, as: date}
  validUntil: {column: 有效期, as: date}
`

// planted is how many people there are on the embedded broker, each with an unmistakable name, number and certificate.
const planted = 10_000

func TestCanariesAppearNowhere(t *testing.T) { canariesAppearNowhere(t, planted) }

// canariesAppearNowhere publishes the data of people, asks about them rightly and wrongly, and then looks for any trace of them: in
// answers that refuse, metrics, logs, traces, topics, in every file of the exchange and of the adapter's state, and in temporary files.
func canariesAppearNowhere(t *testing.T, people int, brokers ...string) *watchlist {
	var log logs.Buffer
	dir, temporary := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	spans := newReceiver(t)
	traces := node.Traces{Endpoint: spans.URL}
	tracer, deliver, err := traces.Open("adapter", "canaries", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	p := &place{t: t, dir: dir, now: afternoon, log: slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})), tracer: tracer}
	cfg := settings(brokers...)
	cfg.Traces = traces
	p.start(cfg, demo.Catalogue())
	department := t.TempDir() // its own machine: its file is not ours to search
	w, numbers := plant(t, filepath.Join(department, "canaries.csv"), people)
	write(t, filepath.Join(department, "canaries.yaml"), canaryManifest)
	result := p.publish(filepath.Join(department, "canaries.yaml"))
	if result.Read != int64(people) || result.Published == 0 || result.Quarantined == 0 {
		t.Fatalf("the test needs sound and faulty rows: %+v", result)
	}

	w.look(t, "a refusal", askInEveryWay(t, p, numbers[:60]))
	addresses := copies(t, p, numbers[3:9])
	w.look(t, "an address of a copy", []byte(strings.Join(addresses, "\n")))
	for _, address := range addresses { // from here on its ticket is a canary too: whoever has it has the copy
		ticket := address[strings.LastIndex(address, "/")+1:]
		w.add(ticket, ticket)
	}
	w.look(t, "the metrics", get(t, p.node.URL()+"/metrics"))
	w.look(t, "the metrics with their traces", openMetrics(t, p))
	w.look(t, "readiness", get(t, p.node.URL()+"/readyz?verbose"))
	for _, topic := range []string{"evidence.health-certificate", "quarantine.wjw", "coverage.wjw", "audit"} {
		entries := 0
		p.follow(topic, func(m *exchange.Message) {
			entries++
			w.look(t, topic, slices.Concat(m.Key, m.Value))
			for _, h := range m.Headers {
				w.look(t, topic+" header "+h.Name, h.Value)
			}
		})
		if entries == 0 {
			t.Errorf("nothing stands on %s: the search was in vain", topic)
		}
	}
	p.close()
	deliver()
	if n := w.look(t, "a span", spans.raw); n < 100_000 {
		t.Errorf("%d bytes of spans: the search was in vain", n)
	}
	if w.look(t, "the log", []byte(log.String())) == 0 {
		t.Error("nothing was logged: the search was in vain")
	}
	size := w.lookBelow(t, dir)
	w.lookBelow(t, temporary)
	t.Logf("%d forms of %d people; %d bytes of files, %d of logs", w.count, people, size, len(log.String()))
	return w
}

// plant writes a file of sound and faulty rows about people with unmistakable names and numbers.
func plant(t *testing.T, path string, people int) (w *watchlist, numbers []string) {
	w = newWatchlist()
	var b strings.Builder
	b.WriteString("姓名,证号,编号,机构,体检日期,有效期\n")
	for i := range people {
		name := fmt.Sprintf("金丝雀%c%c", '一'+rune(i), '龘'-rune(i))
		body := fmt.Sprintf("430281%d%04d%03d", 1940+i/400, 101+i%28, 100+i/28%800)
		number := body + string(identity.CitizenCheck(body))
		certificate := fmt.Sprintf("JKZ-KANARIE-%05d", i)
		day := "2026-03-07"
		switch i % 60 {
		case 1:
			number = body + "?"
		case 2:
			day = "昨天"
		}
		fmt.Fprintf(&b, "%s,%s,%s,醴陵市疾控中心,%s,2027-03-06\n", name, number, certificate, day)
		w.add(name, name)
		w.add(body, number)
		w.add(certificate, certificate)
		numbers = append(numbers, number)
	}
	write(t, path, b.String())
	if err := os.Chtimes(path, afternoon, afternoon); err != nil {
		t.Fatal(err)
	}
	return w, numbers
}

// askInEveryWay asks rightly and wrongly, and gives what was refused.
func askInEveryWay(t *testing.T, p *place, numbers []string) []byte {
	t.Helper()
	var refused bytes.Buffer
	for i, number := range numbers {
		bodies := []string{
			fmt.Sprintf(`{"case":"LL-2026-%04d","item":"public-place-hygiene","applicant":"%s"}`, i, number),
			fmt.Sprintf(`{"case":"LL-2026-%04d","item":"no-such-item","applicant":"%s"}`, i, number),
			fmt.Sprintf(`{"case":"%s","item":"food-licence-new","applicant":"%s"}`, number, number),
			fmt.Sprintf(`{"case":"LL-2026-%04d","item":"%s","applicant":"%s"}`, i, number, number),
			fmt.Sprintf(`{"%s":1}`, number),
			fmt.Sprintf(`{"case":"LL-2026-%04d","applicant":"%s"`, i, number),
		}
		for _, item := range p.node.Catalogue.Services() {
			bodies = append(bodies, fmt.Sprintf(`{"case":"LL-2026-%04d","item":"%s","applicant":"%s"}`, i, item.Code, number))
		}
		for _, body := range bodies {
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.client.Base+"/v1/queries", strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Authorization", "Bearer "+token)
			request.Header.Set("Traceparent", "00-00000000000000"+number+"-00f067aa0ba902b7-01")
			request.Header.Set("Tracestate", "who="+number)
			request.Header.Set("Baggage", "who="+number)
			response, err := http.DefaultClient.Do(request)
			if err != nil {
				t.Fatal(err)
			}
			content, err := io.ReadAll(response.Body)
			response.Body.Close()
			if err != nil {
				t.Fatal(err)
			}
			if response.StatusCode != http.StatusOK {
				refused.Write(content)
			}
		}
	}
	get(t, p.client.Base+"/v1/items/"+numbers[0]+"?who="+numbers[0])
	get(t, p.client.Base+"/"+numbers[0])
	get(t, p.client.Base+node.RegistryPath+"/subjects/"+numbers[0])
	stranger := api.Client{Base: p.client.Base, Token: numbers[0]}
	_, err := stranger.Query(t.Context(), api.QueryRequest{Case: "LL-2026-0001", Item: "food-licence-new", Applicant: numbers[0]})
	if err == nil {
		t.Error("a stranger was answered")
	} else {
		refused.WriteString(err.Error())
	}
	return refused.Bytes()
}

// copies has copies of people's records made, fetches one of two, asks for all in clear, and gives the addresses.
func copies(t *testing.T, p *place, numbers []string) (addresses []string) {
	t.Helper()
	n := national{p}
	for i, number := range numbers {
		var given []struct{ Content string }
		n.ask("downloadUrlsByHolderCode", `{"holderCode":"`+number+`","holderTypeCode":"111","certTypeCode":"health-certificate","useCause":"food-licence-individual LL-2026-1123-0041 为金丝雀办理"}`, &given)
		address := given[0].Content
		if i%2 == 0 && !bytes.Contains(n.fetch(address), []byte("KANARIE")) {
			t.Error("a copy says nothing of its record: the search is in vain")
		}
		addresses = append(addresses, address)
	}
	for _, address := range addresses { // which is refused
		_, path, _ := strings.Cut(address, "/national/")
		get(t, p.node.URL()+"/national/"+path)
	}
	return addresses
}

func get(t *testing.T, url string) []byte {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
