package rest

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// call is one request on its way.
type call struct {
	*service
	w      http.ResponseWriter
	r      *http.Request
	query  query
	names  []string // the named segments of the path, in order, decoded
	by     string   // who sends it, where it changes something
	routed string   // the pattern that fits, for the log: it holds nothing the caller wrote
}

// verb is what a method does at a path.
type verb struct {
	writes bool // only for writers
	do     func(*call) error
}

func read(do func(*call) error) verb  { return verb{false, do} }
func write(do func(*call) error) verb { return verb{true, do} }

// route is a path and what can be done there. A segment * stands for any one segment.
type route struct {
	pattern string
	verbs   map[string]verb
}

// routes are Confluent's and, after them, Yimen's own.
var routes = []route{
	{"", map[string]verb{"GET": read(root)}},
	{"subjects", map[string]verb{"GET": read(listSubjects)}},
	{"subjects/*", map[string]verb{"POST": read(lookUp), "DELETE": write(deleteSubject)}},
	{"subjects/*/versions", map[string]verb{"GET": read(listVersions), "POST": write(register)}},
	{"subjects/*/versions/*", map[string]verb{"GET": read(getVersion), "DELETE": write(deleteVersion)}},
	{"subjects/*/versions/*/schema", map[string]verb{"GET": read(getVersionText)}},
	{"subjects/*/versions/*/referencedby", map[string]verb{"GET": read(referencedBy)}},
	{"subjects/*/metadata", map[string]verb{"GET": read(getByMetadata)}},
	{"schemas", map[string]verb{"GET": read(listSchemas)}},
	{"schemas/types", map[string]verb{"GET": read(listTypes)}},
	{"schemas/ids/*", map[string]verb{"GET": read(getID)}},
	{"schemas/ids/*/schema", map[string]verb{"GET": read(getIDText)}},
	{"schemas/ids/*/subjects", map[string]verb{"GET": read(listSubjectsOfID)}},
	{"schemas/ids/*/versions", map[string]verb{"GET": read(listVersionsOfID)}},
	{"schemas/guids/*", map[string]verb{"GET": read(getGUID)}},
	{"schemas/guids/*/ids", map[string]verb{"GET": read(listIDsOfGUID)}},
	{"compatibility/subjects/*/versions", map[string]verb{"POST": read(testAll)}},
	{"compatibility/subjects/*/versions/*", map[string]verb{"POST": read(testOne)}},
	{"config", map[string]verb{"GET": read(getLevel), "PUT": write(putLevel), "DELETE": write(deleteLevel)}},
	{"config/*", map[string]verb{"GET": read(getLevel), "PUT": write(putLevel), "DELETE": write(deleteLevel)}},
	{"mode", map[string]verb{"GET": read(getMode), "PUT": write(putMode), "DELETE": write(deleteMode)}},
	{"mode/*", map[string]verb{"GET": read(getMode), "PUT": write(putMode), "DELETE": write(deleteMode)}},
	{"contexts", map[string]verb{"GET": read(listContexts)}},

	{"history", map[string]verb{"GET": read(getHistory)}},
	{"subjects/*/history", map[string]verb{"GET": read(getHistory)}},
	{"subjects/*/impact", map[string]verb{"POST": write(impact)}},
	{"subjects/*/deprecation", map[string]verb{"PUT": write(deprecate), "DELETE": write(reinstate)}},
	{"subjects/*/versions/*/deprecation", map[string]verb{"PUT": write(deprecate), "DELETE": write(reinstate)}},
	{"subjects/*/retirement", map[string]verb{"GET": read(getRetirement), "PUT": write(retire), "DELETE": write(unretire)}},
}

// serve finds out what is wanted, by whom, and does it.
func (c *call) serve() error {
	segments, err := segmentsOf(c.r.URL.EscapedPath())
	if err != nil {
		return err
	}
	if len(segments) > 0 && segments[0] == "associations" {
		return noAssociation()
	}
	v, err := c.find(segments)
	if err != nil {
		return err
	}
	if v.writes {
		if c.Writer == nil {
			return nobodyWrites()
		}
		if c.by, err = c.Writer(c.r); err != nil {
			return err
		}
	}
	return v.do(c)
}

// find is what is done at a path.
func (c *call) find(segments []string) (verb, error) {
	for _, candidate := range routes {
		names, fits := match(candidate.pattern, segments)
		if !fits {
			continue
		}
		method := c.r.Method
		if method == http.MethodHead {
			method = http.MethodGet // the server leaves the body out
		}
		v, known := candidate.verbs[method]
		if !known {
			allow := allowed(candidate.verbs)
			c.w.Header().Set("Allow", allow)
			return verb{}, wrongMethod(allow)
		}
		c.names, c.routed = names, "/"+candidate.pattern
		return v, nil
	}
	return verb{}, noSuchPath()
}

func match(pattern string, segments []string) (names []string, fits bool) {
	if pattern == "" {
		return nil, len(segments) == 0
	}
	if strings.Count(pattern, "/") != len(segments)-1 {
		return nil, false
	}
	i := 0
	for part := range strings.SplitSeq(pattern, "/") {
		switch {
		case part == "*":
			names = append(names, segments[i])
		case part != segments[i]:
			return nil, false
		}
		i++
	}
	return names, true
}

func allowed(verbs map[string]verb) string {
	var names []string
	for name := range verbs {
		names = append(names, name)
		if name == http.MethodGet {
			names = append(names, http.MethodHead)
		}
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// segmentsOf are the parts of an encoded path, each decoded by itself: a subject is one segment, slashes and all. A leading
// context is taken off. One slash at the end does not count.
func segmentsOf(path string) ([]string, error) {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil, nil
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		decoded, err := url.PathUnescape(segment)
		if err != nil {
			return nil, noSuchPath()
		}
		segments[i] = decoded
	}
	if segments[0] != "contexts" || len(segments) == 1 {
		return segments, nil
	}
	switch context := segments[1]; {
	case context == "." || context == ":.:":
		return segments[2:], nil
	case slices.Contains(roots, context): // who builds addresses by joining paths loses the "." of the default context
		return segments[1:], nil
	default:
		return nil, noSuchContext(context)
	}
}

// roots are what a context's paths begin with.
var roots = []string{"subjects", "schemas", "compatibility", "config", "mode", "contexts", "history", "associations"}
