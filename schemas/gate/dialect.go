package gate

import "strings"

// bareAddress is the address of a meta-schema as it is compared: without scheme and empty fragment.
func bareAddress(uri string) string {
	uri = strings.TrimSuffix(uri, "#")
	if rest, ok := strings.CutPrefix(uri, "http://"); ok {
		return rest
	}
	rest, _ := strings.CutPrefix(uri, "https://")
	return rest
}

// draftNamed is the draft whose meta-schema has the address, 0 for none of ours.
func draftNamed(uri string) int {
	switch bareAddress(uri) {
	case "json-schema.org/draft-04/schema":
		return 4
	case "json-schema.org/draft-06/schema":
		return 6
	case "json-schema.org/draft-07/schema":
		return 7
	case "json-schema.org/draft/2020-12/schema":
		return 2020
	}
	return 0
}

// metaSchema says whether an address is that of a meta-schema of the four drafts, or of a part of one: the validator
// brings those along.
func metaSchema(address string) bool {
	return draftNamed(address) != 0 || strings.HasPrefix(bareAddress(address), "json-schema.org/draft/2020-12/meta/")
}

// draftOf reads $schema at the top of a schema.
func draftOf(root any) (int, error) {
	node, ok := root.(map[string]any)
	if _, boolean := root.(bool); !ok && !boolean {
		return 0, SchemaFault("YM-SCH-0101", "", "Schema 不是对象", "a schema is an object (or true or false)", "写成 { … }", "write { … }")
	}
	if _, own := node["$vocabulary"]; own {
		return 0, dialectProblem("/$vocabulary", "不接受自定义的元 Schema", "meta-schemas of one's own are not admitted")
	}
	v, named := node["$schema"]
	if !named {
		return 7, nil
	}
	uri, _ := v.(string)
	if draft := draftNamed(uri); draft != 0 {
		return draft, nil
	}
	return 0, dialectProblem("/$schema", "不是支持的 JSON Schema 草案", "this draft of JSON Schema is not supported")
}

func dialectProblem(at, zh, en string) error {
	return SchemaFault("YM-SCH-0102", at, zh, en,
		`支持 draft-04、draft-06、draft-07 和 2020-12，如 "$schema": "http://json-schema.org/draft-07/schema#"；不写即 draft-07`,
		`there are draft-04, draft-06, draft-07 and 2020-12, such as "$schema": "http://json-schema.org/draft-07/schema#"; none means draft-07`)
}

// identifierOf is what a schema calls itself, without fragment; "" where it has no name.
func identifierOf(node map[string]any, draft int) string {
	keyword := "$id"
	if draft == 4 {
		keyword = "id"
	}
	if _, is := node["$ref"]; is && draft < 2019 {
		return "" // nothing beside $ref counts
	}
	id, _ := node[keyword].(string)
	id, _, _ = strings.Cut(id, "#")
	return id
}
