package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/api"
	"github.com/onedoor/yimen/exchange/catalogue"
)

// itemsAt is where items are read: from files, or at an exchange, where they may have been published, adjusted or withdrawn since.
type itemsAt struct {
	exchangeAt
	dir string
}

func (s *session) itemsAtFlags(f *pflag.FlagSet, at *itemsAt) {
	s.catalogueFlag(f, &at.dir)
	s.exchangeFlags(f, &at.exchangeAt, both("调用令牌 `TOKEN`，通常不需要", "the caller's token `TOKEN`; mostly not needed"))
}

// client is the exchange that has the items.
func (at *itemsAt) client(ctx context.Context) (*api.Client, error) {
	if at.dir != "" {
		return nil, &usageError{&exchange.Problem{Code: "YM-CLI-0312", Kind: exchange.Invalid,
			What: both("--catalogue 和 --server、--token 不能一起用", "--catalogue goes with neither --server nor --token"),
			Why:  both("要么查看文件里的事项，要么查看平台上现行的", "items are those of files, or those in force at an exchange"),
			Mend: both("去掉其中一个", "leave one of them out")}}
	}
	base, bearer, err := at.reach(ctx)
	return &api.Client{Base: base, Token: bearer}, err
}

// all are the items, and a catalogue that has the departments' names.
func (at *itemsAt) all(ctx context.Context) (*catalogue.Catalogue, []catalogue.Service, error) {
	if !at.named() {
		c, err := loadCatalogue(at.dir)
		if err != nil {
			return nil, nil, err
		}
		return c, c.Services(), nil
	}
	client, err := at.client(ctx)
	if err != nil {
		return nil, nil, err
	}
	rows, err := gathered(client.Items(ctx))
	if err != nil {
		return nil, nil, err
	}
	c, err := loadCatalogue("")
	return c, rows, err
}

// one is an item, and a catalogue that has the departments' names.
func (at *itemsAt) one(ctx context.Context, code exchange.Item) (*catalogue.Catalogue, catalogue.Service, error) {
	if at.named() {
		return at.inForce(ctx, code)
	}
	c, err := loadCatalogue(at.dir)
	if err != nil {
		return nil, catalogue.Service{}, err
	}
	item, known := c.Service(code)
	if known {
		return c, item, nil
	}
	codes, _ := itemCodes(at.dir) // they were just read
	p := missing("0302", both("事项", "service item"), string(code), codes, "yimen item list")
	p.Mend = both(p.Mend.ZH+"；在平台上公布的，用 --server 查看", p.Mend.EN+"; what was published at an exchange, with --server")
	return c, item, p
}

// inForce is one at the exchange.
func (at *itemsAt) inForce(ctx context.Context, code exchange.Item) (c *catalogue.Catalogue, item catalogue.Service, err error) {
	client, err := at.client(ctx)
	if err != nil {
		return nil, item, err
	}
	if item, err = client.Item(ctx, code); err != nil {
		return nil, item, err
	}
	c, err = loadCatalogue("")
	return c, item, err
}

// sayWhere tells people which items they see.
func (s *session) sayWhere(at *itemsAt) {
	switch {
	case at.named():
		base, _ := address(at.server) // it was just asked
		s.remark("平台 %s 上今天有效的\n", "In force today at %s\n", base)
	case at.dir != "":
		s.remark("读自内置文件和 %s；平台上现行的用 --server 查看\n", "Read from the built-in files and %s; --server shows what is in force at an exchange\n", shown(at.dir))
	default:
		s.remark("读自内置文件；平台上现行的用 --server 查看\n", "Read from the built-in files; --server shows what is in force at an exchange\n")
	}
}
