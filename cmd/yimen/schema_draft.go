package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/onedoor/yimen/schemas/gate"
)

// unfitExample is the code of an example that its schema refuses.
const unfitExample = "YM-SCH-0131"

// draft reads a schema that somebody is still at work on. That its examples do not fit yet is told, and no reason not to
// compare it: they mean nothing to those who are compared.
func (s *session) draft(file string, text []byte, refs ...gate.Reference) (*gate.Schema, error) {
	schema, faults := gate.Examine(text, refs...)
	if len(faults) == 0 {
		return schema, nil
	}
	if slices.ContainsFunc(faults, func(f *gate.Fault) bool { return f.Problem.Code != unfitExample }) {
		return nil, fmt.Errorf("%s: %w", file, faults[0].Problem)
	}
	bare, err := withoutExamples(text, faults)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	compared, err := gate.Admit(bare, refs...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	s.say("注意：%s 的示例不符合它自己；登记之前要改正：yimen schema lint %s\n", "note: the examples of %s do not fit it; mend them before it is registered: yimen schema lint %s\n", plain(file), quoted(plain(file)))
	whole := *compared
	whole.Root = schema.Root
	return &whole, nil
}

// withoutExamples takes the lists of examples out that faults point into.
func withoutExamples(text []byte, faults []*gate.Fault) ([]byte, error) {
	root, err := gate.Decode(text)
	if err != nil {
		return nil, err
	}
	for _, f := range faults {
		dropExamples(root, f.Pointer)
	}
	return json.Marshal(root)
}

// dropExamples follows a pointer to the first list of examples on its way. A property of that name holds no list.
func dropExamples(at any, pointer string) {
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch node := at.(type) {
		case map[string]any:
			if _, list := node[token].([]any); list && token == "examples" {
				delete(node, token)
				return
			}
			at = node[token]
		case []any:
			var i int
			if _, err := fmt.Sscanf(token, "%d", &i); err != nil || i < 0 || i >= len(node) {
				return
			}
			at = node[i]
		}
	}
}
