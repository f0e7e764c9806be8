package asyncapi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// good is a small document written by hand, of the kind that is exported.
const good = `{
  "asyncapi": "3.0.0",
  "id": "urn:yimen:test",
  "info": {
    "title": "一门", "version": "1.0.0", "description": "测试文档",
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
    "contact": {"name": "test", "url": "https://example.test", "email": "test@example.test"},
    "tags": [{"name": "evidence", "description": "证照"}]
  },
  "defaultContentType": "application/json",
  "servers": {
    "kafka": {"host": "127.0.0.1:9092", "protocol": "kafka", "description": "总线",
      "bindings": {"kafka": {"schemaRegistryUrl": "http://127.0.0.1:7080/registry", "schemaRegistryVendor": "confluent", "bindingVersion": "0.5.0"}}}
  },
  "channels": {
    "evidence.business-licence": {
      "address": "evidence.business-licence",
      "description": "营业执照",
      "servers": [{"$ref": "#/servers/kafka"}],
      "messages": {"record": {"$ref": "#/components/messages/business-licence"}},
      "bindings": {"kafka": {"topic": "evidence.business-licence", "partitions": 8, "replicas": 3,
        "topicConfiguration": {"cleanup.policy": ["compact"], "max.message.bytes": 1048588}, "bindingVersion": "0.5.0"}}
    }
  },
  "operations": {
    "publish": {"action": "send", "summary": "发布", "description": "发布营业执照", "channel": {"$ref": "#/channels/evidence.business-licence"},
      "messages": [{"$ref": "#/channels/evidence.business-licence/messages/record"}]}
  },
  "components": {
    "messages": {
      "business-licence": {
        "name": "business-licence", "title": "营业执照", "contentType": "application/json",
        "headers": {"type": "object", "properties": {"ce_id": {"type": "string"}}},
        "payload": {
          "schemaFormat": "application/schema+json;version=draft-07",
          "schema": {"type": "object", "required": ["creditCode"], "additionalProperties": false, "x-record-id": ["/creditCode"],
            "properties": {"creditCode": {"title": "统一社会信用代码", "type": "string", "pattern": "^[0-9A-Z]{18}$", "format": "cn-credit-code"}}}
        },
        "bindings": {"kafka": {"key": {"type": "string"}, "schemaIdLocation": "header", "bindingVersion": "0.5.0"}}
      }
    }
  }
}`

func TestGoodDocument(t *testing.T) {
	if r := Validate(t, []byte(good)); r.Version != "3.0.0" || r.Channels != 1 {
		t.Errorf("version %q with %d channels", r.Version, r.Channels)
	}
}

func TestBadDocuments(t *testing.T) {
	cases := []struct{ name, old, new, says string }{
		{"no JSON", good, `{"asyncapi"`, ""},
		{"no version", `"asyncapi": "3.0.0",`, ``, ""},
		{"no info", `"info": {`, `"x-info": {`, "info"},
		{"no title", `"title": "一门", `, ``, "title"},
		{"server without protocol", `"protocol": "kafka", `, ``, "protocol"},
		{"reference to nothing", `"$ref": "#/components/messages/business-licence"`, `"$ref": "#/components/messages/none"`, "none"},
		{"operation without action", `"action": "send",`, ``, "action"},
		{"unknown action", `"action": "send"`, `"action": "shout"`, "action"},
		{"channel that is not there", `"channel": {"$ref": "#/channels/evidence.business-licence"}`, `"channel": {"$ref": "#/channels/none"}`, "none"},
		{"surplus member", `"operations": {`, `"surplus": 1, "operations": {`, "surplus"},
		{"payload that is no schema", `"schema": {"type": "object"`, `"schema": {"type": "strange"`, "type"},
		{"binding of a wrong type", `"partitions": 8`, `"partitions": "eight"`, "partitions"},
	}
	var docs []string
	for _, c := range cases {
		doc := strings.Replace(good, c.old, c.new, 1)
		if doc == good {
			t.Fatalf("%s: nothing was changed", c.name)
		}
		docs = append(docs, doc)
	}
	for i, r := range parse(t, docs...) {
		var errors []string
		for _, d := range r.Diagnostics {
			if d.Level == "error" {
				errors = append(errors, d.String())
			}
		}
		if all := strings.Join(errors, "\n"); len(errors) == 0 || !strings.Contains(all, cases[i].says) {
			t.Errorf("%s: the parser finds nothing wrong with %q: %s", cases[i].name, cases[i].says, all)
		}
	}
}

// TestExport validates what the command exports, as department IT would: the program is built and run.
func TestExport(t *testing.T) {
	if os.Getenv(variable) == "" {
		t.Skip("skipped: needs the AsyncAPI parser; run ./test/run")
	}
	program := filepath.Join(t.TempDir(), "yimen")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "../../cmd/yimen").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, form := range []string{"yaml", "json"} {
		doc, err := exec.CommandContext(t.Context(), program, "schema", "asyncapi", "-o", form).Output()
		if err != nil {
			t.Fatal(err)
		}
		if r := Validate(t, doc); r.Version != "3.0.0" || r.Channels < 30 { // 12 types, two for each of 11 departments, three of our own
			t.Errorf("%s: version %q with %d channels", form, r.Version, r.Channels)
		}
	}
}
