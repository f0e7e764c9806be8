package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/schemas/registry"
)

// complaint is how an error is written under -o json and -o jsonl.
type complaint struct {
	Code    string   `json:"code"`
	Message string   `json:"message"`
	Hint    string   `json:"hint"`
	Details []string `json:"details"`
}

// The most problems listed of one error: a catalogue can have hundreds, and the first ones tell enough.
const mostProblems = 20

// complain says on standard error what went wrong: what happened, why we think so, how to mend it.
func (s *session) complain(err error) {
	if _, said := errors.AsType[code](err); said || err == nil {
		return
	}
	problems := problemsOf(err)
	if s.format == asJSON || s.format == asLines {
		s.complainToScript(problems)
		return
	}
	for i, p := range problems {
		if i == mostProblems {
			fmt.Fprintf(s.talk, s.t("另有 %d 处\n", "%d more\n"), len(problems)-i)
			return
		}
		fmt.Fprintf(s.talk, "%s  %s\n", s.paint(s.talkTTY, red, p.Code), plain(p.What.In(s.lang)))
		for _, detail := range s.details(p) {
			fmt.Fprintf(s.talk, "  %s%s\n", s.t("原因：", "because: "), plain(detail))
		}
		if mend := p.Mend.In(s.lang); mend != "" {
			fmt.Fprintf(s.talk, "  → %s\n", plain(mend))
		}
	}
}

// complainToScript writes one object: the first problem, and the others among its details.
func (s *session) complainToScript(problems []*exchange.Problem) {
	first := problems[0]
	c := complaint{Code: first.Code, Message: first.What.In(s.lang), Hint: first.Mend.In(s.lang), Details: s.details(first)}
	for _, p := range problems[1:] {
		c.Details = append(c.Details, p.In(s.lang))
	}
	// A complaint of strings always encodes; a standard error that is gone cannot be told so.
	_ = encoder(s.talk).Encode(c)
}

// details are the reasons of a problem, then those of the problems it wraps.
func (s *session) details(p *exchange.Problem) []string {
	details := []string{}
	if why := p.Why.In(s.lang); why != "" {
		details = append(details, why)
	}
	if p.Err == nil {
		return details
	}
	if inner, ok := errors.AsType[*exchange.Problem](p.Err); ok {
		details = append(details, inner.What.In(s.lang))
		return append(details, s.details(inner)...)
	}
	if refused, ok := errors.AsType[*registry.Incompatible](p.Err); ok {
		return append(details, s.whyIncompatible(refused.Judgement)...)
	}
	return append(details, s.reason(p.Err))
}

// problemsOf are the problems in an error, or one made of it, so that everything is said in three parts.
func problemsOf(err error) []*exchange.Problem {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		switch e := inner.(type) {
		case *exchange.Problem:
			return []*exchange.Problem{within(e, err)}
		case interface{ Unwrap() []error }:
			var all []*exchange.Problem
			for _, one := range e.Unwrap() {
				all = append(all, problemsOf(one)...)
			}
			return all
		}
	}
	return []*exchange.Problem{strange(err)}
}

// within adds to a problem what those who passed it on said around it, such as the file it was in.
func within(p *exchange.Problem, whole error) *exchange.Problem {
	around := strings.TrimSuffix(whole.Error(), p.Error())
	if around == "" || around == whole.Error() {
		return p
	}
	around = " (" + strings.TrimSuffix(around, ": ") + ")"
	q := *p
	q.What = exchange.Text{ZH: p.What.In(exchange.ZH) + around, EN: p.What.In(exchange.EN) + around}
	return &q
}

// strange makes a problem of an error that is none.
func strange(err error) *exchange.Problem {
	if errors.Is(err, context.Canceled) {
		return &exchange.Problem{
			Code: "YM-CLI-0130", Kind: exchange.Internal,
			What: both("已中断", "interrupted"),
			Why:  both("收到了停止信号", "a signal asked the command to stop"),
			Mend: both("再次运行即可重做", "run it again to do it over"),
		}
	}
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return fileProblem(path.Path, path)
	}
	return &exchange.Problem{
		Code: "YM-CLI-0001", Kind: exchange.Internal,
		What: both("命令没有完成", "the command did not finish"),
		Mend: both("如果反复出现，请把以上文字和 yimen version 的输出交给维护人员",
			"if it keeps happening, give this text and the output of yimen version to whoever looks after Yimen"),
		Err: err,
	}
}

// fileProblem says why a file could not be read.
func fileProblem(path string, err error) *exchange.Problem {
	p := &exchange.Problem{
		Code: "YM-CLI-0110", Kind: exchange.Internal,
		What: both("无法读取文件 "+shown(path), "cannot read the file "+shown(path)),
		Mend: both("检查这个文件和所在的磁盘", "look at the file and the disk it is on"),
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		p.Code, p.Kind = "YM-CLI-0111", exchange.NotFound
		p.Why = both("没有这个文件或文件夹", "there is no such file or folder")
		p.Mend = both("检查路径；标准输入写作 -", "check the path; standard input is written -")
	case errors.Is(err, os.ErrPermission):
		p.Code, p.Kind = "YM-CLI-0112", exchange.Denied
		p.Why = both("当前用户没有权限", "the current user may not")
		p.Mend = both("用 ls -l 查看权限，再用 chmod 或 setfacl 放开", "look with ls -l, then allow it with chmod or setfacl")
	case errors.Is(err, syscall.ENOTDIR):
		p.Code, p.Kind = "YM-CLI-0113", exchange.Invalid
		p.Why = both("这里需要文件夹，它是文件", "a folder is needed here, and it is a file")
		p.Mend = both("写出文件夹的路径", "name the folder")
	case errors.Is(err, syscall.EISDIR):
		p.Code, p.Kind = "YM-CLI-0114", exchange.Invalid
		p.Why = both("这里需要文件，它是文件夹", "a file is needed here, and it is a folder")
		p.Mend = both("写出其中文件的路径", "name a file in it")
	default:
		p.Err = err
		if path, ok := errors.AsType[*fs.PathError](err); ok {
			p.Err = path.Err // the path is in the message already
		}
	}
	return p
}

// folderProblem says why a folder could not be read, and which flag names it.
func folderProblem(path, flag string, err error) *exchange.Problem {
	p := fileProblem(path, err)
	p.What = both("无法读取文件夹 "+shown(path), "cannot read the folder "+shown(path))
	if p.Kind == exchange.NotFound {
		p.Mend = both("检查路径，用 "+flag+" 指定", "check the path and name it with "+flag)
	}
	return p
}

// encoder writes JSON as people and scripts want to read it: one value a line, < and > left alone.
func encoder(w interface{ Write([]byte) (int, error) }) *json.Encoder {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e
}
