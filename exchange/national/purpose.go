package national

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/identity"
)

// longestCause is the longest useCause in characters, by the convention.
const longestCause = 200

// caseNumber is what a word of a useCause looks like that is a case number: it has a digit, which words of prose have not.
var caseNumber = regexp.MustCompile(`^[A-Za-z0-9._/-]{4,64}$`)

// purpose is what a licence is asked for. The rest of a useCause goes nowhere: people write names into it.
type purpose struct {
	item   exchange.Item // empty: not named
	matter string        // the case number (收件号)
}

// purposeOf finds in a useCause the case number, and before it the item's code where there is one: "food-licence-new
// LL-2026-1123-0041 新办" or "LL-2026-1123-0041".
func purposeOf(cause string, isItem func(exchange.Item) bool) (purpose, error) {
	if utf8.RuneCountInString(cause) > longestCause {
		return purpose{}, badCause(text("超过 200 个字", "it is longer than 200 characters"))
	}
	var p purpose
	for _, word := range strings.FieldsFunc(cause, between) {
		switch item := exchange.Item(word); {
		case p.item == "" && isItem(item):
			p.item = item
		case ofPerson(word):
			return purpose{}, badCause(text("其中有号码，会永久留在审计日志中", "it holds a number of somebody, which would stay in the audit log for ever"))
		case caseNumber.MatchString(word) && strings.ContainsAny(word, "0123456789"):
			p.matter = word
			return p, nil
		}
	}
	return purpose{}, fault{badCause(text("其中没有收件号", "it names no case")), valueMissing}
}

// mobile is what a mobile telephone number of the mainland looks like.
var mobile = regexp.MustCompile(`^(\+?86-?)?1[3-9][0-9]{9}$`)

// ofPerson says whether a word is a citizen number, an organisation's code or a telephone number.
func ofPerson(word string) bool {
	_, err := identity.ParseHolder(word)
	return err == nil || identity.MentionsCitizen(word) || mobile.MatchString(word)
}

// between says whether a character stands between words.
func between(r rune) bool {
	return unicode.IsSpace(r) || strings.ContainsRune("，,；;：:、。|", r)
}

func badCause(why exchange.Text) error {
	return &exchange.Problem{Code: "YM-NAT-0106", Kind: exchange.Invalid, What: text("事由（useCause 或 certificateCopyCause）不可用", "the cause (useCause or certificateCopyCause) cannot be used"), Why: why,
		Mend: text("写办件的收件号，前面可写事项代码，如 food-licence-new LL-2026-1123-0041；不超过 200 个字",
			"write the case number, after the item's code where need be, such as food-licence-new LL-2026-1123-0041, in at most 200 characters")}
}

// itemFor is the item that a type is asked for: the one named, or the only one for which the department has a grant of the type,
// and for which such a holder can apply.
func (f facade) itemFor(t turn, p purpose, wanted exchange.EvidenceType, of exchange.HolderKind) (exchange.Item, error) {
	if p.item != "" {
		return p.item, nil
	}
	granted := slices.DeleteFunc(f.granted(t, wanted), func(item exchange.Item) bool {
		service, _ := f.Catalogue().Service(item)
		return !service.Accepts(of)
	})
	switch len(granted) {
	case 0:
		return "", f.Door.Reject(t.Request, t.caller, noGrant())
	case 1:
		return granted[0], nil
	}
	var codes []string
	for _, item := range granted {
		codes = append(codes, string(item))
	}
	all := strings.Join(codes, ", ")
	return "", fault{badCause(text("该证照类型授权用于多个事项，须写明是哪个："+all, "the type is granted for several items, so one must be named: "+all)), valueMissing}
}

// granted are the items for which the caller's department may see the type today.
func (f facade) granted(t turn, wanted exchange.EvidenceType) (items []exchange.Item) {
	for _, s := range f.Catalogue().Services() {
		if _, may := f.Catalogue().Permit(t.caller.Department, s.Code, wanted, exchange.DateOf(f.Clock())); may {
			items = append(items, s.Code)
		}
	}
	return items
}

func (f facade) isItem(code exchange.Item) bool {
	_, known := f.Catalogue().Service(code)
	return known
}
