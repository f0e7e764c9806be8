package window

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/wire"
)

//go:embed pages/*.html
var templates embed.FS

//go:embed assets/*
var assets embed.FS

const assetsPath = Path + "/assets/"

// pages are the templates in both languages, and the files they name. A file has its hash in its name, so that a browser may
// keep it for ever and never uses an old one.
type pages struct {
	templates map[exchange.Lang]map[string]*template.Template
	files     map[string][]byte // by name with hash
}

// screens are the templates that stand in the layout.
var screens = []string{"sign-in", "lock", "apply", "materials", "record", "help", "error"}

func parsePages() (*pages, error) {
	p := &pages{templates: map[exchange.Lang]map[string]*template.Template{}, files: map[string][]byte{}}
	hashed := map[string]string{}
	err := fs.WalkDir(assets, "assets", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := assets.ReadFile(name)
		sum := sha256.Sum256(content)
		base, kind := path.Base(name), path.Ext(name)
		hashed[base] = strings.TrimSuffix(base, kind) + "-" + hex.EncodeToString(sum[:6]) + kind
		p.files[hashed[base]] = content
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	for _, lang := range []exchange.Lang{exchange.ZH, exchange.EN} {
		p.templates[lang] = map[string]*template.Template{}
		says := template.FuncMap{
			"t":     func(zh, en string) string { return text(zh, en).In(lang) },
			"in":    func(s exchange.Text) string { return s.In(lang) },
			"at":    at,
			"asset": func(name string) string { return assetsPath + hashed[name] },
		}
		for _, name := range screens {
			parsed, err := template.New("layout.html").Funcs(says).ParseFS(templates, "pages/layout.html", "pages/parts.html", "pages/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("read page %s: %w", name, err)
			}
			p.templates[lang][name] = parsed
		}
	}
	return p, nil
}

// at are the troubles of one field.
func at(field string, all []trouble) (here []trouble) {
	for _, one := range all {
		if one.Field == field {
			here = append(here, one)
		}
	}
	return here
}

// view is what the layout shows around a screen.
type view struct {
	Lang       string // of the page, after BCP 47
	Other      exchange.Lang
	Department string
	Clerk      string // empty: nobody is signed in
	Locked     bool
	Now        time.Time
	Phone      string
	Back       string
	Troubles   []trouble
	Data       any
}

// show writes a page. It is made whole before its first byte is sent, so that an error shows as one.
func (w *Window) show(t *turn, got reply) {
	v := view{Lang: "zh-CN", Other: exchange.EN, Now: w.cfg.Clock().In(exchange.China), Phone: w.cfg.Phone, Back: back(t.r.URL.Path), Troubles: got.troubles, Data: got.data}
	if t.lang == exchange.EN {
		v.Lang, v.Other = "en", exchange.ZH
	}
	if t.visit.User != "" {
		v.Clerk, v.Department, v.Locked = t.visit.Caller.Clerk, w.department(t.visit.Caller.Department, t.lang), got.page == "lock"
		// A page that nobody touches asks for the password by itself, so that it is not left open to read.
		if !v.Locked {
			t.out.Header().Set("Refresh", strconv.Itoa(int(idle.Seconds())+1)+"; url="+v.Back)
		}
	}
	var body bytes.Buffer
	if err := w.pages.templates[t.lang][got.page].Execute(&body, v); err != nil {
		w.cfg.Log.ErrorContext(t.r.Context(), "page cannot be made", "page", got.page, "error", fmt.Sprintf("%T", err)) // its text may repeat a value
		http.Error(t.out, "500", http.StatusInternalServerError)
		return
	}
	h := t.out.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", v.Lang)
	h.Add("Vary", "Accept-Language, Cookie")
	if got.status != 0 {
		t.out.WriteHeader(got.status)
	}
	t.out.Write(body.Bytes()) // a browser that is gone needs no answer
}

// asset sends a file of the page, which never changes under its name.
func (p *pages) asset(out http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	content, ok := p.files[name]
	if !ok {
		http.NotFound(out, r)
		return
	}
	out.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(out, r, name, time.Time{}, bytes.NewReader(content))
}

func (w *Window) help(*turn) (reply, error) {
	return reply{page: "help", data: []exchange.Assurance{exchange.AssuranceA, exchange.AssuranceB, exchange.AssuranceC, exchange.AssuranceD}}, nil
}

// spoken is the cookie with the language that was chosen at this browser.
const spoken = "yimen-language"

// speak changes the language.
func (w *Window) speak(t *turn) (reply, error) {
	chosen := exchange.ZH
	if t.r.PostForm.Get("language") == string(exchange.EN) {
		chosen = exchange.EN
	}
	http.SetCookie(t.out, w.preference(t.r, spoken, string(chosen)))
	return reply{to: back(t.r.PostForm.Get("back"))}, nil
}

// languageOf is what was chosen at this browser, else what the browser asks for, else Chinese.
func languageOf(r *http.Request) exchange.Lang {
	if c, err := r.Cookie(spoken); err == nil && (c.Value == string(exchange.ZH) || c.Value == string(exchange.EN)) {
		return exchange.Lang(c.Value)
	}
	return wire.Language(r.Header)
}
