package api_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/enrol"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
)

// A window's program asks which materials the applicant need not bring. Whatever happens to the connection, the query is carried out
// once: for a minute it is sent again under the same Idempotency-Key.
func Example() {
	base, token, stop := api.MadeUp()
	defer stop()

	client := &api.Client{Base: base, Token: token, Patience: time.Minute}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()

	conclusion, err := client.Query(ctx, api.QueryRequest{Case: "LL-2026-1123-0041", Item: "food-licence-new", Applicant: "924302810000003187"})
	if problem, ok := errors.AsType[*exchange.Problem](err); ok {
		fmt.Println(problem.In(exchange.EN)) // what, why, and what mends it; problem.Kind says what a program does about it
		return
	}
	if err != nil {
		fmt.Println(err) // ctx ended
		return
	}
	for _, material := range conclusion.Answers {
		fmt.Println(material.Name.EN+":", material.Outcome)
	}

	for item, err := range client.Items(ctx) { // part by part, as many as are read
		if err != nil {
			fmt.Println(err)
			return
		}
		if item.Code == conclusion.Item {
			fmt.Println(item.Name.EN, "is decided by", item.Department)
			break
		}
	}
	// Output:
	// form: supply
	// licence: held
	// New food business licence is decided by scjg
}

// A department's system asks with its certificate, which `yimen enroll` got for it. Nobody but the city's roots is trusted, and the
// certificate is renewed while the program runs.
func Example_certificate() {
	place := enrol.PlaceOf("/var/lib/case-system", "xzsp/service/case-system")
	joined, err := place.Membership()
	if err != nil {
		fmt.Println(exchange.KindOf(err)) // this machine has not joined
		return
	}
	credential, err := certs.OpenCredential(place.Credential())
	if err != nil {
		fmt.Println(err)
		return
	}
	https := &http.Client{Transport: &http.Transport{TLSClientConfig: credential.TLS()}, Timeout: 30 * time.Second}
	client := &api.Client{Base: joined.Server, HTTP: https, Patience: time.Minute}

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	go func() {
		log.Print(credential.Keep(ctx, func(ctx context.Context, request []byte) (certs.Papers, error) {
			renewed, err := (&enrol.Client{Base: joined.Server, HTTP: https}).Renew(ctx, request)
			return renewed.Papers(), err
		}))
	}()

	for grant, err := range client.Grants(ctx) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(grant.ID, grant.Status, grant.Terms.Until)
	}
	// Output: not_found
}
