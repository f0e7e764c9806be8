package main

import (
	"context"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange/door"
)

// passwordVerb makes what a callers file keeps of a password.
func (s *session) passwordVerb() verb {
	var password *secret
	return verb{
		use:   "password",
		short: both("口令的散列，写入调用方文件", "the hash of a password, for the callers file"),
		long: both("读一个口令，给出它的 argon2id 散列，即调用方文件中 password 的值。从终端读时口令不显示。",
			"Reads a password and gives its argon2id hash, which is what stands after password in a callers file. Typed at a terminal, it is not shown."),
		example: "yimen password\nyimen password --password @first.password",
		flags: func(f *pflag.FlagSet) {
			password = s.secretFlag(f, "password", both("口令 `PASSWORD`，默认从标准输入读取", "the `PASSWORD`; by default from standard input"))
		},
		run: func(ctx context.Context, _ []string) error {
			if !password.given() {
				password.source = "-"
			}
			typed, err := password.read(ctx)
			if err != nil {
				return err
			}
			hash, err := door.PasswordHash(typed)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(s.out, hash)
			return err
		},
	}
}
