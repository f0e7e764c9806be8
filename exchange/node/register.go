package node

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/impact"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/opinion"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// RegistryPath is where the schema registry is served, below the node's address.
const RegistryPath = "/registry"

// opinions is how many second validators may run at once, each with up to 256 MiB.
const opinions = 2

// seeder is who registered what comes with the program and the configuration.
const seeder = "yimen"

func loadSchemas(dirs []string) (*schemas.Set, error) {
	set, err := schemas.Builtin()
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		more, err := schemas.Load(os.DirFS(dir), ".")
		if err != nil {
			return nil, err
		}
		set = set.With(more.All()...)
	}
	return set, nil
}

// register starts the schema registry, and puts into it the evidence types that it has never heard of. Those it has are
// left as they are: what was published counts for more than what a program brought along.
func (n *Node) register(ctx context.Context) (err error) {
	idle := &opinion.Idle{}
	n.close = append(n.close, idle.Close)
	n.Registry, err = registry.New(registry.Config{Topics: n.Bus, Opinion: opinion.Asker{Slots: make(chan struct{}, opinions), Idle: idle}, Clock: n.around.Clock, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.goes("fold schemas", n.Registry.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	if err := n.Registry.Settled(ctx); err != nil {
		return err
	}
	for _, schema := range n.brought.All() { // one after the other, so that ids are the same wherever a city begins
		if err := n.seed(ctx, schema); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) seed(ctx context.Context, schema *schemas.Schema) error {
	subject := registry.EvidenceSubject(schema.Type)
	versions, err := n.Registry.Versions(subject, true)
	switch {
	case err != nil && exchange.KindOf(err) != exchange.NotFound:
		return err
	case len(versions) == 0 && n.heardOf(subject): // somebody took it out for good
		return nil
	case len(versions) == 0:
		_, err := n.Registry.Register(ctx, seeder, subject, registry.Candidate{Text: schema.Text}, false)
		return err
	}
	if latest := versions[len(versions)-1]; latest.GUID != schema.ID {
		n.around.Log.Info("the registry has another version of an evidence type than the configuration; the registry's counts",
			"type", schema.Type, "version", latest.Version)
	}
	return nil
}

// heardOf says whether a subject ever had a version.
func (n *Node) heardOf(subject string) bool {
	return slices.ContainsFunc(n.Registry.History(subject), func(c registry.Change) bool { return c.Version > 0 })
}

// schema finds the schema that a record names. A record can arrive before the schema it was written by is folded here;
// it was registered before the record was appended, so it is on the topic by now.
func (n *Node) schema(ctx context.Context, id string) (*schemas.Schema, error) {
	for caughtUp := false; ; caughtUp = true {
		if s, known := n.Registry.Evidence().ByID(id); known || caughtUp {
			return s, nil
		}
		for n.Registry.Settled(ctx) != nil { // while Kafka is away, nobody knows
			select {
			case <-ctx.Done():
				return nil, context.Cause(ctx)
			case <-time.After(time.Second):
			}
		}
	}
}

// registryHandler serves the registry below RegistryPath.
func (n *Node) registryHandler() http.Handler {
	return http.StripPrefix(RegistryPath, rest.New(rest.Config{Registry: n.Registry, Writer: n.door.With(door.Schemas), Impact: n.impact, Log: n.around.Log, Metrics: n.Metrics}))
}

// impact says what a new schema of an evidence type would break here.
func (n *Node) impact(ctx context.Context, subject string, text []byte, progress func(done, of int64)) (json.RawMessage, error) {
	kind := registry.EvidenceType(subject)
	if kind == "" {
		return nil, &exchange.Problem{Code: "YM-IMP-0103", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "这个主题名不是证照类型", EN: "this subject is no evidence type"},
			Mend: exchange.Text{ZH: "影响只能按证照类型计算，主题名形如 evidence.类型-value", EN: "only evidence types have records here; their subjects are evidence.TYPE-value"}}
	}
	schema, err := schemas.Parse(text)
	if err != nil {
		return nil, err
	}
	if schema.Type != kind {
		return nil, &exchange.Problem{Code: "YM-IMP-0102", Kind: exchange.Invalid,
			What: exchange.Text{ZH: "Schema 描述的是另一种证照：" + string(schema.Type), EN: "the schema describes another evidence type: " + string(schema.Type)},
			Mend: exchange.Text{ZH: "改正 x-evidence-type，或改用它的主题名", EN: "mend x-evidence-type, or name its own subject"}}
	}
	old, _ := n.Registry.Evidence().ByType(kind)
	report, err := impact.Assess(ctx, impact.Question{Old: old, New: schema, Catalogue: n.Current(), Holdings: n.Index,
		Day: exchange.Date(n.around.Clock().In(exchange.China).Format(time.DateOnly)), Progress: progress})
	if err != nil {
		return nil, err
	}
	return json.Marshal(report)
}
