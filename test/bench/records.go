package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/identity"
	"github.com/onedoor/yimen/exchange/node"
)

//go:embed catalogue
var embedded embed.FS

// benchCatalogue adds the item that is asked for, and the grants for it.
func benchCatalogue() fs.FS {
	sub, err := fs.Sub(embedded, "catalogue")
	if err != nil { // only a path that is malformed
		panic(err)
	}
	return sub
}

const benchItem = exchange.Item("bench-six")

// form is one type of evidence of the item: its document, with $NUMBER, $SPOUSE, $SIX and $TWELVE (serials) and $LATER (a day
// not past) to be filled in. The documents are of the size that the demonstration's are.
type form struct {
	evidence exchange.EvidenceType
	adapter  exchange.Adapter
	document string
}

var forms = []form{
	{"household-registration", "gaj/bench-households", `{"citizenNumber":"$NUMBER","name":"张示例","sex":"男","bornOn":"1990-01-01","nation":"汉","householdNumber":"$TWELVE","householdType":"家庭户","headName":"张示例","relation":"户主","division":"430281","address":"湖南省醴陵市示例路3号1栋1单元501室","issuingAuthority":"醴陵市公安局","issuedOn":"2015-06-01","status":"在册"}`},
	{"marriage-certificate", "mzj/bench-marriages", `{"certificateNumber":"J430281-2018-$SIX","spouses":[{"name":"张示例","number":"$NUMBER","sex":"男"},{"name":"李示例","number":"$SPOUSE","sex":"女"}],"registeredOn":"2018-05-20","issuingAuthority":"醴陵市民政局","issuedOn":"2018-05-20","status":"有效"}`},
	{"social-insurance", "rsj/bench-insurances", `{"citizenNumber":"$NUMBER","name":"张示例","division":"430281","personalNumber":"$TWELVE","employerName":"醴陵市示例瓷业有限公司","insurances":[{"kind":"企业职工基本养老保险","state":"参保缴费","insuredSince":"2012-07-01","paidUntil":"2026-01","monthsPaid":163},{"kind":"工伤保险","state":"参保缴费"}],"issuingAuthority":"醴陵市人力资源和社会保障局","validFrom":"2012-07-01","status":"正常"}`},
	{"health-certificate", "wjw/bench-health", `{"certificateNumber":"430281-2025-$SIX","citizenNumber":"$NUMBER","name":"张示例","sex":"男","trade":"食品","examinedOn":"2025-06-03","result":"合格","issuingAuthority":"醴陵市示例医院","issuedOn":"2025-06-05","validFrom":"2025-06-05","validUntil":"$LATER","status":"有效"}`},
	{"property-title", "zrzy/bench-titles", `{"certificateNumber":"湘(2023)醴陵市不动产权第$SIX号","unitNumber":"430281001002GB00003F00010005","owners":[{"name":"张示例","number":"$NUMBER","share":"50%"},{"name":"李示例","number":"$SPOUSE","share":"50%"}],"coOwnership":"按份共有","location":"醴陵市示例路3号1栋1单元501室","rightType":"国有建设用地使用权/房屋所有权","rightNature":"出让/市场化商品房","usage":"城镇住宅用地/住宅","area":"118.36","landArea":"20.15","issuingAuthority":"醴陵市自然资源局","issuedOn":"2023-04-12","status":"现势"}`},
	{"driving-licence", "gaj/bench-driving", `{"fileNumber":"$TWELVE","citizenNumber":"$NUMBER","name":"张示例","sex":"男","nationality":"中国","bornOn":"1990-01-01","address":"湖南省醴陵市示例路3号1栋1单元501室","firstIssuedOn":"2010-08-16","classes":["C1","D"],"issuingAuthority":"湖南省株洲市公安局交通警察支队","issuedOn":"2020-08-16","validFrom":"2020-08-16","status":"正常"}`},
}

// holdersShare is how many of the item's materials each applicant holds: all but one, so that an answer must also rest on coverage.
const holdersShare = 5

// lacks says which of the forms the applicant of that index does not hold.
func lacks(index int) int { return index % len(forms) }

// applicant is the citizen number of that index: a day of birth of 27 years, and a sequence.
func applicant(index int) string {
	const days = 10_000
	born := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, index%days)
	division := 430281 + index/(days*999)%5 // five neighbours: 49 million numbers
	body := fmt.Sprintf("%06d%s%03d", division, born.Format("20060102"), 1+index/days%999)
	return body + string(identity.CitizenCheck(body))
}

// spouseFrom is where the numbers begin of those who appear in certificates without ever asking.
const spouseFrom = 20_000_000

