// Package browsertest drives a real Chromium through the console of the
// demonstration: make browser.
package browsertest

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// site is a demonstration that goes on.
type site struct{ base, password, dir string }

var announced = regexp.MustCompile(`The console is at (http://\S+)/console/: .* password (\S+)`)

// open starts concord demo --keep, by CONCORD, and waits for its console.
func open(t *testing.T) site {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "demo")
	cmd := exec.Command(program(t, "CONCORD"), "demo", "--keep", "--dir", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait() // it says that it was interrupted
	})
	lines := bufio.NewScanner(out)
	var all strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&all, lines.Text())
		if m := announced.FindStringSubmatch(lines.Text()); m != nil {
			return site{m[1], m[2], dir}
		}
	}
	t.Fatalf("the demonstration has no console:\n%s", all.String())
	return site{}
}

func program(t *testing.T, variable string) string {
	t.Helper()
	name := os.Getenv(variable)
	if name == "" {
		t.Fatalf("%s is not set; make browser does that", variable)
	}
	return name
}

// tab is one browser of one person.
type tab struct {
	t   *testing.T
	ctx context.Context
	site
}

func (s site) tab(t *testing.T, flags ...chromedp.ExecAllocatorOption) *tab {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.ExecPath(program(t, "CHROMIUM")), chromedp.WindowSize(1360, 900))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), append(options, flags...)...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	ctx, stop = context.WithTimeout(ctx, 6*time.Minute)
	t.Cleanup(stop)
	return &tab{t, ctx, s}
}

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *tab) open(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.base+path), chromedp.WaitVisible("h1"))
}

func (b *tab) click(sel string) { b.t.Helper(); b.do(chromedp.Click(sel)) }
func (b *tab) see(sel string)   { b.t.Helper(); b.do(chromedp.WaitVisible(sel)) }

func (b *tab) text(sel string) string {
	b.t.Helper()
	s, err := chromedp.Run(b.ctx, chromedp.Text(sel))
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *tab) login(name string) {
	b.t.Helper()
	b.open("/console/")
	b.do(chromedp.SendKeys("input[name=name]", name), chromedp.SendKeys("input[name=password]", b.password), chromedp.Click("button.main"))
	b.see("#urgent")
}

// picture keeps a screenshot where SCREENSHOTS says.
func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOTS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// axe looks for pages that some people cannot use; MPL-2.0, for tests only.
//
//go:embed testdata/axe-4.11.1.min.js
var axe string

// accessible fails on every serious violation that axe-core finds in the page.
func (b *tab) accessible(name string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[any](axe+"; null")); err != nil {
		b.t.Fatal(err)
	}
	const run = `axe.run().then(r => JSON.stringify(r.violations.filter(v => v.impact === "serious" || v.impact === "critical").map(v => v.id + ": " + v.nodes.map(n => n.html).slice(0, 3).join(" | "))))`
	text, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](run, chromedp.EvalAwaitPromise))
	if err != nil {
		b.t.Fatal(err)
	}
	var found []string
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range found {
		b.t.Errorf("%s: %s", name, v)
	}
}
