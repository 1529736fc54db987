package service_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"concord/exchange/exchangetest"

	"golang.org/x/crypto/ssh"
)

// delivered waits for a manifest in an outbox and returns the files of its
// version by the ends of their names.
func (h *house) delivered(version int) map[string]string {
	h.t.Helper()
	prefix := fmt.Sprintf("report_fabrikam_2026-10-01_v%d_", version)
	h.until(fmt.Sprintf("version %d is delivered", version), func() bool {
		_, ok := outbox(h.t, h.remote, prefix)["manifest.json"]
		return ok
	})
	return outbox(h.t, h.remote, prefix)
}

// A version goes to its carrier when it is published, and so does the one that
// supersedes it; each once, and nothing that is not the carrier's business.
func TestReportsReachTheirCarriers(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	h.append(strings.Replace(storyJobs, "late_delay: 1ms", "late_delay: 1ms, deliver: true, verdicts: true, users: true", 1))
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.microsoft("m.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}, call{"m2", "2026-10-01T11:00:00Z", 60}))
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	h.run()
	h.version(1)
	first := h.delivered(1)
	h.send("b.csv", table(call{"c2", "2026-10-01T11:00:00Z", 60})) // late, and leads to the next version
	h.version(2)
	second := h.delivered(2)
	want := []string{"discrepancies.csv", "discrepancies.parquet", "dispute.xlsx", "manifest.json", "rejected.csv", "summary.json"}
	for version, got := range []map[string]string{first, second} {
		var names []string
		for name, text := range got {
			names = append(names, name)
			b, err := os.ReadFile(filepath.Join(h.folder(version+1), name))
			if name != "manifest.json" && (err != nil || string(b) != text) {
				t.Errorf("%s of version %d is not that of the report: %v", name, version+1, err)
			}
		}
		slices.Sort(names)
		if !slices.Equal(names, want) {
			t.Errorf("version %d: %q", version+1, names)
		}
	}
	var m struct {
		Version    int    `json:"version"`
		Supersedes int    `json:"supersedes"`
		Period     string `json:"period"`
	}
	if err := json.Unmarshal([]byte(second["manifest.json"]), &m); err != nil || m.Version != 2 || m.Supersedes != 1 || m.Period != "2026-10-01" {
		t.Errorf("%+v, %v", m, err)
	}
	if err := h.remote.Remove(t.Context(), "outbox/report_fabrikam_2026-10-01_v1_summary.json"); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	h.run() // made anew: no further version
	h.stop()
	h.start()
	if all := outbox(t, h.remote, "report_"); len(all) != 11 {
		t.Errorf("%d files are in the outbox", len(all))
	}
	h.stop()
	if n := strings.Count(h.out.String(), "report delivered"); n != 2 {
		t.Errorf("delivered %d times", n)
	}
	h.clean("the log", h.out.String())
}

// Without the setting nothing goes out; with it, nothing that was published
// before.
func TestReportsStayHereUnlessTheyAreToGo(t *testing.T) {
	h := openHouse(t, "")
	h.send("a.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	h.run()
	h.version(1)
	name := filepath.Join(h.dir, "concord.yaml")
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, []byte(strings.Replace(string(b), "late_delay: 1ms", "late_delay: 1ms, deliver: true", 1)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.srv.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.send("b.csv", table(call{"c2", "2026-10-01T11:00:00Z", 60}))
	h.version(2)
	h.delivered(2)
	if all := outbox(t, h.remote, "report_"); len(all) != 6 {
		t.Errorf("%d files are in the outbox", len(all))
	}
}

// A carrier with a host of its own finds its reports there, the manifest last.
func TestReportsArePushedToTheCarriersHost(t *testing.T) {
	host := exchangetest.NewSite(t, exchangetest.SiteOptions{Carriers: []string{"litware"}})
	in := filepath.Join(host.Home("litware"), "inbox", "in")
	key, err := os.ReadFile(host.KeyFile("litware"))
	if err := errors.Join(err, os.MkdirAll(filepath.Join(host.Home("litware"), "inbox", "out"), 0o750), os.Mkdir(in, 0o750)); err != nil {
		t.Fatal(err)
	}
	h := &house{site: newSite(t), t: t}
	if err := os.WriteFile(filepath.Join(h.dir, "key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	pin := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.Keys.Announced()[0])))
	h.append(fmt.Sprintf("  litware:\n    host: {address: %q, user: litware, key_file: key, host_keys: [%q], inbox: inbox/out, outbox: inbox/in}\n", host.Addr, pin) +
		strings.Replace(storyJobs, "late_delay: 1ms", "late_delay: 1ms, deliver: true, carriers: [litware]", 1))
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	if _, err := h.desk.Start(t.Context(), startDaily("litware")); err != nil {
		t.Fatal(err)
	}
	h.until("the whole report is there, and nothing is left here", func() bool {
		there, err := filepath.Glob(filepath.Join(in, "report_litware_2026-10-01_v1_*"))
		left, lerr := os.ReadDir(filepath.Join(h.dir, "data", "homes", "litware", "outbox"))
		return err == nil && lerr == nil && len(there) == 6 && len(left) == 0
	})
	var order []string
	for _, e := range host.Events() {
		if strings.Contains(e.To, "report_") {
			order = append(order, e.To)
		}
	}
	if len(order) != 6 || !strings.HasSuffix(order[5], "manifest.json") {
		t.Errorf("pushed %q", order)
	}
}
