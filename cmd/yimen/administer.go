package main

import (
	"context"
	"iter"
	"net/http"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
)

// adminFlags declare an exchange and the token of an administrator of it.
func (s *session) adminFlags(f *pflag.FlagSet, server *string) *secret {
	return s.callerFlags(f, server, both("管理员令牌 `TOKEN`", "the administrator's token `TOKEN`"))
}

// callerFlags declare an exchange and the token of who calls it.
func (s *session) callerFlags(f *pflag.FlagSet, server *string, about exchange.Text) *secret {
	s.serverFlag(f, server)
	token := s.secretFlag(f, "token", about)
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

// listed is the whole of a list at an address of the exchange.
func listed[T any](ctx context.Context, s *session, server string, token *secret, path string) ([]T, error) {
	client, err := s.window(ctx, server, token)
	if err != nil {
		return nil, err
	}
	return gathered(api.List[T](ctx, client, path))
}

// gathered is all of a list, or the error with which it ended.
func gathered[T any](list iter.Seq2[T, error]) ([]T, error) {
	all := []T{}
	for element, err := range list {
		if err != nil {
			return nil, err
		}
		all = append(all, element)
	}
	return all, nil
}
