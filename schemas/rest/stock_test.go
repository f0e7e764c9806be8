package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/sr"
)

func franz(t *testing.T, w *world, more ...sr.ClientOpt) *sr.Client {
	t.Helper()
	client, err := sr.NewClient(append([]sr.ClientOpt{sr.URLs(w.base), sr.BasicAuth("any", writerToken)}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// isCode is whether a registry answered with Confluent's code.
func isCode(err error, want *sr.Error) bool {
	var refused *sr.ResponseError
	return errors.As(err, &refused) && errors.Is(refused.SchemaError(), want)
}

func jsonSchema(text string) sr.Schema { return sr.Schema{Schema: text, Type: sr.TypeJSON} }

// TestFranz uses franz-go's client as it is.
func TestFranz(t *testing.T) {
	w := newWorld(t)
	c := franz(t, w)
	ctx := t.Context()
	const subject = "证照/shop a:b-value"

	made, err := c.CreateSchema(ctx, subject, jsonSchema(shop))
	if err != nil || made.Subject != subject || made.Version != 1 || made.ID != 1 || made.GUID == "" || made.Schema.Schema != shop || made.Type != sr.TypeJSON {
		t.Fatalf("created %+v: %v", made, err)
	}
	again, err := c.CreateSchema(ctx, subject, jsonSchema(shop))
	if err != nil || !reflect.DeepEqual(again, made) {
		t.Errorf("created again %+v: %v", again, err)
	}
	found, err := c.LookupSchema(ctx, subject, jsonSchema(shop))
	if err != nil || !reflect.DeepEqual(found, made) {
		t.Errorf("looked up %+v: %v", found, err)
	}
	second, err := c.CreateSchema(ctx, subject, jsonSchema(wider))
	if err != nil || second.Version != 2 {
		t.Fatalf("created %+v: %v", second, err)
	}
	if got, err := c.SchemaByID(ctx, 1); err != nil || got.Schema != shop || got.Type != sr.TypeJSON {
		t.Errorf("by id %+v: %v", got, err)
	}
	if got, err := c.SchemaTextByID(ctx, 1); err != nil || got != shop {
		t.Errorf("text by id %q: %v", got, err)
	}
	if got, err := c.SchemaByGUID(ctx, made.GUID); err != nil || got.Schema.Schema != shop || got.GUID != made.GUID {
		t.Errorf("by guid %+v: %v", got, err)
	}
	if got, err := c.SchemaIDsByGUID(ctx, made.GUID); err != nil || !reflect.DeepEqual(got, []sr.ContextID{{Context: ".", ID: 1}}) {
		t.Errorf("ids by guid %+v: %v", got, err)
	}
	if got, err := c.SchemaByVersion(ctx, subject, -1); err != nil || !reflect.DeepEqual(got, second) {
		t.Errorf("latest %+v: %v", got, err)
	}
	if got, err := c.SchemaTextByVersion(ctx, subject, 1); err != nil || got != shop {
		t.Errorf("text by version %q: %v", got, err)
	}
	if got, err := c.Subjects(ctx); err != nil || !slices.Equal(got, []string{subject}) {
		t.Errorf("subjects %q: %v", got, err)
	}
	if got, err := c.SubjectVersions(ctx, subject); err != nil || !slices.Equal(got, []int{1, 2}) {
		t.Errorf("versions %v: %v", got, err)
	}
	if got, err := c.Schemas(ctx, subject); err != nil || len(got) != 2 {
		t.Errorf("schemas %+v: %v", got, err)
	}
	if got, err := c.AllSchemas(sr.WithParams(ctx, sr.LatestOnly)); err != nil || len(got) != 1 || got[0].Version != 2 {
		t.Errorf("all schemas %+v: %v", got, err)
	}
	if got, err := c.SubjectsByID(ctx, 1); err != nil || !slices.Equal(got, []string{subject}) {
		t.Errorf("subjects by id %q: %v", got, err)
	}
	if got, err := c.SupportedTypes(ctx); err != nil || !slices.Equal(got, []sr.SchemaType{sr.TypeJSON}) {
		t.Errorf("types %v: %v", got, err)
	}

	user, err := c.CreateSchema(ctx, "street-value", sr.Schema{Schema: `{"type":"object","properties":{"shop":{"$ref":"shop.json"}}}`, Type: sr.TypeJSON,
		References: []sr.SchemaReference{{Name: "shop.json", Subject: subject, Version: 1}}})
	if err != nil || len(user.References) != 1 {
		t.Fatalf("created %+v: %v", user, err)
	}
	if got, err := c.SchemaReferences(ctx, subject, 1); err != nil || len(got) != 1 || got[0].Subject != "street-value" {
		t.Errorf("references %+v: %v", got, err)
	}
}

func TestFranzCompatibilityAndMode(t *testing.T) {
	w := newWorld(t)
	c := franz(t, w, sr.BearerToken(writerToken))
	ctx := t.Context()
	if _, err := c.CreateSchema(ctx, "shop-value", jsonSchema(shop)); err != nil {
		t.Fatal(err)
	}

	if got, err := c.CheckCompatibility(sr.WithParams(ctx, sr.Verbose), "shop-value", -1, jsonSchema(narrower)); err != nil || got.Is || len(got.Messages) == 0 {
		t.Errorf("narrower: %+v: %v", got, err)
	}
	if got, err := c.CheckCompatibility(ctx, "shop-value", -2, jsonSchema(wider)); err != nil || !got.Is {
		t.Errorf("wider: %+v: %v", got, err)
	}
	if got, err := c.CheckCompatibility(ctx, "none-value", -1, jsonSchema(wider)); err != nil || !got.Is {
		t.Errorf("beside nothing: %+v: %v", got, err)
	}
	set := c.SetCompatibility(ctx, sr.SetCompatibility{Level: sr.CompatFull}, "shop-value", "")
	if set[0].Err != nil || set[0].Level != sr.CompatFull || set[1].Err != nil {
		t.Errorf("set %+v", set)
	}
	if got := c.Compatibility(ctx, "shop-value", ""); got[0].Err != nil || got[0].Level != sr.CompatFull || got[1].Level != sr.CompatFull {
		t.Errorf("levels %+v", got)
	}
	if got := c.ResetCompatibility(ctx, "shop-value"); got[0].Err != nil || got[0].Level != sr.CompatFull {
		t.Errorf("reset %+v", got)
	}
	if got := c.Compatibility(ctx, "shop-value"); !isCode(got[0].Err, sr.ErrSubjectLevelCompatibilityNotConfigured) {
		t.Errorf("level of its own: %+v", got)
	}
	if got := c.Compatibility(sr.WithParams(ctx, sr.DefaultToGlobal), "shop-value"); got[0].Err != nil || got[0].Level != sr.CompatFull {
		t.Errorf("level by default: %+v", got)
	}
	if got := c.ResetCompatibility(ctx); got[0].Err != nil {
		t.Errorf("reset %+v", got)
	}

	if got := c.SetMode(ctx, sr.ModeReadOnly, "shop-value"); got[0].Err != nil || got[0].Mode != sr.ModeReadOnly {
		t.Errorf("mode set %+v", got)
	}
	if _, err := c.CreateSchema(ctx, "shop-value", jsonSchema(wider)); !isCode(err, sr.ErrOperationNotPermitted) {
		t.Errorf("read-only: %v", err)
	}
	if got := c.Mode(ctx, "shop-value", ""); got[0].Mode != sr.ModeReadOnly || got[1].Mode != sr.ModeReadWrite {
		t.Errorf("modes %+v", got)
	}
	if got := c.ResetMode(ctx, "shop-value"); got[0].Err != nil {
		t.Errorf("mode reset %+v", got)
	}
	if got := c.Mode(ctx, "shop-value"); !isCode(got[0].Err, sr.ErrSubjectLevelModeNotConfigured) {
		t.Errorf("mode of its own: %+v", got)
	}
	if got := c.SetMode(ctx, sr.ModeImport, "shop-value"); !isCode(got[0].Err, sr.ErrOperationNotPermitted) {
		t.Errorf("import over versions: %+v", got)
	}
	if got := c.SetMode(sr.WithParams(ctx, sr.Force), sr.ModeImport, "brought-value"); got[0].Err != nil {
		t.Errorf("import: %+v", got)
	}
	if got, err := c.CreateSchemaWithIDAndVersion(ctx, "brought-value", jsonSchema(`{"type":"string"}`), 500, 3); err != nil || got.ID != 500 || got.Version != 3 {
		t.Errorf("brought %+v: %v", got, err)
	}
}

func TestFranzDeletesAndErrors(t *testing.T) {
	w := newWorld(t)
	c := franz(t, w)
	ctx := t.Context()
	for _, schema := range []string{shop, wider} {
		if _, err := c.CreateSchema(ctx, "shop-value", jsonSchema(schema)); err != nil {
			t.Fatal(err)
		}
	}
	for name, row := range map[string]struct {
		do   func() error
		want *sr.Error
	}{
		"incompatible":        {func() error { _, err := c.CreateSchema(ctx, "shop-value", jsonSchema(narrower)); return err }, sr.ErrIncompatibleSchema},
		"no schema":           {func() error { _, err := c.CreateSchema(ctx, "shop-value", jsonSchema(`{"type":7}`)); return err }, sr.ErrInvalidSchema},
		"Avro":                {func() error { _, err := c.CreateSchema(ctx, "shop-value", sr.Schema{Schema: `"string"`}); return err }, sr.ErrInvalidSchema},
		"no subject":          {func() error { _, err := c.SubjectVersions(ctx, "none-value"); return err }, sr.ErrSubjectNotFound},
		"no version":          {func() error { _, err := c.SchemaByVersion(ctx, "shop-value", 9); return err }, sr.ErrVersionNotFound},
		"wrong version":       {func() error { _, err := c.SchemaByVersion(ctx, "shop-value", -7); return err }, sr.ErrInvalidVersion},
		"no id":               {func() error { _, err := c.SchemaByID(ctx, 99); return err }, sr.ErrSchemaNotFound},
		"not the subject's":   {func() error { _, err := c.LookupSchema(ctx, "shop-value", jsonSchema(narrower)); return err }, sr.ErrSchemaNotFound},
		"no subject to ask":   {func() error { _, err := c.LookupSchema(ctx, "none-value", jsonSchema(shop)); return err }, sr.ErrSubjectNotFound},
		"wrong level":         {func() error { return c.SetCompatibility(ctx, sr.SetCompatibility{Level: 99}, "shop-value")[0].Err }, nil},
		"not deleted before":  {func() error { return c.DeleteSchema(ctx, "shop-value", 1, sr.HardDelete) }, sr.ErrSchemaVersionNotSoftDeleted},
		"nothing deleted yet": {func() error { _, err := c.DeleteSubject(ctx, "shop-value", sr.HardDelete); return err }, sr.ErrSubjectNotSoftDeleted},
		"another context":     {func() error { _, err := c.Subjects(sr.InContext(ctx, ".city")); return err }, sr.ErrSubjectNotFound},
	} {
		if err := row.do(); err == nil || row.want != nil && !isCode(err, row.want) {
			t.Errorf("%s: %v, want %v", name, err, row.want)
		}
	}

	if err := c.DeleteSchema(ctx, "shop-value", -1, sr.SoftDelete); err != nil {
		t.Fatal(err)
	}
	if err := c.DeleteSchema(ctx, "shop-value", 2, sr.SoftDelete); !isCode(err, sr.ErrSchemaVersionSoftDeleted) {
		t.Errorf("deleted twice: %v", err)
	}
	if got, err := c.SubjectVersions(sr.WithParams(ctx, sr.DeletedOnly), "shop-value"); err != nil || !slices.Equal(got, []int{2}) {
		t.Errorf("deleted versions %v: %v", got, err)
	}
	if err := c.DeleteSchema(ctx, "shop-value", 2, sr.HardDelete); err != nil {
		t.Fatal(err)
	}
	if got, err := c.DeleteSubject(ctx, "shop-value", sr.SoftDelete); err != nil || !slices.Equal(got, []int{1}) {
		t.Errorf("deleted %v: %v", got, err)
	}
	if _, err := c.DeleteSubject(ctx, "shop-value", sr.SoftDelete); !isCode(err, sr.ErrSubjectSoftDeleted) {
		t.Errorf("deleted twice: %v", err)
	}
	if got, err := c.DeleteSubject(ctx, "shop-value", sr.HardDelete); err != nil || !slices.Equal(got, []int{1}) {
		t.Errorf("deleted for good %v: %v", got, err)
	}
	if got, err := c.Subjects(sr.WithParams(ctx, sr.ShowDeleted)); err != nil || len(got) != 0 {
		t.Errorf("left %q: %v", got, err)
	}
}

func TestFranzContexts(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{".", ":.:"} {
		c := franz(t, w, sr.DefaultSchemaContext(name))
		if got, err := c.CreateSchema(t.Context(), "shop-value", jsonSchema(shop)); err != nil || got.Version != 1 {
			t.Errorf("%s: created %+v: %v", name, got, err)
		}
		if got, err := c.Contexts(t.Context()); err != nil || !slices.Equal(got, []string{"."}) {
			t.Errorf("%s: contexts %q: %v", name, got, err)
		}
	}
	if err := franz(t, w).DeleteContext(t.Context(), ".city"); err == nil {
		t.Error("a context that is not there was deleted")
	}
}

// TestFranzSerde sends a document through the five bytes before it.
func TestFranzSerde(t *testing.T) {
	w := newWorld(t)
	c := franz(t, w)
	made, err := c.CreateSchema(t.Context(), "shop-value", jsonSchema(shop))
	if err != nil {
		t.Fatal(err)
	}
	type document struct {
		Name string `json:"name"`
	}
	var out sr.Serde
	out.Register(made.ID, document{}, sr.EncodeFn(json.Marshal))
	wire, err := out.Encode(document{"茶馆"})
	if err != nil || !bytes.Equal(wire, append([]byte{0, 0, 0, 0, 1}, `{"name":"茶馆"}`...)) {
		t.Fatalf("%q: %v", wire, err)
	}
	id, rest, err := out.DecodeID(wire)
	if err != nil || id != made.ID {
		t.Fatalf("id %d: %v", id, err)
	}
	if schema, err := c.SchemaByID(t.Context(), id); err != nil || schema.Schema != shop {
		t.Errorf("schema %+v: %v", schema, err)
	}
	var in document
	if err := json.Unmarshal(rest, &in); err != nil || in.Name != "茶馆" {
		t.Errorf("%+v: %v", in, err)
	}
}

// TestPython replays what confluent-kafka 2.16.0 sends, byte for byte where it matters.
func TestPython(t *testing.T) {
	w := newWorld(t)
	const accept = "application/vnd.schemaregistry.v1+json, application/vnd.schemaregistry+json, application/json"
	schema, _ := json.Marshal(shop)
	body := fmt.Sprintf(`{"schema": %s, "schemaType": "JSON"}`, schema)
	python := func(method, path, body, want string, status int) {
		t.Helper()
		headers := []string{"Accept", accept, "Confluent-Client-Version", "python/2.16.0", "Authorization", "Basic OmNhbmFyeS13cml0ZXItNWYwYzFi"}
		if body != "" {
			headers = append(headers, "Accept", "*/*", "Content-Type", registryJSON, "Confluent-Accept-Unknown-Properties", "true")
		}
		if got := w.ask(method, path, body, headers...); got.status != status || !fits(got.body, want) || got.header.Get("Content-Type") != registryJSON {
			t.Errorf("%s %s: %d %s, want %d %s", method, path, got.status, got.body, status, want)
		}
	}
	// serialise
	python("GET", "/associations/resources/-/shop?resourceType=topic&associationType=value", "", `{"error_code":40410,…`, 404)
	python("POST", "/subjects/shop-value/versions?normalize=False", body, `{"id":1,…`, 200)
	// deserialise
	python("GET", "/schemas/ids/1?subject=shop-value", "", `{"schema":`+string(schema)+`,"schemaType":"JSON","guid":"…`, 200)
	// auto.register.schemas=false, use.latest.version
	python("POST", "/subjects/shop-value?normalize=False&deleted=False", body, `{"subject":"shop-value","version":1,"id":1,…`, 200)
	python("GET", "/subjects/shop-value/versions/latest", "", `…"schemaType":"JSON",…`, 200)
	// the client's other calls
	python("GET", "/subjects?deleted=False&deleted_only=False&offset=0&limit=-1", "", `["shop-value"]`, 200)
	python("GET", "/subjects/shop-value/versions?deleted=False&deleted_only=False&offset=0&limit=-1", "", `[1]`, 200)
	python("GET", "/subjects/shop-value/versions/1?deleted=False", "", `{"subject":"shop-value","version":1,…`, 200)
	python("GET", "/subjects/shop-value/metadata?deleted=False", "", `{"subject":"shop-value","version":1,…`, 200)
	python("GET", "/schemas/ids/1/versions?offset=0&limit=-1", "", `[{"subject":"shop-value","version":1}]`, 200)
	python("GET", "/schemas/ids/1/subjects?offset=0&limit=-1", "", `["shop-value"]`, 200)
	python("GET", "/subjects/shop-value/versions/1/referencedby?offset=0&limit=-1", "", `[]`, 200)
	python("POST", "/compatibility/subjects/shop-value/versions/latest?normalize=False&verbose=False", body, `{"is_compatible":true}`, 200)
	python("POST", "/compatibility/subjects/shop-value/versions?normalize=False&verbose=True", body, `{"is_compatible":true,"messages":[],…`, 200)
	python("PUT", "/config/shop-value", `{"compatibility": "FULL"}`, `{"compatibility":"FULL"}`, 200)
	python("GET", "/config/shop-value", "", `{"compatibilityLevel":"FULL",…`, 200)
	python("DELETE", "/config/shop-value", "", `{"compatibilityLevel":"FULL",…`, 200)
	python("PUT", "/mode?force=False", `{"mode": "READWRITE"}`, `{"mode":"READWRITE"}`, 200)
	python("GET", "/mode", "", `{"mode":"READWRITE"}`, 200)
	python("GET", "/contexts?offset=0&limit=-1", "", `["."]`, 200)
	python("DELETE", "/subjects/shop-value/versions/1", "", `1`, 200)
	python("DELETE", "/subjects/shop-value/versions/1?permanent=true", "", `1`, 200)
}

// BenchmarkByID is the look-up that every consumer makes, over HTTP with the load beside it.
func BenchmarkByID(b *testing.B) {
	w := newWorld(b)
	var properties []string
	for i := range 200 {
		properties = append(properties, fmt.Sprintf(`"property%d":{"type":"string","maxLength":%d}`, i, i+1))
	}
	w.register("/subjects/shop-value/versions", `{"type":"object","title":"Shop","properties":{`+strings.Join(properties, ",")+`}}`)
	whole := []byte(w.ask("GET", "/schemas/ids/1", "").body)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write(whole) }))
	defer bare.Close()
	for _, row := range []struct{ name, url string }{
		{"by id", w.base + "/schemas/ids/1"}, {"as Python asks", w.base + "/schemas/ids/1?subject=shop-value"},
		{"a bare handler with the same bytes", bare.URL},
	} {
		b.Run(row.name, func(b *testing.B) {
			b.SetParallelism(16)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				load := newLoad(b, row.url)
				defer load.close()
				for pb.Next() {
					load.once()
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "lookups/s")
		})
	}
}

// BenchmarkByIDHandler is the same without the network.
func BenchmarkByIDHandler(b *testing.B) {
	w := newWorld(b)
	w.register("/subjects/shop-value/versions", shop)
	handler := New(Config{Registry: w.reg})
	request, _ := http.NewRequestWithContext(context.Background(), "GET", "/schemas/ids/1?subject=shop-value", nil)
	request.Header.Set("Accept", "*/*")
	sink := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		handler.ServeHTTP(sink, request)
	}
}
