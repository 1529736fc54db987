package service_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// silent is the configuration of carriers whose hosts never say a word.
func silent(t *testing.T, h *house, names ...string) (text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.dir, "word"), []byte("a long password"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text += fmt.Sprintf("  %s:\n    host: {address: %q, user: u, password_file: word, host_keys: %q, inbox: out}\n",
			name, silentHost(t), "SHA256:FidDdQScNPLVqfGM5KJXcECEjGkvnZvbSI56H9F3jgM")
	}
	return text
}

const collectJob = "  gather: {kind: collect}\nruns: {workers: 1}\n"

// However many hosts hang, reports are made; and a visit can be called off, by
// a person or by taking the carrier out.
func TestHostsThatHangHoldNobodyUp(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	h.append(silent(t, h, "litware", "contoso", "proseware", "tailspin"))
	h.append(storyJobs + collectJob)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	list, err := h.desk.Start(t.Context(), control.Start{Job: "gather", Carriers: []string{"litware", "contoso", "proseware", "tailspin"}, By: "test"})
	if err != nil || len(list) != 4 {
		t.Fatalf("%+v, %v", list, err)
	}
	h.until("all are visited", func() bool {
		runs, err := h.desk.Runs(t.Context(), jobs.RunFilter{Job: "gather", State: jobs.RunRunning})
		return err == nil && len(runs) == 4
	})
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	if r := h.run(); r.Published == nil || r.Attempt != 1 {
		t.Errorf("%+v", r)
	}
	for _, p := range list {
		switch p.Carrier {
		case "litware":
			if _, err := h.desk.Cancel(t.Context(), p.Run, "test"); err != nil {
				t.Error(err)
			}
			if r := h.ends(p.Run); r.State != string(jobs.RunCancelled) {
				t.Errorf("%+v", r)
			}
		case "contoso":
			h.reload(func(text string) string {
				from, to := strings.Index(text, "  contoso:"), strings.Index(text, "  proseware:")
				return text[:from] + text[to:]
			}, "")
			if r := h.ends(p.Run); r.State != string(jobs.RunFailed) || !strings.Contains(r.Error, "not in the configuration any more") {
				t.Errorf("%+v", r)
			}
		}
	}
}

// reload edits the configuration and has it read again.
func (h *house) reload(edit func(text string) string, wrong string) {
	h.t.Helper()
	path := filepath.Join(h.dir, "concord.yaml")
	b, err := os.ReadFile(path)
	if err == nil {
		err = os.WriteFile(path, []byte(edit(string(b))), 0o600)
	}
	if err != nil {
		h.t.Fatal(err)
	}
	_, err = h.desk.Reload(h.t.Context(), "test")
	if (err == nil) != (wrong == "") || err != nil && !strings.Contains(err.Error(), wrong) {
		h.t.Errorf("reload: %v, want %q", err, wrong)
	}
}

// Who was taken out of the configuration is out, whatever else is wrong with
// the new one.
func TestAReloadThatFailsHalfWayStillShutsOut(t *testing.T) {
	h := openHouse(t, "")
	home := filepath.Join(h.dir, "data", "homes", "aardvark")
	if err := os.WriteFile(home, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	other, _ := newKey(t)
	text := ""
	h.reload(func(was string) string {
		text = was
		return strings.Replace(was, "  fabrikam:\n", "  aardvark: {}\n  zealous:\n", 1)
	}, "aardvark")
	h.until("the carrier that was removed is sent away", func() bool {
		_, err := h.remote.Stat(t.Context(), "inbox")
		return err != nil
	})
	h.remote = h.dial("zealous", h.key)
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	if err := os.Remove(home); err != nil {
		t.Fatal(err)
	}
	h.reload(func(string) string {
		return strings.Replace(text, "  fabrikam:\n", "  aardvark: {keys: ["+other+"]}\n  fabrikam:\n", 1)
	}, "")
	h.remote = h.dial("fabrikam", h.key) // it is back
	h.send("b.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
}

// Carriers are served although something that a crash left cannot be cleaned
// up.
func TestWhatCannotBeCleanedUpKeepsNobodyOut(t *testing.T) {
	h := openHouse(t, "")
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	h.stop()
	data := filepath.Join(h.dir, "data")
	staging := filepath.Join(data, "reports", ".staging")
	if err := errors.Join(os.RemoveAll(staging), os.MkdirAll(filepath.Dir(staging), 0o750), os.WriteFile(staging, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(data, "spool", "zz", "junk", "deep"), 0o750); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.send("b.csv", table(call{"c2", "2026-10-01T10:00:00Z", 60}))
	if err := os.Remove(staging); err != nil {
		t.Fatal(err)
	}
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	h.run()
	h.version(1)
	h.stop()
	if log := h.out.String(); !strings.Contains(log, "clean up the spool") || !strings.Contains(log, "unfinished reports") {
		t.Error("nothing is said of it")
	}
}

// A report that was removed by mistake is told of, and made anew by its run's
// name.
func TestALostReportIsToldOf(t *testing.T) {
	h := openHouse(t, "")
	h.microsoft("m1.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	r := h.run()
	h.version(1)
	manifest := filepath.Join(h.folder(1), "manifest.json")
	was, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	h.stop()
	if err := os.RemoveAll(h.folder(1)); err != nil {
		t.Fatal(err)
	}
	h.start()
	h.until("it is told of", func() bool {
		list, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true, Kind: jobs.AlertReportLost})
		return err == nil && len(list) == 1 && strings.Contains(list[0].Text, "concord rerun "+r.ID)
	})
	again, err := h.desk.Rerun(t.Context(), r.ID, "test")
	if err != nil {
		t.Fatal(err)
	}
	h.ends(again.Run)
	if is, err := os.ReadFile(manifest); string(is) != string(was) {
		t.Errorf("not the same bytes: %v", err)
	}
}

// One home that cannot be opened keeps its own carrier out, and nobody else.
func TestABrokenHomeIsItsCarriersOwnTrouble(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	other, key := newKey(t)
	h.append("  litware: {keys: [" + other + "]}\n" + storyJobs)
	home := filepath.Join(h.dir, "data", "homes", "litware")
	if err := errors.Join(os.MkdirAll(filepath.Dir(home), 0o750), os.WriteFile(home, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	h.start()
	t.Cleanup(func() { h.stop() })
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	alerts := func() int {
		list, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true, Carrier: "litware", Kind: jobs.AlertHost})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	h.until("it is told of", func() bool { return alerts() == 1 })
	if err := os.Remove(home); err != nil {
		t.Fatal(err)
	}
	h.until("it is mended", func() bool { return alerts() == 0 })
	h.remote = h.dial("litware", key)
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
}
