package main

import (
	"context"

	"github.com/spf13/pflag"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/catalogue/review"
	"github.com/onedoor/yimen/schemas"
)

func (s *session) itemLint() verb {
	var dir string
	return verb{
		use:   "lint",
		short: both("检查事项：没有依据的材料、可共享却仍索要的材料、永远用不到的办法", "check the items: materials without a basis, or held already, and what can never count"),
		long: both(`检查全部事项，一次列出全部问题：文件和行、事项/材料、原因、改法。有问题时退出码为 1。不需要服务器。
没有写明法规的依据；名称就是某种证照却要求申请人自备的材料；满足时必已满足另一种的办法；永远不成立的条件；证照没有的字段和取值；有授权表时，没有任何部门获准核验的证照，和条件要读而授权不含的字段（条件成不成立会透露它）。
材料是否可共享，只按名称判断：去掉“复印件”“原件”“申请人”等字样后，与证照类型或其 Schema 的名称完全相同。`,
			`Check all items and list everything that is wrong: file and line, item and material, reason, mend. The exit code is then 1. No server is needed.
A basis that names no law; a material the applicant is to bring though it is by name what a department holds; an alternative that is met only where another one is; a condition that never holds; fields and values that the evidence does not have; where there are grants, evidence that no department may look up, and fields that a condition reads and a grant does not show (whether it holds tells of them).
Whether a material can be shared is told by its name alone: without words such as "copy" or "the applicant's" it is the name of an evidence type, or of its schema.`),
		example: "yimen item lint\nyimen item lint --catalogue /etc/yimen/catalogue -o json",
		lists:   true,
		flags:   func(f *pflag.FlagSet) { s.catalogueFlag(f, &dir) },
		run: func(context.Context, []string) error {
			c, err := loadCatalogue(dir)
			if err != nil {
				return err
			}
			set, err := schemas.Builtin()
			if err != nil {
				return err
			}
			return s.reviewed(review.Of(c, set, exchange.DateOf(s.now())), len(c.Services()))
		},
	}
}

// reviewed prints what was found, then the sum on standard error.
func (s *session) reviewed(all []review.Finding, items int) error {
	var found []findingView
	for _, f := range all {
		found = append(found, findingView{File: f.File, Line: f.Line, Pointer: string(f.Item) + "/" + f.Material, Rule: f.Code, What: f.What, Mend: f.Mend})
	}
	if len(found) > 0 || s.format != asTable && s.format != asWide {
		if err := s.findingRows().print(s, found); err != nil {
			return err
		}
	}
	if len(found) == 0 {
		s.say("%s 个事项，没有问题\n", "items: %s, nothing is wrong\n", figure(int64(items)))
		return nil
	}
	s.say("%s 个事项，共 %s 处问题\n", "items: %s, findings: %s\n", figure(int64(items)), figure(int64(len(found))))
	return exitFailed
}
