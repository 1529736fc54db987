package service_test

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/control"
	"concord/jobs/service"

	"golang.org/x/crypto/ssh"
)

// house is a service with one carrier, at a time of its own that goes on.
type house struct {
	*site
	t      *testing.T
	srv    *service.Service
	remote exchange.Remote
	desk   control.Operations
	stop   func()
	offset time.Duration
}

// logs can be read while they are written.
type logs struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

const storyJobs = `zone: UTC

jobs:
  collect: {kind: collect}
  daily: {kind: reconcile, schedule: "30 6 * * *", period: previous_day, late_delay: 1ms}
`

// open starts a service whose clock shows the second of October, past six in
// the morning.
func openHouse(t *testing.T, more string) *house {
	t.Helper()
	h := &house{site: newSite(t), t: t}
	h.append(storyJobs + more)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	return h
}

// offsetTo is how far a clock is off that shows a time now.
func offsetTo(at string) time.Duration {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		panic(err)
	}
	return time.Until(t)
}

// startDaily asks for the first of October.
func startDaily(carriers ...string) control.Start {
	return control.Start{Job: "daily", Period: "2026-10-01", Carriers: carriers, By: "test"}
}

func (h *house) append(text string) {
	h.t.Helper()
	f, err := os.OpenFile(filepath.Join(h.dir, "concord.yaml"), os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		h.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) now() time.Time { return time.Now().Add(h.offset) }

func (h *house) options(log io.Writer) service.Options {
	return service.Options{
		Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}}, Program: "test",
		Log: slog.New(slog.NewJSONHandler(log, nil)), Now: h.now, VisitEvery: 50 * time.Millisecond, TickEvery: 50 * time.Millisecond,
	}
}

func (h *house) start() {
	h.t.Helper()
	srv, err := service.Open(h.t.Context(), h.config(h.t), h.options(&h.out))
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	go func() { done <- srv.Run(ctx) }()
	h.srv, h.desk = srv, srv.Desk()
	h.remote = h.dial("fabrikam", h.key)
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
		if err := srv.Close(); err != nil {
			h.t.Error(err)
		}
	})
}

func (h *house) dial(user string, key ssh.Signer) exchange.Remote {
	h.t.Helper()
	var pins []string
	for _, k := range h.srv.HostKeys().Announced() {
		pins = append(pins, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k))))
	}
	c, err := sftpc.Dial(h.t.Context(), sftpc.Config{Addr: h.srv.SFTP().String(), User: user, Signers: []ssh.Signer{key}, HostKeys: pins})
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { _ = c.Close() })
	return c
}

// call is a row of both sides.
type call struct {
	id      string
	start   string
	seconds int
}

func table(calls ...call) string {
	var b strings.Builder
	b.WriteString("record_id,start,duration_ms,caller,callee\n")
	for _, c := range calls {
		fmt.Fprintf(&b, "%s,%s,%d,+493012345678,+442071234567\n", c.id, c.start, c.seconds*1000)
	}
	return b.String()
}

// send puts a file of the carrier and waits for its receipt.
func (h *house) send(name, text string) {
	h.t.Helper()
	if err := exchange.Publish(h.t.Context(), h.remote, "inbox/"+name, strings.NewReader(text), int64(len(text))); err != nil {
		h.t.Fatal(err)
	}
	await(h.t, h.remote, name)
}

// microsoft puts a file of Microsoft's and waits until it is taken.
func (h *house) microsoft(name, text string) {
	h.t.Helper()
	dir := filepath.Join(h.dir, "data", "microsoft", "fabrikam")
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, h.now().Add(-2*time.Hour)); err != nil {
		h.t.Fatal(err)
	}
	h.until("Microsoft's file is taken", func() bool {
		list, err := h.desk.Files(h.t.Context(), jobs.FileFilter{Side: "microsoft", Name: name})
		return err == nil && len(list) == 1
	})
}

// until waits for something that happens in another goroutine or process.
func (h *house) until(what string, is func() bool) {
	h.t.Helper()
	late := time.After(time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			h.t.Fatalf("it does not happen that %s; log:\n%s", what, h.out.String())
		}
	}
}

// run starts a job for the first of October and waits for its end.
func (h *house) run() control.RunDetail {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), startDaily("fabrikam"))
	if err != nil || len(list) != 1 || list[0].Outcome != control.Enqueued {
		h.t.Fatalf("%+v, %v", list, err)
	}
	return h.ends(list[0].Run)
}

func (h *house) ends(run string) (r control.RunDetail) {
	h.t.Helper()
	h.until("the run ends", func() bool {
		var err error
		r, err = h.desk.Run(h.t.Context(), run)
		return err == nil && jobs.RunState(r.State).Over()
	})
	return r
}

// version waits for a version of the first of October and returns it.
func (h *house) version(n int) (r control.Report) {
	h.t.Helper()
	h.until(fmt.Sprintf("version %d is published", n), func() bool {
		list, err := h.desk.Reports(h.t.Context(), jobs.ReportFilter{Newest: true})
		for _, x := range list {
			if x.Version == n {
				r = x
			}
		}
		return err == nil && r.Version == n
	})
	h.until("its folder is in its place", func() bool {
		_, err := os.Stat(filepath.Join(h.folder(n), "manifest.json"))
		return err == nil
	})
	return r
}

func (h *house) folder(version int) string {
	return filepath.Join(h.dir, "data", "reports", "fabrikam", "2026-10-01", fmt.Sprint("v", version))
}

// rows reads a CSV of a version.
func (h *house) rows(version int, name string) [][]string {
	h.t.Helper()
	b, err := h.config(h.t).Encryption.ReadFile(filepath.Join(h.folder(version), name), 1<<30)
	if err != nil {
		h.t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	return rows[1:]
}
