package browsertest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// focus presses Tab until what has the focus is what a condition says.
func (b *tab) focus(condition string) {
	b.t.Helper()
	for range 300 {
		b.do(chromedp.KeyEvent(kb.Tab))
		there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(() => { const e = document.activeElement; return !!(`+condition+`); })()`))
		if err != nil {
			b.t.Fatal(err)
		}
		if there {
			return
		}
	}
	b.t.Fatalf("the keyboard does not come to %s", condition)
}

// holds places a hold and releases it, without a mouse.
func (s site) holds(t *testing.T) {
	b := s.tab(t)
	b.login("finance")
	b.focus(`e.getAttribute("href") === "/console/holds"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.see("#place")
	b.focus(`e.name === "carrier" && e.form.method === "post"`)
	b.do(chromedp.KeyEvent("fabrikam" + kb.Tab + "2026-10" + kb.Tab + "invoice 4711 is disputed" + kb.Enter))
	b.see(".noted")
	if list := b.text("tbody"); !strings.Contains(list, "invoice 4711 is disputed") || !strings.Contains(list, "finance") {
		t.Errorf("the holds are %q", list)
	}
	b.accessible("hold that stands")
	b.picture("holds")
	b.focus(`e.tagName === "SUMMARY"`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.see("form[action$='/release'] button")
	b.accessible("form that releases a hold")
	b.picture("holds-release")
	b.do(chromedp.KeyEvent(kb.Tab + "settled with a credit note" + kb.Enter))
	b.see(".none")
	b.open("/console/holds?all=1")
	if list := b.text("tbody"); !strings.Contains(list, "settled with a credit note") {
		t.Errorf("the holds are %q", list)
	}
	b.accessible("holds that were released")
	b.picture("holds-all")
}

// proofs looks through the chain, and has the command line look through an export.
func (s site) proofs(t *testing.T) {
	b := s.tab(t)
	b.login("ops")
	b.click("nav a[href='/console/holds']")
	b.see("form.filters")
	b.click(".near a[href='/console/proofs']")
	b.see("form input[name=ref]")
	b.click("input[name=verify] + button")
	b.see(".noted")
	if said := b.text(".noted"); !strings.Contains(said, "The chain is right") {
		t.Errorf("the chain is %q", said)
	}
	b.accessible("proofs")
	b.picture("proofs")
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`fetch(document.querySelector("a[download]").href).then(r => r.text())`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "proofs.jsonl")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if said := s.concord(t, "proofs", "verify", "--from", file); !strings.Contains(said, "the chain is right") {
		t.Errorf("the export is %q", said)
	}
}

// concord does a command on the service of the demonstration.
func (s site) concord(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program(t, "CONCORD"), args...)
	cmd.Dir = s.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("concord %s: %v: %s", args[0], err, out)
	}
	return string(out)
}

var e164 = regexp.MustCompile(`\+49\d{9,12}`)

// someNumber is one that the demonstration keeps.
func (s site) someNumber(t *testing.T) (number string) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join(s.dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".csv") {
			return nil // what the service moves meanwhile is no matter
		}
		text, err := os.ReadFile(path)
		if number = e164.FindString(string(text)); err != nil || number == "" {
			return nil
		}
		return fs.SkipAll
	})
	if err != nil || number == "" {
		t.Fatal("the demonstration has no number", err)
	}
	return number
}

// erasures has the command line erase a number, and sees what that did.
func (s site) erasures(t *testing.T) {
	config := filepath.Join(s.dir, "concord.yaml")
	text, err := os.ReadFile(config)
	key := filepath.Join(s.dir, "privacy.key")
	err = errors.Join(err, os.WriteFile(key, []byte(strings.Repeat("0123456789abcdef", 2)), 0o600),
		os.WriteFile(config, append(text, "privacy: {key_file: privacy.key}\n"...), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	s.concord(t, "reload")
	number := s.someNumber(t)
	s.concord(t, "subject", "erase", number, "--yes", "--wait")
	b := s.tab(t)
	b.login("admin")
	b.open("/console/erasures")
	b.see("table")
	b.accessible("erasures")
	b.picture("erasures")
	b.click("td a.id")
	b.see("#left")
	if page := b.text("main"); !strings.Contains(page, "ended: it is done") || !strings.Contains(page, "records") || strings.Contains(page, number[1:]) {
		t.Errorf("the erasure is %q", strings.ReplaceAll(page, number[1:], "NUMBER"))
	}
	b.accessible("erasure")
	b.picture("erasure")
	b.click("dd a[href^='/console/proofs']")
	b.see("tbody td a[href^='/console/erasures/']")
	b.picture("proofs-erasure")
}

// narrow is a telephone's window: pages are not wider than it.
func (s site) narrow(t *testing.T) {
	b := s.tab(t)
	b.do(chromedp.EmulateViewport(400, 800))
	b.login("admin")
	for name, path := range map[string]string{"overview": "/console/", "holds": "/console/holds?all=1", "proofs": "/console/proofs", "signoffs": "/console/signoffs", "erasures": "/console/erasures"} {
		b.open(path)
		wide, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`))
		if err != nil || wide > 400 {
			t.Errorf("%s is %d pixels wide, %v", name, wide, err)
		}
		b.accessible(name + " in a narrow window")
		b.picture(name + "-narrow")
	}
}