func (f *form) fill(index int, later string) []byte {
	return []byte(strings.NewReplacer("$NUMBER", applicant(index), "$SPOUSE", applicant(spouseFrom+index), "$SIX", fmt.Sprintf("%06d", index),
		"$TWELVE", fmt.Sprintf("%012d", index), "$LATER", later).Replace(f.document))
}

// publish puts the holders' records onto the topics, sealed as an adapter seals them, with a coverage statement for each type.
func publish(ctx context.Context, n *node.Node, holders int) (int64, error) {
	var total atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(3)
	for i := range forms {
		group.Go(func() error {
			count, err := publishForm(ctx, n, i, holders)
			total.Add(count)
			if err != nil {
				return fmt.Errorf("publish %s: %w", forms[i].evidence, err)
			}
			return nil
		})
	}
	err := group.Wait()
	return total.Load(), err
}

func publishForm(ctx context.Context, n *node.Node, at, holders int) (int64, error) {
	f := &forms[at]
	schema, ok := n.Registry.Evidence().ByType(f.evidence)
	if !ok {
		return 0, fmt.Errorf("there is no schema of it")
	}
	public, err := n.PublicKey(ctx, envelope.Standard)
	if err != nil {
		return 0, err
	}
	signer, err := enrol(ctx, n, f.adapter)
	if err != nil {
		return 0, err
	}
	sealer, err := envelope.NewSealer(envelope.SealerConfig{Adapter: f.adapter, DepartmentKey: departmentKey, ExchangeKey: public, Signer: signer})
	if err != nil {
		return 0, err
	}
	now := time.Now()
	p := publishing{n: n, form: f, schema: schema.ID, sealer: sealer, now: now, end: map[int]int64{}, later: string(exchange.DateOf(now.AddDate(1, 0, 0)))}
	for index := range holders {
		if lacks(index) == at {
			continue
		}
		if err := p.record(ctx, index); err != nil {
			return p.count, err
		}
	}
	if err := p.send(ctx); err != nil {
		return p.count, err
	}
	return p.count, p.cover(ctx)
}

// departmentKey serves all departments of a bench.
var departmentKey = []byte("a key of a bench: 32 bytes or so")

// publishing is the publishing of one type.
type publishing struct {
	n      *node.Node
	form   *form
	schema string
	sealer *envelope.Sealer
	now    time.Time
	later  string
	count  int64
	batch  *envelope.Batch
	msgs   []exchange.Message
	end    map[int]int64
}

func (p *publishing) record(ctx context.Context, index int) (err error) {
	if p.batch == nil {
		p.batch = p.sealer.Batch()
	}
	m, err := p.batch.Record(envelope.Draft{Type: p.form.evidence, ID: p.sealer.RecordID(p.form.evidence, fmt.Sprint(index)), Version: 1,
		Schema: p.schema, Payload: p.form.fill(index, p.later), At: p.now})
	if err != nil {
		return err
	}
	p.msgs = append(p.msgs, m)
	p.count++
	if len(p.msgs) < 4000 {
		return nil
	}
	return p.send(ctx)
}

func (p *publishing) send(ctx context.Context) error {
	if len(p.msgs) == 0 {
		return nil
	}
	if err := p.batch.Sign(p.msgs); err != nil {
		return err
	}
	if err := p.n.Bus.Append(ctx, p.msgs[0].Topic, p.msgs); err != nil {
		return err
	}
	for i := range p.msgs {
		m := &p.msgs[i]
		p.end[m.Partition] = max(p.end[m.Partition], m.Offset+1)
	}
	p.batch, p.msgs = nil, p.msgs[:0]
	return nil
}

func (p *publishing) cover(ctx context.Context) error {
	batch := p.sealer.Batch()
	m, err := batch.Statement(exchange.Coverage{Adapter: p.form.adapter, Type: p.form.evidence, Holders: exchange.Scope{Kind: exchange.Person},
		Alive: p.now.UTC(), CompleteUpTo: p.now.UTC(), End: p.end, Read: p.count, Published: p.count})
	if err != nil {
		return err
	}
	said := []exchange.Message{m}
	if err := batch.Sign(said); err != nil {
		return err
	}
	return p.n.Bus.Append(ctx, m.Topic, said)
}

// enrol gives an adapter of a bench its certificate.
func enrol(ctx context.Context, n *node.Node, adapter exchange.Adapter) (*certs.Credential, error) {
	_, name, _ := strings.Cut(string(adapter), "/")
	dir, err := os.MkdirTemp("", "yimen-bench-identity-")
	if err != nil {
		return nil, fmt.Errorf("make directory of an identity: %w", err)
	}
	defer os.RemoveAll(dir) // it stays in memory
	return n.Enrol(ctx, certs.Identity{Department: adapter.Department(), Role: certs.Adapter, Name: name}, certs.CredentialConfig{Dir: dir, Name: "identity"})
}
