package window

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// browser is Chromium before the page.
type browser struct {
	t     *testing.T
	ctx   context.Context
	axe   string
	shots string // directory for pictures; empty: none

	mu    sync.Mutex
	asked []string // addresses, all of them
}

// open starts Chromium, or skips where it is not named.
func open(t *testing.T, w *world) *browser {
	t.Helper()
	program, axe := os.Getenv("YIMEN_TEST_CHROMIUM"), os.Getenv("YIMEN_TEST_AXE")
	if program == "" || axe == "" {
		t.Skip("YIMEN_TEST_CHROMIUM and YIMEN_TEST_AXE name no browser and no axe-core; ./test/run does")
	}
	script, err := os.ReadFile(filepath.Join(axe, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	within, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	started, cancel := chromedp.NewExecAllocator(within, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(program), chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(1200, 900))...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(started)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx, axe: string(script), shots: os.Getenv("YIMEN_TEST_PICTURES")}
	chromedp.ListenTarget(ctx, func(event any) {
		if sent, ok := event.(*network.EventRequestWillBeSent); ok {
			b.mu.Lock()
			b.asked = append(b.asked, sent.Request.URL)
			b.mu.Unlock()
		}
	})
	b.do("start", network.Enable(), emulation.SetFocusEmulationEnabled(true))
	t.Cleanup(func() { b.home(w.URL) })
	return b
}

func (b *browser) do(what string, actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 20*time.Second)
	defer cancel()
	if what == "start" { // the first context starts the browser, and its end would end it
		ctx = b.ctx
	}
	if err := chromedp.Run(ctx, actions...); err != nil {
		var body string
		chromedp.Run(b.ctx, chromedp.OuterHTML("body", &body, chromedp.ByQuery))
		b.t.Fatalf("%s: %v\n%s", what, err, body)
	}
}

