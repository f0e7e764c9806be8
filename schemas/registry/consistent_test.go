package registry

import (
	"cmp"
	"slices"
	"testing"
)

// referencesHold: no deletion got past a registration that refers to what it deletes, nor the reverse.
func referencesHold(t *testing.T, n *node) {
	t.Helper()
	for name, sub := range n.state.subjects {
		for _, v := range sub.versions {
			for at := range n.state.referrer {
				if at.subject == name || !slices.Contains(n.state.referrer[at], v) {
					continue
				}
				target := n.state.of(at.subject).version(at.version)
				if target == nil || target.Deleted && !v.Deleted {
					t.Errorf("%s/%d refers to %s/%d, which is deleted", name, v.Version, at.subject, at.version)
				}
			}
		}
	}
}

// judgedByTheLevelOfTheDay: every registration was judged by the level that held where it stands in the order, and against the
// versions there were. What was judged before a change of level and stands after it would be an old verdict.
func judgedByTheLevelOfTheDay(t *testing.T, n *node) {
	t.Helper()
	levels := map[string]string{}
	versions := map[string]map[int]bool{} // deleted softly?
	for _, c := range n.History("") {
		of := versions[c.Subject]
		if of == nil {
			of = map[int]bool{}
			versions[c.Subject] = of
		}
		gone := func(number int, permanent bool) {
			if of[number] = true; permanent {
				delete(of, number)
			}
		}
		switch c.Operation {
		case opSetLevel:
			levels[c.Subject] = c.Note
		case opDeleteLevel:
			delete(levels, c.Subject)
		case opRegister:
			level := cmp.Or(levels[c.Subject], levels[globalScope], "BACKWARD")
			if c.Verdict == nil || c.Verdict.Level != level {
				t.Errorf("change %d was judged by %+v, and %s held", c.Offset, c.Verdict, level)
				continue
			}
			wantCompared(t, c, of)
			of[c.Version] = false
		case opDeleteVersion:
			gone(c.Version, c.Note == "permanent")
		case opDeleteSubject:
			for number, deleted := range of {
				if permanent := c.Note == "permanent"; deleted == permanent {
					gone(number, permanent)
				}
			}
		}
		if c.Note == "permanent" && len(of) == 0 {
			delete(levels, c.Subject) // which goes with the last version
		}
	}
}

// wantCompared says whether a registration was compared with the versions that its level names.
func wantCompared(t *testing.T, c Change, deleted map[int]bool) {
	t.Helper()
	backward, forward, all := directions(c.Verdict.Level)
	want, latest := 0, 0
	for number, gone := range deleted {
		if !gone {
			want, latest = want+1, max(latest, number)
		}
	}
	if !all {
		want = min(want, 1)
	}
	switch {
	case backward && forward:
		want *= 2
	case !backward && !forward:
		want = 0
	}
	if got := len(c.Verdict.Against); got != want || want > 0 && !all && c.Verdict.Against[0].Version != latest {
		t.Errorf("change %d (%s) was compared %d times, want %d; the latest was %d: %+v", c.Offset, c.Verdict.Level, got, want, latest, c.Verdict.Against)
	}
}
