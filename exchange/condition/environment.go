package condition

import (
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// environment is what expressions may speak of. There is one for all.
var environment = sync.OnceValue(func() *cel.Env {
	between := func(name string, of func(from, to time.Time) int64) cel.EnvOption {
		return cel.Function(name, cel.Overload(name+"_string_string", []*cel.Type{cel.StringType, cel.StringType}, cel.IntType,
			cel.BinaryBinding(func(from, to ref.Val) ref.Val { return span(from, to, of) })))
	}
	env, err := cel.NewEnv(
		cel.Variable("record", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("facts", cel.MapType(cel.StringType, cel.DynType)),
		cel.Variable("applicant", cel.StringType),
		cel.Variable("today", cel.StringType),
		cel.CrossTypeNumericComparisons(true),
		between("days", func(from, to time.Time) int64 { return int64(to.Sub(from) / (24 * time.Hour)) }),
		between("years", wholeYears),
	)
	if err != nil {
		panic(err) // it is the same always
	}
	return env
})

func span(from, to ref.Val, of func(from, to time.Time) int64) ref.Val {
	first, err := time.Parse(time.DateOnly, string(from.(types.String)))
	last, err2 := time.Parse(time.DateOnly, string(to.(types.String)))
	if err != nil || err2 != nil {
		return types.NewErr("not a day such as 2026-12-31") // and what it was is not told: it may be of a document
	}
	return types.Int(of(first, last))
}

// wholeYears counts as ages are counted: a year is over on the anniversary.
func wholeYears(from, to time.Time) int64 {
	years := to.Year() - from.Year()
	if to.Month() < from.Month() || to.Month() == from.Month() && to.Day() < from.Day() {
		years--
	}
	return int64(years)
}
