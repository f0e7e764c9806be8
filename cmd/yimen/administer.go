package main

import (
	"context"
	"net/http"

	"github.com/spf13/pflag"
)

// adminFlags declare an exchange and the token of an administrator of it.
func (s *session) adminFlags(f *pflag.FlagSet, server *string) *secret {
	s.serverFlag(f, server)
	token := s.secretFlag(f, "token", both("管理员令牌 `TOKEN`", "the administrator's token `TOKEN`"))
	required(f, "token")
	return token
}

// asked is what the exchange answers an administrator at an address.
func asked[T any](ctx context.Context, s *session, server string, token *secret, path string) (answer T, err error) {
	client, err := s.window(ctx, server, token)
	if err != nil {
		return answer, err
	}
	return answer, client.Call(ctx, http.MethodGet, path, nil, &answer)
}
