package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// The schemas that the registries are given: a closed object of 200 fields of the kinds that a licence has: texts, whole
// numbers, words out of a few, numbers of certificates, days. Each candidate differs from every other, so that no cache of
// verdicts helps anybody.
const schemaProperties = 200

// wider is the n-th of a row of schemas each of which accepts what the ones before it accept.
func wider(n int) string {
	return schemaText(n, "wider", func(properties map[string]any) {
		for i := 0; i < schemaProperties; i += 5 { // the strings
			properties[propertyName(i)].(map[string]any)["maxLength"] = 100 + n
		}
	})
}

// narrower is the n-th of the schemas that refuse what the first of wider accepts: one property has another type.
func narrower(n int) string {
	return schemaText(n, "narrower", func(properties map[string]any) {
		properties[propertyName(n%schemaProperties)] = map[string]any{"title": fmt.Sprintf("窄 %d", n), "type": "boolean"}
	})
}

func propertyName(i int) string { return fmt.Sprintf("field%03d", i) }

func schemaText(n int, kind string, edit func(map[string]any)) string {
	properties := map[string]any{}
	for i := range schemaProperties {
		properties[propertyName(i)] = property(i)
	}
	edit(properties)
	text, err := json.Marshal(map[string]any{
		"$schema": "http://json-schema.org/draft-07/schema#", "title": fmt.Sprintf("基准 %s %d", kind, n), "type": "object",
		"properties": properties, "required": []string{propertyName(0), propertyName(1), propertyName(2)}, "additionalProperties": false,
	})
	if err != nil { // of maps, texts and numbers
		panic(err)
	}
	return string(text)
}

func property(i int) map[string]any {
	title := fmt.Sprintf("字段 %d", i)
	switch i % 5 {
	case 0:
		return map[string]any{"title": title, "type": "string", "minLength": 1, "maxLength": 100}
	case 1:
		return map[string]any{"title": title, "type": "integer", "minimum": 0, "maximum": 1000 + i}
	case 2:
		return map[string]any{"title": title, "type": "string", "enum": []string{"存续", "在业", "吊销", "注销", "迁出"}}
	case 3:
		return map[string]any{"title": title, "type": "string", "pattern": "^[0-9A-Z]{18}$"}
	}
	return map[string]any{"title": title, "type": "string", "format": "date"}
}

// judgeSchema errs where an answer does not hold one of the schemas above.
func judgeSchema(body []byte) error {
	var answer struct{ Schema string }
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("read schema: %w", err)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal([]byte(answer.Schema), &schema); err != nil || len(schema.Properties) != schemaProperties {
		return errors.Join(errors.New("not the schema that was registered"), err)
	}
	return nil
}
