package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onedoor/yimen/exchange/contract"
	"github.com/onedoor/yimen/exchange/notice"
)

// subscriptionsUp is a desk of subscriptions that has one of a webhook and one of a topic.
func subscriptionsUp(t *testing.T) (flags string, wished *notice.Wish) {
	t.Helper()
	at := time.Unix(1_800_000_000, 0)
	hook := notice.Subscription{ID: "s-hook", Department: "xzsp", Case: "LL-1", URL: "https://cases.example.gov.cn/n", At: at, By: "xzsp/0017", Delivered: 3, GivenUp: 1, Last: at, Why: "503"}
	all := notice.Subscription{ID: "s-all", Department: "xzsp", At: at, By: "xzsp/0017"}
	wished = &notice.Wish{}
	server := httptest.NewServer(contract.Handler([]contract.Operation{
		{Method: http.MethodGet, Path: "/v1/subscriptions", Do: func(r *http.Request) (any, error) {
			part, last := onePart(r, []notice.Subscription{hook, all})
			return contract.Part{Answer: notice.Listing{Key: "whpk_x", Subscriptions: part}, Last: last}, nil
		}},
		{Method: http.MethodPost, Path: "/v1/subscriptions", Do: func(r *http.Request) (any, error) {
			asked, err := contract.Read[notice.Wish](r, both("", ""))
			*wished = asked
			if asked.URL == "" {
				return notice.Subscribed{Subscription: all, Topic: "notices.xzsp"}, err
			}
			return notice.Subscribed{Subscription: hook, Key: "whpk_x"}, err
		}},
		{Method: http.MethodDelete, Path: "/v1/subscriptions/{subscription}", Do: func(*http.Request) (any, error) { return hook, nil }},
	}, nil))
	t.Cleanup(server.Close)
	token := filepath.Join(t.TempDir(), "clerk.token")
	if err := os.WriteFile(token, []byte("of-a-clerk\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return " --server " + server.URL + " --token @" + token, wished
}

func TestSubscriptions(t *testing.T) {
	flags, wished := subscriptionsUp(t)
	for words, want := range map[string]string{
		"subscription list --lang en":                                       "last given up at 2027-01-15 16:00:00: 503",
		"subscription list -o name":                                         "s-all\ns-hook\n",
		"subscription add --all --lang en":                                  "✓ subscribed as s-all; the notices are on the Kafka topic notices.xzsp\n",
		"subscription add --case LL-1 --url https://cases.example.gov.cn/n": "✓ 已订阅，编号 s-hook\n  验证签名的公钥：whpk_x\n",
		"subscription remove s-hook --lang en":                              "✓ s-hook has ended\n",
	} {
		if got := yimen(t, strings.Fields(words+flags)...); got.code != exitOK || !strings.Contains(got.out, want) {
			t.Errorf("%s: %d, %s%s", words, got.code, got.out, got.talk)
		}
	}
	yimen(t, strings.Fields("subscription add --case LL-2"+flags)...)
	if *wished != (notice.Wish{Case: "LL-2"}) {
		t.Errorf("asked for %+v", *wished)
	}
}
