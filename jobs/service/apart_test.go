package service_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange"
	"concord/fixtures/hostile"
	"concord/jobs"
)

// silentHost takes connections and never says a word.
func silentHost(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				for _, c := range open {
					_ = c.Close()
				}
				return
			}
			open = append(open, c)
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// small holds a file of some size at most.
type small struct{ bytes.Buffer }

// Write implements io.Writer.
func (s *small) Write(p []byte) (int, error) {
	if s.Len()+len(p) > 1<<20 {
		return 0, io.ErrShortWrite
	}
	return s.Buffer.Write(p)
}

// One carrier sends what does harm, has filled its quota and has a host that
// does not answer; another one notices nothing of it.
func TestACarriersTroubleIsItsOwn(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	line, key := newKey(t)
	secret := filepath.Join(h.dir, "word")
	if err := os.WriteFile(secret, []byte("a long password"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.append(fmt.Sprintf("  litware:\n    keys: [%s]\n    files: {max_files: 12}\n    host: {address: %q, user: u, password_file: word, host_keys: %q, inbox: out}\n",
		line, silentHost(t), "SHA256:FidDdQScNPLVqfGM5KJXcECEjGkvnZvbSI56H9F3jgM"))
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })

	hostiles := h.dial("litware", key)
	sent, refused := 0, 0
	for i, f := range hostile.All() {
		var b small
		if sent == 14 || f.Write(&b) != nil {
			continue
		}
		sent++
		name := fmt.Sprintf("inbox/%02d.bin", i)
		if err := exchange.Publish(t.Context(), hostiles, name, &b.Buffer, int64(b.Len())); err != nil {
			refused++
		}
	}
	if refused == 0 {
		t.Errorf("all %d files were within a quota of 12", sent)
	}
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	list, err := h.desk.Start(t.Context(), startDaily("fabrikam", "litware"))
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	for _, p := range list {
		if r := h.ends(p.Run); r.Published == nil || r.Attempt != 1 {
			t.Errorf("%s: %+v", p.Carrier, r)
		}
	}
	h.until("its host is told of", func() bool {
		alerts, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true, Carrier: "litware", Kind: jobs.AlertRejected})
		return err == nil && len(alerts) > 0
	})
	if alerts, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true, Carrier: "fabrikam"}); err != nil || len(alerts) > 0 {
		t.Errorf("alerts about fabrikam: %+v, %v", alerts, err)
	}
	h.stop()
	h.noNumber()
}

// The disk is full when a report is written: the run says so, and leaves
// nothing behind.
func TestWhatCannotBeWrittenIsNotHalfWritten(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	reports := filepath.Join(h.dir, "data", "reports")
	if err := errors.Join(os.MkdirAll(filepath.Join(reports, "fabrikam"), 0o750), os.WriteFile(filepath.Join(reports, "fabrikam", "2026-10-01"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	list, err := h.desk.Start(t.Context(), startDaily())
	if err != nil {
		t.Fatal(err)
	}
	h.until("the first attempt fails", func() bool {
		r, err := h.desk.Run(t.Context(), list[0].Run)
		return err == nil && r.State == "failed" && strings.Contains(r.Error, "2026-10-01")
	})
	runs, err := h.desk.Runs(t.Context(), jobs.RunFilter{State: jobs.RunQueued})
	if err != nil || len(runs) != 1 || runs[0].Attempt != 2 {
		t.Errorf("a further attempt: %+v, %v", runs, err)
	}
	if left, err := filepath.Glob(filepath.Join(reports, ".staging", "*")); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}
