package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
)

// exchangeAt is the exchange that --server and --token name, for commands that can do without one.
type exchangeAt struct {
	server string
	token  *secret
	given  *pflag.FlagSet
}

func (s *session) exchangeFlags(f *pflag.FlagSet, at *exchangeAt, about exchange.Text) {
	at.given = f
	s.serverFlag(f, &at.server)
	at.token = s.secretFlag(f, "token", about)
}

// named says whether the command line speaks of an exchange at all.
func (at *exchangeAt) named() bool { return at.given.Changed("server") || at.token.given() }

// reach is its address, and the token where one is given.
func (at *exchangeAt) reach(ctx context.Context) (base, bearer string, err error) {
	if base, err = address(at.server); err == nil && at.token.given() {
		bearer, err = bearerOf(ctx, at.token)
	}
	return base, bearer, err
}
