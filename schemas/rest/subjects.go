package rest

import (
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

func root(c *call) error { return c.answer(struct{}{}) }

// listContexts tells of the one context there is.
func listContexts(c *call) error {
	contexts, err := part(c.query, []string{"."})
	if err != nil {
		return err
	}
	return c.answer(contexts)
}

// prefixed lists the subjects that begin with what the query names, in whatever context.
func (c *call) prefixed(deleted, only bool) []string {
	prefix := c.query.text("subjectPrefix")
	if len(prefix) >= len(anyContext) && prefix[:len(anyContext)] == anyContext {
		prefix = prefix[len(anyContext):]
	} else if context, rest, qualified := splitContext(prefix); qualified {
		if context != "." {
			return nil
		}
		prefix = rest
	}
	return c.Registry.Subjects(prefix, deleted, only)
}

func (c *call) deleted() bool     { return c.query.flag("deleted") }
func (c *call) deletedOnly() bool { return c.query.flag("deletedOnly", "deleted_only") }

func listSubjects(c *call) error {
	subjects, err := part(c.query, c.prefixed(c.deleted() || c.deletedOnly(), c.deletedOnly()))
	if err != nil {
		return err
	}
	return c.answer(subjects)
}

func listVersions(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	only := c.deletedOnly()
	entries, err := c.Registry.Versions(subject, only || c.deleted())
	if err != nil {
		return err
	}
	var numbers []int
	for _, e := range entries {
		if !only || e.Deleted {
			numbers = append(numbers, e.Version)
		}
	}
	if len(numbers) == 0 {
		return noSuchSubject(subject)
	}
	if numbers, err = part(c.query, numbers); err != nil {
		return err
	}
	return c.answer(numbers)
}

// version is the entry the path names, with its notices.
func (c *call) version() (registry.Entry, error) {
	subject, number, err := c.subjectVersion()
	if err != nil {
		return registry.Entry{}, err
	}
	e, err := c.Registry.Version(subject, number, c.deleted())
	if err == nil {
		c.notices(e)
	}
	return e, err
}

func getVersion(c *call) error {
	e, err := c.version()
	if err != nil {
		return err
	}
	return c.answer(entryFor(e, c.reader()))
}

func getVersionText(c *call) error {
	e, err := c.version()
	if err != nil {
		return err
	}
	c.bytes(200, e.Text)
	return nil
}

// getByMetadata finds the latest version whose metadata has all the properties that the query names in pairs of key and value.
func getByMetadata(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	keys, values := c.query.values["key"], c.query.values["value"]
	if len(keys) != len(values) {
		return badNumber("key")
	}
	entries, err := c.Registry.Versions(subject, c.deleted())
	if err != nil {
		return err
	}
	for i := len(entries) - 1; i >= 0; i-- {
		if e := entries[i]; has(e.Metadata, keys, values) {
			c.notices(e)
			return c.answer(entryFor(e, c.reader()))
		}
	}
	return noSuchSchema()
}

func has(m *registry.Metadata, keys, values []string) bool {
	for i, key := range keys {
		if m == nil || m.Properties[key] != values[i] {
			return false
		}
	}
	return true
}

func referencedBy(c *call) error {
	subject, number, err := c.subjectVersion()
	if err != nil {
		return err
	}
	if number == 0 {
		latest, err := c.Registry.Version(subject, 0, false)
		if err != nil {
			return err
		}
		number = latest.Version
	}
	ids, err := c.Registry.ReferencedBy(subject, number)
	if err != nil {
		return err
	}
	if ids, err = part(c.query, ids); err != nil {
		return err
	}
	return c.answer(ids)
}

// lookUp answers whether the subject has a schema, and as which version. It costs about what a check costs.
func lookUp(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	candidate, err := c.candidate()
	if err != nil {
		return err
	}
	done, err := c.turn(c.r.Context())
	if err != nil {
		return err
	}
	defer done()
	e, err := c.Registry.Lookup(c.r.Context(), subject, candidate, c.deleted())
	if err != nil {
		return err
	}
	c.notices(e)
	return c.answer(entryFor(e, c.reader()))
}

// registered answers a registration. Confluent's members come first.
type registered struct {
	ID         int                   `json:"id"`
	Subject    string                `json:"subject,omitempty"`
	Version    int                   `json:"version,omitempty"`
	GUID       string                `json:"guid,omitempty"`
	SchemaType string                `json:"schemaType,omitempty"`
	References []registry.Reference  `json:"references,omitempty"`
	Metadata   *registry.Metadata    `json:"metadata,omitempty"`
	Schema     string                `json:"schema,omitempty"`
	Deprecated *registry.Deprecation `json:"deprecated,omitempty"`
	DryRun     bool                  `json:"dryRun,omitempty"`
	New        *bool                 `json:"new,omitempty"`
	Warnings   []exchange.Text       `json:"warnings,omitempty"`
	Verdict    *registry.Judgement   `json:"verdict,omitempty"`
}

func register(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	candidate, err := c.candidate()
	if err != nil {
		return err
	}
	dry := c.query.flag("dryRun")
	result, err := c.Registry.Register(c.r.Context(), c.by, subject, candidate, dry)
	if err != nil {
		return err
	}
	e := result.Entry
	if !dry && result.New {
		c.Log.Info("schema registered", "subject", subject, "version", e.Version, "id", e.ID, "by", c.by)
	}
	c.notices(e)
	answer := registered{ID: e.ID, DryRun: dry}
	if c.reader() >= modern {
		answer.Subject, answer.Version, answer.GUID, answer.SchemaType = subject, e.Version, e.GUID, schemaType
		answer.References, answer.Metadata, answer.Schema = e.References, e.Metadata, string(e.Text)
	}
	if c.reader() == open {
		answer.New, answer.Warnings, answer.Verdict, answer.Deprecated = &result.New, result.Warnings, &result.Verdict, e.Deprecated
	}
	return c.answer(answer)
}

func deleteSubject(c *call) error {
	subject, err := c.subject()
	if err != nil {
		return err
	}
	permanent := c.query.flag("permanent")
	versions, err := c.Registry.DeleteSubject(c.r.Context(), c.by, subject, permanent)
	if err != nil {
		return err
	}
	c.Log.Info("subject deleted", "subject", subject, "versions", len(versions), "permanent", permanent, "by", c.by)
	return c.answer(append([]int{}, versions...))
}

// deleteVersion deletes one version. The latest is the latest of those that can be deleted in this way.
func deleteVersion(c *call) error {
	subject, number, err := c.subjectVersion()
	if err != nil {
		return err
	}
	permanent := c.query.flag("permanent")
	if number == 0 {
		latest, err := c.Registry.Version(subject, 0, permanent)
		if err != nil {
			return err
		}
		number = latest.Version
	}
	if err := c.Registry.DeleteVersion(c.r.Context(), c.by, subject, number, permanent); err != nil {
		return err
	}
	c.Log.Info("version deleted", "subject", subject, "version", number, "permanent", permanent, "by", c.by)
	return c.answer(number)
}

func noSuchSubject(name string) error {
	return refusal(40401, exchange.NotFound, text("没有 subject “"+name+"”", "Subject '"+name+"' not found."), exchange.Text{}, text("GET /subjects 列出所有 subject", "GET /subjects lists all"))
}

func noSuchSchema() error {
	return refusal(40403, exchange.NotFound, text("没有这个 Schema", "Schema not found"), exchange.Text{}, text("GET /schemas 列出所有 Schema", "GET /schemas lists all"))
}
