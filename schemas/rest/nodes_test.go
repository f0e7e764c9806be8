package rest

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onedoor/yimen/schemas/registry"
	"github.com/onedoor/yimen/test/kafka"
)

// TestNodesAnswerTheSame: two registries that were changed at the same time, and a third that has nothing but the topic, give
// the same bytes to every question.
func TestNodesAnswerTheSame(t *testing.T) {
	var broker string
	if os.Getenv("YIMEN_TEST_KAFKA") != "" {
		broker = kafka.Start(t, kafka.Options{}).Addrs()[0]
	} else {
		broker = newBroker(t)
	}
	quiet := slog.New(slog.DiscardHandler)
	nodes := []*registry.Registry{registryAt(t, broker, quiet), registryAt(t, broker, quiet)}
	changeTogether(t, nodes)
	nodes = append(nodes, registryAt(t, broker, quiet))
	var servers []*httptest.Server
	for _, n := range nodes {
		if err := n.Settled(t.Context()); err != nil {
			t.Fatal(err)
		}
		server := httptest.NewServer(New(Config{Registry: n}))
		t.Cleanup(server.Close)
		servers = append(servers, server)
	}
	paths := everyQuestion(nodes[0])
	for _, path := range paths {
		for _, accept := range []string{"*/*", "application/json", ""} {
			want := fetched(t, servers[0].URL+path, accept)
			for i, server := range servers[1:] {
				if got := fetched(t, server.URL+path, accept); got != want {
					t.Errorf("registry %d answers GET %s (Accept %q)\n%.500s\nthe first\n%.500s", i+2, path, accept, got, want)
				}
			}
		}
	}
	t.Logf("%d addresses", len(paths))
}

// changeTogether has two registries register, delete, deprecate and set things at the same time.
func changeTogether(t *testing.T, nodes []*registry.Registry) {
	var callers sync.WaitGroup
	ctx := t.Context()
	for at, n := range nodes {
		callers.Go(func() {
			for i := range 12 {
				subject := fmt.Sprintf("s%d/ä ö-value", i%3)
				schema := fmt.Sprintf(`{"title":"%d","type":"object","properties":{"p%d":{"type":"string"}}}`, at, i)
				n.Register(ctx, "t", subject, registry.Candidate{Text: []byte(schema)}, false)
				switch i % 6 {
				case 0:
					n.SetLevel(ctx, "t", subject, registry.Level{Compatibility: "NONE"})
				case 1:
					n.SetLevel(ctx, "t", "", registry.Level{Compatibility: "FULL"})
				case 2:
					n.DeleteVersion(ctx, "t", subject, 1+at, i%4 == 0)
				case 3:
					n.Deprecate(ctx, "t", subject, 0, fmt.Sprint("reason ", i))
				case 4:
					n.Retire(ctx, "t", subject, time.Date(2099, 12, 31, 0, 0, at, 0, time.UTC), "old")
				case 5:
					part := registry.Reference{Name: "part", Subject: subject, Version: i}
					n.Register(ctx, "t", "whole", registry.Candidate{Text: []byte(`{"$ref":"part"}`), References: []registry.Reference{part}}, false)
					n.SetMode(ctx, "t", "whole", "READWRITE", false)
				}
			}
		})
	}
	callers.Wait()
}

// everyQuestion is every GET address for every subject, version, id and guid there is, and some that are not.
func everyQuestion(n *registry.Registry) []string {
	paths := []string{"/", "/subjects", "/subjects?deleted=true", "/subjects?deletedOnly=true", "/schemas", "/schemas?deleted=true", "/schemas?latestOnly=true",
		"/schemas/types", "/config", "/mode", "/contexts", "/history", "/history?offset=3&limit=2", "/nothing", "/associations/x"}
	add := func(format string, args ...any) { paths = append(paths, fmt.Sprintf(format, args...)) }
	for _, subject := range append(n.Subjects("", true, false), "nobody") {
		s := url.PathEscape(subject)
		for _, p := range []string{"/subjects/%s/versions", "/subjects/%s/versions?deleted=true", "/subjects/%s/versions/latest", "/subjects/%s/versions/-1?deleted=true", "/subjects/%s/metadata",
			"/subjects/%s/history", "/subjects/%s/retirement", "/config/%s", "/config/%s?defaultToGlobal=true", "/mode/%s", "/mode/%s?defaultToGlobal=true"} {
			add(p, s)
		}
		versions, _ := n.Versions(subject, true)
		for _, v := range versions {
			for _, p := range []string{"", "?deleted=true", "/schema", "/referencedby"} {
				add("/subjects/%s/versions/%d%s", s, v.Version, p)
			}
			add("/schemas/guids/%s", v.GUID)
			add("/schemas/guids/%s/ids", v.GUID)
		}
	}
	for id := range n.MaxID() + 2 {
		for _, p := range []string{"", "?fetchMaxId=true", "/schema", "/subjects", "/subjects?deleted=true", "/versions"} {
			add("/schemas/ids/%d%s", id, p)
		}
	}
	return paths
}

// fetched is the whole answer: status, headers but for the date, body.
func fetched(t *testing.T, address, accept string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if accept != "" {
		r.Header.Set("Accept", accept)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	response.Header.Del("Date")
	var all strings.Builder
	fmt.Fprintln(&all, response.Status)
	response.Header.Write(&all)
	if _, err := io.Copy(&all, response.Body); err != nil {
		t.Fatal(err)
	}
	return all.String()
}
