package test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const (
	titleHolder     = "430281199001010017" // a made-up person
	titleIdentifier = "1.2.156.3005.2.11100000MB03271699001.11430281000000019L.20160000001.001.Y"
	titleCause      = "household-move LL-2026-1123-0041"
)

// titlesManifest is an adapter that knows identifiers of titles.
const titlesManifest = `
adapter: zrzy/titles
evidence: property-title
source: {kind: tabular, path: titles.csv, complete: true}
dialect: {encoding: utf-8}
holders: {}
tolerance: {rows: 1, share: 0.5, unreadable: 1}
mapping:
  certificateNumber: 编号
  certificateIdentifier: 标识
  unitNumber: 单元号
  owners: {split: 、, items: {name: {column: 权利人}, number: {column: 证件号码, as: holder-number}}}
  location: 坐落
  rightType: {constant: 国有建设用地使用权/房屋所有权}
  notes: 附记
  issuedOn: {column: 日期, as: date}
`

const titlesGrants = `
- {department: xzsp, evidence: property-title, item: household-move, fields: [certificateNumber, certificateIdentifier, owners, location, notes], basis: {zh: 法}, from: 2026-01-01, until: 2026-12-31}
`

// TestCopyIsReadByOthers follows a title from its department's file to a copy that a provincial node fetches: readers that are not ours
// (ofdrw, ZXing) see on its pages what the grant allows, the exchange knows it again, and the code on its last page finds the title.
func TestCopyIsReadByOthers(t *testing.T) {
	p := openUnder(t, t.TempDir(), afternoon, nil, fstest.MapFS{"grants.yaml": {Data: []byte(titlesGrants)}})
	department := t.TempDir()
	notes := strings.Repeat("附记很长，要写满不止一页。With English words in between. ", 70)
	write(t, filepath.Join(department, "titles.csv"), "编号,标识,单元号,权利人,证件号码,坐落,附记,日期\n湘(2016)醴陵市不动产权第0000001号,"+titleIdentifier+",430281001002GB00003F00010005,张示例、李示例,"+titleHolder+"、430281199001010025,醴陵市示例路3号1栋1单元501室,"+notes+",2016-04-12\n")
	write(t, filepath.Join(department, "titles.yaml"), titlesManifest)
	if result := p.publish(filepath.Join(department, "titles.yaml")); result.Published != 1 {
		t.Fatalf("%+v", result)
	}
	n := national{p}
	var given struct{ Content, CertIdentifier string }
	n.ask("downloadFile", `{"fileType":"ofd","certificateIdentifier":"`+titleIdentifier+`","certificateCopyCause":"`+titleCause+`","holderCode":"`+titleHolder+`","holderTypeCode":"111"}`, &given)
	file, err := base64.StdEncoding.DecodeString(given.Content)
	if err != nil || given.CertIdentifier != titleIdentifier {
		t.Fatalf("%v %q", err, given.CertIdentifier)
	}
	n.genuine(file)
	n.ask("downloadUrl", `{"certIdentifier":"`+titleIdentifier+`","useCause":"`+titleCause+`","holderCode":"`+titleHolder+`","holderTypeCode":"111"}`, &given)
	n.genuine(n.fetch(given.Content))

	seen := readByOthers(t, file)
	for _, want := range []string{"不动产权证书", "数据加注件", "湘(2016)醴陵市不动产权第0000001号", titleIdentifier, "李示例", "430281199001010025", "醴陵市示例路3号1栋1单元501室", "430281********0017", "收件号：LL-2026-1123-0041",
		"attachment seal.json", "custom JZJZZSJ " + afternoon.Format(time.DateTime), "custom JZJZZSY 办理事项：", "custom ZZBS " + titleIdentifier, "第 2 页，共 "} {
		if !strings.Contains(seen, want) {
			t.Errorf("others do not see %q", want)
		}
	}
	for _, secret := range []string{"430281001002GB00003F00010005", "2016-04-12", "xzsp/0017"} {
		if strings.Contains(seen, secret) {
			t.Errorf("others see %q", secret)
		}
	}
	_, code, _ := strings.Cut(seen, "\ncode ")
	_, code, _ = strings.Cut(code, " ")
	code, _, _ = strings.Cut(code, "\n")
	var found struct{ CertData map[string]any }
	n.ask("queryCertInfoByQRcode", `{"qrcode":"`+code+`","useCause":"`+titleCause+`"}`, &found)
	if found.CertData["certificateIdentifier"] != titleIdentifier {
		t.Errorf("the code on the page finds %v", found.CertData)
	}
}

// readByOthers is what ofdrw and ZXing say of a file. With YIMEN_TEST_PICTURES it leaves pictures of the pages.
func readByOthers(t *testing.T, file []byte) string {
	t.Helper()
	java, jars := os.Getenv("YIMEN_TEST_JAVA"), os.Getenv("YIMEN_TEST_OFD")
	if java == "" || jars == "" {
		t.Skip("skipped: needs Java and ofdrw; run ./test/run")
	}
	path := filepath.Join(t.TempDir(), "copy.ofd")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-Dfile.encoding=UTF-8", "-Djava.awt.headless=true", "-cp", filepath.Join(jars, "*"), filepath.Join("ofd", "Read.java"), path}
	if pictures := os.Getenv("YIMEN_TEST_PICTURES"); pictures != "" {
		args = append(args, pictures)
		if fonts, err := exec.Command("fc-list", ":lang=zh", "file").Output(); err == nil && len(fonts) > 0 {
			font, _, _ := strings.Cut(string(fonts), ":")
			args = append(args, font)
		}
	}
	cmd := exec.CommandContext(t.Context(), java, args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, out.String(), errs.String())
	}
	return out.String()
}

// national asks a place in the national convention.
type national struct{ *place }

func (n national) ask(operation, data string, into any) {
	n.t.Helper()
	response, err := http.Post(n.node.URL()+"/national/"+operation, "application/json", strings.NewReader(`{"accessId":"xzsp/0017","accessToken":"`+token+`","data":`+data+`}`))
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		n.t.Fatal(err)
	}
	answer := struct {
		Head struct {
			Status  int
			Message string
		}
		Data any
	}{Data: into}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Head.Status != 0 {
		n.t.Fatalf("%s: %v %+v", operation, err, answer.Head)
	}
}

func (n national) genuine(file []byte) {
	n.t.Helper()
	var said struct{ Result string }
	n.ask("verifyFile", `{"certTypeCode":"property-title","contentType":"base64","content":"`+base64.StdEncoding.EncodeToString(file)+`","useCause":"`+titleCause+`"}`, &said)
	if said.Result != "0" {
		n.t.Errorf("verified as %s", said.Result)
	}
}

// fetch gets what stands at an address, with no word of who asks.
func (n national) fetch(address string) []byte {
	n.t.Helper()
	city := x509.NewCertPool()
	for _, root := range n.node.Authority.Roots() {
		city.AddCert(root)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: city, Time: n.clock}}}
	defer client.CloseIdleConnections()
	response, err := client.Get(address)
	if err != nil {
		n.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != "application/ofd" {
		n.t.Fatalf("%d %v", response.StatusCode, err)
	}
	return body
}
