package node

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/onedoor/yimen/exchange/national"
)

// What was published is answered in the national convention too, with a receipt.
func TestNationalInterface(t *testing.T) {
	n := start(t, settings(t))
	t.Cleanup(func() { stop(t, n) })
	publish(t, n, 1)
	for operation, test := range map[string]struct{ data, want string }{
		"queryCertInfoByHolderCode": {`{"holderCode":"` + company + `","holderTypeCode":"001","certTypeCode":"business-licence","useCause":"food-licence-new LL-2026-1123-0041"}`, `"creditCode":"` + company + `"`},
		"verifyCertInfo":            {`{"certTypeCode":"business-licence","certData":{"holderCode":"` + company + `","certNo":"` + company + `"},"useCause":"food-licence-new LL-2026-1123-0041"}`, `"result":"0"`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URL()+national.Path+"/"+operation, strings.NewReader(`{"accessId":"xzsp/0017","accessToken":"`+token+`","data":`+test.data+`}`))
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		var answer struct {
			Head struct{ Status int }
			Data struct {
				Receipt struct{ ID, Hash string }
			}
		}
		if err != nil || json.Unmarshal(body, &answer) != nil || answer.Head.Status != 0 || !strings.Contains(string(body), test.want) || answer.Data.Receipt.Hash == "" {
			t.Errorf("%s: %s, %v", operation, body, err)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}
