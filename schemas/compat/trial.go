package compat

// meets shows a value to the validator. Where that would cost too much it is not done, and the goal is no longer exact.
func (s *search) meets(g *goal, v any) bool {
	for _, l := range g.lits {
		accepted, known := s.accepts(l.n, v)
		if !known {
			g.exact = false
			return false
		}
		if accepted == l.neg {
			return false
		}
	}
	return g.name == nil || g.name.meets(v)
}

// accepts asks the validator about a value. Not known: the steps are used up, or it would take too many of its own.
func (s *search) accepts(n *node, v any) (accepted, known bool) {
	if n.s == nil {
		return n.always, true
	}
	left := maxVisits
	visit(n, v, &left)
	if !s.spend(1+(maxVisits-left)/16) || left < 0 {
		return false, false
	}
	return n.s.Validate(v) == nil, true
}

// maxVisits bounds how often the validator looks at values for one document.
const maxVisits = 20_000

// visit goes the validator's way through a value at its longest and counts.
func visit(n *node, v any, left *int) {
	if *left -= 1 + n.lookup; *left < 0 || n.s == nil {
		return
	}
	for _, list := range [][]*node{n.refs, n.allOf, n.anyOf, n.oneOf, {n.not, n.cond, n.yes, n.no}} {
		for _, sub := range list {
			if sub != nil {
				visit(sub, v, left)
			}
		}
	}
	switch v := v.(type) {
	case map[string]any:
		visitObject(n, v, left)
	case []any:
		for i, item := range v {
			if i < len(n.prefix) {
				visit(n.prefix[i], item, left)
			}
			for _, sub := range []*node{n.rest, n.contains, n.unevalItems} {
				if sub != nil {
					visit(sub, item, left)
				}
			}
		}
	case string:
		*left -= len(v) / 64
	}
}

func visitObject(n *node, object map[string]any, left *int) {
	for _, d := range n.deps {
		if d.n != nil {
			visit(d.n, object, left)
		}
	}
	for name, value := range object {
		if kid := n.prop[name]; kid != nil {
			visit(kid, value, left)
		} else if n.additional != nil {
			visit(n.additional, value, left)
		}
		for _, p := range n.patterns {
			visit(p.n, value, left)
		}
		if n.names != nil {
			visit(n.names, name, left)
		}
		if n.unevalProps != nil {
			visit(n.unevalProps, value, left)
		}
	}
}

func (r *nameRule) meets(v any) bool {
	name, ok := v.(string)
	if !ok || r.not[name] {
		return false
	}
	for _, re := range r.in {
		if !re.MatchString(name) {
			return false
		}
	}
	for _, re := range r.out {
		if re.MatchString(name) {
			return false
		}
	}
	return true
}
