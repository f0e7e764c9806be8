package national

import (
	"encoding/json"
	"strings"

	gojson "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas"
)

// Names that the convention has for what is in every licence.
const (
	holderMember     = "holderCode"
	holderTypeMember = "holderTypeCode"
	nameMember       = "holder"
	numberMember     = "certNo"
	identifierMember = "cert_identifier"
)

// identifierFormat is the format by which a schema marks the licence identifier (证照标识).
const identifierFormat = "cn-licence-id"

// topFields are the fields of a type's documents themselves, not of what lies in them.
func (f facade) topFields(t exchange.EvidenceType) (all []schemas.Field) {
	schema, known := f.Schemas().ByType(t)
	if !known {
		return nil
	}
	for _, field := range schema.Fields() {
		if field.Pointer = strings.TrimPrefix(field.Pointer, "/"); !strings.Contains(field.Pointer, "/") {
			all = append(all, field)
		}
	}
	return all
}

// numberField is where a type's documents have the certificate's number. Where that is made of several fields, what is stated of it is
// compared with none, and so borne out by none.
func (f facade) numberField(t exchange.EvidenceType) string {
	if schema, known := f.Schemas().ByType(t); known && schema.Number() != "" {
		return schema.Number()
	}
	return numberMember
}

func (f facade) identifierField(t exchange.EvidenceType) string {
	for _, field := range f.topFields(t) {
		if field.Format == identifierFormat {
			return field.Pointer
		}
	}
	return identifierMember
}

// nameField is where a type's documents have the holder's name, "" where it lies deeper.
func (f facade) nameField(t exchange.EvidenceType) string {
	for _, field := range f.topFields(t) {
		if field.Required && (field.Pointer == "name" || strings.HasSuffix(field.Pointer, "Name")) {
			return field.Pointer
		}
	}
	return ""
}

// licences are the granted fields of what was found.
func (f facade) licences(evidence []exchange.Evidence) []licence {
	all := make([]licence, 0, len(evidence))
	for _, e := range evidence {
		one := fieldsOf(e)
		if identifier, granted := one[f.identifierField(e.Type)]; granted {
			one[identifierMember] = identifier
		}
		all = append(all, one)
	}
	return all
}

// fieldsOf are the granted fields of a record, each value as it was published; none where the broker shows none.
func fieldsOf(e exchange.Evidence) licence {
	fields := licence{}
	if len(e.Fields) > 0 && gojson.Unmarshal(e.Fields, &fields, jsontext.AllowDuplicateNames(true)) != nil {
		return licence{} // it is no object, which the broker never writes
	}
	return fields
}

// quoted is a text as JSON has it.
func quoted(s string) json.RawMessage {
	quoted, err := jsontext.AppendQuote(nil, s)
	if err != nil {
		return json.RawMessage(`""`) // no text that JSON could have brought
	}
	return json.RawMessage(quoted)
}
