package schemas

import (
	"maps"
	"slices"
	"strings"
)

// maxUnfolded bounds the subschemas of a schema with every reference written out, and with it the work of a validation:
// twenty definitions that each name the next one twice are a million.
const maxUnfolded = 20_000

const definitionsPrefix = "#/definitions/"

// refAlone checks a schema that is a reference.
func refAlone(node map[string]any, at string) error {
	for _, k := range slices.Sorted(maps.Keys(node)) {
		if !slices.Contains(besideRef(), k) {
			return schemaProblem("YM-SCH-0107", at, "$ref 旁边的 "+quote(k)+" 不起作用", quote(k)+" beside $ref has no effect",
				`写成 "allOf": [{"$ref": …}]，再加其他关键字`, `write "allOf": [{"$ref": …}] and the other keywords beside it`)
		}
	}
	ref, _ := node["$ref"].(string)
	if name, ok := strings.CutPrefix(ref, definitionsPrefix); ref == "#" || ok && exactName(name) {
		return nil
	}
	return schemaProblem("YM-SCH-0107", at, "引用指向本文件 definitions 之外", "the reference leaves this document's definitions",
		"把被引用的内容抄进 definitions，写成 #/definitions/名称；不读取网址和别的文件", "copy what it refers to into definitions and write #/definitions/NAME; addresses and other files are never read")
}

// exactName says whether a definition's name is the same in a pointer and in the document.
func exactName(name string) bool { return name != "" && !strings.ContainsAny(name, "/~%") }

// target is the schema a reference names.
func target(root map[string]any, ref string) (any, bool) {
	if ref == "#" {
		return root, true
	}
	definitions, _ := root["definitions"].(map[string]any)
	v, ok := definitions[strings.TrimPrefix(ref, definitionsPrefix)]
	return v, ok
}

// edge is one reference on the way from a definition (or the root) to another.
type edge struct {
	to     string
	step   bool // the way goes down into the value, so that a cycle ends with it
	branch bool // the way goes through a branch, so that a cycle can try one value many times over
}

// references checks what the references of a schema amount to together: that each has a target, that no cycle
// runs for ever or costs exponentially, and that the whole stays of bearable size.
func references(root map[string]any) error {
	graph := map[string][]edge{"#": edges(root, edge{})}
	definitions, _ := root["definitions"].(map[string]any)
	for name, d := range definitions {
		graph[definitionsPrefix+name] = edges(d, edge{})
	}
	for _, from := range slices.Sorted(maps.Keys(graph)) {
		at := strings.TrimPrefix(from, "#")
		for _, e := range graph[from] {
			if _, ok := graph[e.to]; !ok {
				return schemaProblem("YM-SCH-0107", at, "引用 "+quote(e.to)+" 没有对应的定义", "reference "+quote(e.to)+" has no definition", "在 definitions 里补上，或者改正名称", "add it to definitions, or correct the name")
			}
		}
		if reaches(graph, from, from, func(e edge) bool { return !e.step }) {
			return schemaProblem("YM-SCH-0108", at, "引用绕回自身，中间没有进入下一层", "references come back to themselves without a step into the value", "去掉循环，或者让它经过 properties 或 items", "break the cycle, or let it pass through properties or items")
		}
		for _, e := range graph[from] {
			if e.branch && reachesOrIs(graph, e.to, from) {
				return schemaProblem("YM-SCH-0115", at, "引用循环经过 anyOf、allOf、if 等分支，核验时间会成倍增长", "a cycle of references passes through a branch (anyOf, allOf, if …): the cost of a check could double at every level", "循环里不要用分支", "use no branches within the cycle")
			}
		}
	}
	if unfolded(graph) > maxUnfolded {
		return schemaProblem("YM-SCH-0116", "", "引用展开后过大", "the schema is too large once its references are written out", "减少互相嵌套的引用", "nest fewer references within each other")
	}
	return nil
}

// edges collects the references below v, definitions aside.
func edges(v any, way edge) []edge {
	node, ok := v.(map[string]any)
	if !ok {
		return nil
	}
	if ref, ok := node["$ref"].(string); ok {
		way.to = ref
		return []edge{way}
	}
	var found []edge
	table := applicators()
	for _, keyword := range slices.Sorted(maps.Keys(node)) {
		a, ok := table[keyword]
		if !ok || keyword == "definitions" {
			continue
		}
		next := way
		switch keyword {
		case "properties", "patternProperties", "items", "additionalItems", "additionalProperties", "contains":
			next.step = true
		}
		next.branch = way.branch || a.role == condition
		for _, child := range subschemas(node[keyword], a.shape) {
			found = append(found, edges(child, next)...)
		}
	}
	return found
}

// reaches says whether a way of at least one allowed edge leads from one schema to another.
func reaches(graph map[string][]edge, from, to string, allowed func(edge) bool) bool {
	seen := map[string]bool{}
	queue := []string{from}
	for len(queue) > 0 {
		here := queue[0]
		queue = queue[1:]
		for _, e := range graph[here] {
			if !allowed(e) || seen[e.to] {
				continue
			}
			if e.to == to {
				return true
			}
			seen[e.to] = true
			queue = append(queue, e.to)
		}
	}
	return false
}

func reachesOrIs(graph map[string][]edge, from, to string) bool {
	return from == to || reaches(graph, from, to, func(edge) bool { return true })
}

// unfolded is the number of references followed when all are written out, a cycle once, up to a bound.
func unfolded(graph map[string][]edge) int {
	size := map[string]int{}
	var measure func(name string) int
	measure = func(name string) int {
		if n, ok := size[name]; ok {
			return n
		}
		size[name] = 0 // in progress: a cycle counts once
		n := 1
		for _, e := range graph[name] {
			n = min(n+measure(e.to), maxUnfolded+1)
		}
		size[name] = n
		return n
	}
	return measure("#")
}
