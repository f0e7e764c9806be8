package node

import (
	"context"
	"errors"
	"net/http"
	"os"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
	"github.com/onedoor/yimen/schemas/opinion"
	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/schemas/rest"
)

// RegistryPath is where the schema registry is served, below the node's address.
const RegistryPath = "/registry"

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
	n.Registry, err = registry.New(registry.Config{Topics: n.Bus, Opinion: opinion.Asker{}, Clock: n.around.Clock, Log: n.around.Log, Metrics: n.Metrics})
	if err != nil {
		return err
	}
	n.goes("fold schemas", n.Registry.Run)
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	if err := n.Registry.Settled(ctx); err != nil {
		return err
	}
	for _, schema := range n.own.All() {
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

// schema finds the schema that a record names. A record can arrive before the schema it was written by is folded here;
// it was registered before the record was appended, so it is on the topic by now.
func (n *Node) schema(ctx context.Context, id string) (*schemas.Schema, error) {
	for caughtUp := false; ; caughtUp = true {
		if s, known := n.Registry.Evidence().ByID(id); known || caughtUp {
			return s, nil
		}
		if err := n.Registry.Settled(ctx); err != nil {
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// registryHandler serves the registry below RegistryPath.
func (n *Node) registryHandler() http.Handler {
	return http.StripPrefix(RegistryPath, rest.New(rest.Config{Registry: n.Registry, Writer: n.callers.SchemaWriter, Log: n.around.Log}))
}