// press types, one key after the other as a person or a card reader does.
func (b *browser) press(keys string, modifiers ...input.Modifier) {
	b.t.Helper()
	b.do("press", chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// follow goes to the next link and presses Enter. The protocol's character of the key would come after the jump, at the field
// that has the focus then, as no keyboard's does.
func (b *browser) follow() {
	b.t.Helper()
	b.press(kb.Tab)
	key := func(kind input.KeyType) chromedp.Action {
		return input.DispatchKeyEvent(kind).WithKey("Enter").WithCode("Enter").WithWindowsVirtualKeyCode(13)
	}
	b.do("follow a link", key(input.KeyRawDown), key(input.KeyUp))
}

// see waits for an element, and looks at the whole page then.
func (b *browser) see(name, selector string) {
	b.t.Helper()
	b.do("see "+name+" "+selector, chromedp.WaitVisible(selector, chromedp.ByQuery), chromedp.WaitReady("footer", chromedp.ByQuery))
	var found string
	b.do("axe", chromedp.Evaluate(b.axe+";0", nil), chromedp.Evaluate(`axe.run(document, {runOnly: ['wcag2a','wcag2aa','wcag21a','wcag21aa','wcag22aa','best-practice']}).then(r => JSON.stringify(
		r.violations.map(v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html + ' ' + n.failureSummary).join(' | '))))`, &found,
		func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
	var violations []string
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range violations {
		b.t.Errorf("%s: %s", name, v)
	}
	b.picture(name)
}

func (b *browser) picture(name string) {
	if b.shots == "" {
		return
	}
	var png []byte
	b.do("picture", chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(b.shots, name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// focused checks which element has the focus.
func (b *browser) focused(want string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	if err := chromedp.Run(ctx, chromedp.Poll(fmt.Sprintf(`document.activeElement.matches(%q)`, want), nil)); err != nil {
		var has string
		b.do("focus", chromedp.Evaluate(`location.hash + document.activeElement.outerHTML.slice(0, 200)`, &has))
		b.t.Fatalf("the focus is not on %s but on %s", want, has)
	}
}

// home checks that the browser asked nobody but the exchange, and that no number stood in an address.
func (b *browser) home(base string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range b.asked {
		if !strings.HasPrefix(address, base+"/window") || strings.Contains(address, company) || strings.Contains(address, wife) {
			b.t.Errorf("asked for %s", strings.ReplaceAll(address, company, "NUMBER"))
		}
	}
	if len(b.asked) == 0 {
		b.t.Error("no request was seen")
	}
}

func TestWalkByKeyboard(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		t.Run(lang, func(t *testing.T) {
			w := serve(t, conclude, (*httptest.Server).Start)
			b := open(t, w)
			b.do("open", network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}), chromedp.Navigate(w.URL+"/window"))
			b.see(lang+"-sign-in", `input[name=user]`)
			b.focused("#user")
			b.press(user + kb.Tab + "wrong" + kb.Enter)
			b.see(lang+"-sign-in-error", "#troubles")
			b.focused("#troubles")
			b.follow() // the summary's link leads to the field
			b.focused("#user")
			b.press(kb.Tab)
			b.focused("#password")
			b.press(password)
			b.press(kb.Enter, input.ModifierCtrl)

			b.see(lang+"-apply", "#number")
			b.focused("#item")
			b.press(initials + kb.Tab)
			b.focused("#number")
			b.press("92430281000000318X" + kb.Enter) // a card reader ends with Enter
			b.focused("#consent")
			b.press(" " + kb.Enter)
			b.see(lang+"-apply-error", "#troubles")
			b.focused("#troubles")
			b.follow()
			b.focused("#number")
			b.press("a", input.ModifierCtrl)
			b.press(company + kb.Enter)

			// The consent was given and is shown again, so Enter asks.
			b.see(lang+"-materials", "a.row")
			b.focused("a.row")
			b.press(kb.ArrowDown + kb.ArrowDown + kb.ArrowUp + kb.ArrowUp + kb.Enter)
			b.see(lang+"-record", ".paper .fields")
			b.press(kb.Escape)
			b.do("back", chromedp.WaitVisible("a.row", chromedp.ByQuery))
			b.focused("a.row")
			b.press(kb.ArrowDown + kb.ArrowDown + kb.ArrowDown + kb.Enter)
			b.see(lang+"-record-unknown", ".outcome .unknown")
			b.press(kb.F1)
			b.see(lang+"-help", "h2 + dl")
			b.press(kb.F2) // help has no such key
			b.focused("body, #main")

			w.clock.pass(15 * time.Minute)
			b.do("wake", chromedp.Navigate(w.URL+"/window/materials/0199"))
			b.see(lang+"-lock", `input[name=back]~input[type=password]`)
			b.focused("#password")
			b.press(password + kb.Enter)
			b.do("unlock", chromedp.WaitVisible("a.row", chromedp.ByQuery))
			b.press(kb.F2)
			b.do("next", chromedp.WaitVisible("#number", chromedp.ByQuery))
			b.focused("#number") // the item is remembered

			b.do("nowhere", chromedp.Navigate(w.URL+"/window/nothing"))
			b.see(lang+"-error", "#troubles")
			if len(w.asked) != 1 {
				t.Errorf("%d queries, of which one should have come through", len(w.asked))
			}
		})
	}
}

// TestInterviewByKeyboard answers all that a list asks, and compares what the applicant wrote.
func TestInterviewByKeyboard(t *testing.T) {
	for _, lang := range []string{"zh", "en"} {
		t.Run(lang, func(t *testing.T) {
			w := serve(t, interview, (*httptest.Server).Start)
			b := open(t, w)
			b.do("open", network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": lang}), chromedp.Navigate(w.URL+"/window"), chromedp.WaitVisible("#user", chromedp.ByQuery))
			b.press(user + kb.Tab + password + kb.Enter)
			b.do("apply", chromedp.WaitVisible("#number", chromedp.ByQuery))
			b.press("curious" + kb.Tab + company + kb.Enter)
			b.focused("#consent")
			b.press(" " + kb.Enter)
			b.see(lang+"-asked", ".asks")
			b.focused("a.row")
			b.press(kb.Enter, input.ModifierCtrl) // with nothing said
			b.see(lang+"-asked-error", "#troubles")
			b.focused("#troubles")
			b.press(kb.F4)
			b.focused("#record-business-licence")
			b.press(kb.ArrowDown) // among the choices, not in the list
			b.focused("#record-business-licence-1")
			b.press(kb.Tab + " " + kb.Tab + "3" + kb.Tab + "2026-01-31" + kb.Tab + " " + kb.Tab + "x" + kb.Tab)
			b.focused("#party-spouse")
			b.press(wife)
			b.picture(lang + "-party")
			b.press(kb.Enter)
			b.focused("#agreed")
			b.press(" " + kb.Enter)
			b.do("answered", chromedp.WaitVisible(`form[action$="021510"]`, chromedp.ByQuery))
			b.see(lang+"-answered", ".assurance")
			b.press(kb.Enter)
			b.do("record", chromedp.WaitVisible("summary", chromedp.ByQuery), chromedp.Focus("summary", chromedp.ByQuery))
			b.press(kb.Enter + kb.Tab + kb.Tab + "x" + kb.Tab)
			b.focused("#stated-business-licence-registeredOn")
			b.press("2016-06-05" + kb.Enter)
			b.see(lang+"-compared", ".difference.matters")
			if len(w.asked) != 3 {
				t.Errorf("%d queries, of which three should have come through", len(w.asked))
			}
		})
	}
}

func TestInputMethodIsNoticed(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	b := open(t, w)
	b.do("open", network.SetExtraHTTPHeaders(network.Headers{"Accept-Language": "zh"}), chromedp.Navigate(w.URL+"/window"), chromedp.WaitVisible("#user", chromedp.ByQuery))
	b.press(user + kb.Tab + password + kb.Enter)
	b.do("apply", chromedp.WaitVisible("#number", chromedp.ByQuery), chromedp.Focus("#number", chromedp.ByQuery), input.ImeSetComposition("x", 1, 1))
	b.see("ime", "#number-note:not(:empty)")
	b.press(kb.Enter) // picks a candidate, and sends nothing
	b.do("still there", chromedp.WaitVisible("#number", chromedp.ByQuery))
	if len(w.asked) > 0 {
		t.Error("the input method's Enter was taken for the form's")
	}
}

func TestWithoutScripts(t *testing.T) {
	w := serve(t, conclude, (*httptest.Server).Start)
	b := open(t, w)
	b.do("open", emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(w.URL+"/window"), chromedp.WaitVisible("#user", chromedp.ByQuery))
	b.press(user + kb.Tab + password + kb.Enter)
	b.do("apply", chromedp.WaitVisible("#number", chromedp.ByQuery))
	b.press(initials + kb.Tab + company + kb.Tab + kb.Tab + " " + kb.Enter)
	b.do("materials", chromedp.WaitVisible("a.row", chromedp.ByQuery))
	b.press(kb.Enter)
	b.do("record", chromedp.WaitVisible(".paper .fields", chromedp.ByQuery))
}
