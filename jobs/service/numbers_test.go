package service_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/jobs"
	"concord/jobs/control"

	"golang.org/x/crypto/ssh"
)

// shared is a listing of Teams PowerShell of the numbers of two carriers and of
// a third one, who is no carrier here. The last rows cannot be read.
func shared(user string) string {
	return "\"TelephoneNumber\",\"OperatorId\",\"NumberType\",\"AssignedPstnTargetId\",\"PstnAssignmentStatus\",\"SipAddress\",\"UserPrincipalName\"\r\n" +
		"\"+" + canary + "\",\"op-f\",\"OperatorConnect\",\"" + user + "\",\"UserAssigned\",\"sip:line1@example.com\",\"megan@example.com\"\r\n" +
		"\"+493012345678\",\"OP-F\",\"OperatorConnect\",\"\",\"Unassigned\",\"\",\"\"\r\n" +
		"\"+49301112222\",\"op-l\",\"OperatorConnect\",\"u2\",\"UserAssigned\",\"\",\"\"\r\n" +
		"\"+12065550100\",\"op-x\",\"CallingPlan\",\"u3\",\"UserAssigned\",\"\",\"\"\r\n" +
		"\"+" + canary + "\",\"op-f\",\"\",\"\",\"\",\"\",\"\"\r\n" +
		"\"+" + canary + "0123\",\"op-f\",\"\",\"\",\"\",\"\",\"\"\r\n"
}

// list puts a listing into the folder of several carriers.
func (h *house) list(name, text string) {
	h.t.Helper()
	dir := filepath.Join(h.dir, "listings")
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, h.now().Add(-time.Hour)); err != nil {
		h.t.Fatal(err)
	}
}

// number runs the job and waits for its end.
func (h *house) number() (ended []control.RunDetail) {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "numbers", By: "test"})
	if err != nil || len(list) != 2 {
		h.t.Fatalf("%+v, %v", list, err)
	}
	for _, p := range list {
		ended = append(ended, h.ends(p.Run))
	}
	return ended
}

// outbox returns what a carrier finds, by the last part of its name.
func outbox(t *testing.T, r exchange.Remote, part string) map[string]string {
	t.Helper()
	list, err := r.List(t.Context(), "outbox")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range list {
		var b strings.Builder
		if err := r.Get(t.Context(), "outbox/"+e.Name, &b, 0); err != nil {
			t.Fatal(err)
		}
		if i := strings.Index(e.Name, part); i >= 0 {
			found[e.Name[i+len(part):]] = b.String()
		}
	}
	return found
}

// From a listing in Microsoft's folder to what each carrier finds in its
// outbox, and what it finds when something has changed.
func TestNumbersReachTheirCarriers(t *testing.T) {
	other, key := newKey(t)
	h := &house{site: newSite(t), t: t}
	h.append(fmt.Sprintf("    operators: [op-f]\n  litware: {keys: [%s], operators: [op-l]}\nmicrosoft: {numbers: listings}\n", other) +
		storyJobs + "  numbers: {kind: numbers, schedule: \"0 7 * * *\"}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	lock(h)
	h.start()
	t.Cleanup(func() { h.stop() })
	h.list("a-20261001T200000Z.csv", shared("u1"))
	for _, r := range h.number() {
		if r.State != string(jobs.RunSucceeded) || len(r.Inputs) != 1 {
			t.Errorf("%+v", r)
		}
		h.clean("the run", fmt.Sprintf("%+v", r))
	}
	h.list("b-20261002T030000Z.csv", shared("u9"))
	h.number()
	h.number() // nothing new
	h.stop()
	h.start() // and nothing again
	h.number()
	litware := h.dial("litware", key)
	first, second := outbox(t, h.remote, "numbers_fabrikam_20261001T200000Z_000001_"), outbox(t, h.remote, "numbers_fabrikam_20261002T030000Z_000002_")
	theirs := outbox(t, litware, "numbers_litware_20261001T200000Z_000001_")
	if len(first) != 4 || len(second) != 4 || len(theirs) != 4 || len(outbox(t, h.remote, "")) != 8 || len(outbox(t, litware, "")) != 4 {
		t.Fatalf("fabrikam finds %d files and litware %d", len(outbox(t, h.remote, "")), len(outbox(t, litware, "")))
	}
	rows, err := csv.NewReader(strings.NewReader(second["changes.csv"])).ReadAll()
	if err != nil || len(rows) != 2 || !slices.Equal(rows[1][:4], []string{"changed", "target_id", "+" + canary, "fabrikam"}) || !slices.Contains(rows[1], "sip:line1@example.com") {
		t.Errorf("changes %q, %v", rows, err)
	}
	var m struct {
		Delivery int `json:"delivery"`
		BuildsOn int `json:"builds_on"`
		Changed  int `json:"changed"`
	}
	if err := json.Unmarshal([]byte(second["manifest.json"]), &m); err != nil || m.Delivery != 2 || m.BuildsOn != 1 || m.Changed != 1 {
		t.Errorf("%+v, %v", m, err)
	}
	for end, text := range first {
		h.own(end, text, "+49301112222", "+12065550100", "megan")
	}
	for end, text := range theirs {
		h.own(end, text, canary, "+493012345678", "+12065550100")
	}
	h.stop()
	h.clean("the log", h.out.String())
	if log := h.out.String(); !strings.Contains(log, "numbers delivered") || !strings.Contains(log, "not a number in E.164") || strings.Contains(log, "12345678") {
		t.Errorf("the log: %s", log)
	}
	h.hidden(canary, "telephone", "sip:")
}

// own checks that a file holds nothing that is not the carrier's.
func (h *house) own(name, text string, others ...string) {
	h.t.Helper()
	for _, o := range others {
		if strings.Contains(text, o) {
			h.t.Errorf("%s holds %s", name, o)
		}
	}
}

// A listing that cannot be used fails the run in plain words, and no number is
// in them. It is no call record, either.
func TestAListingThatCannotBeUsedIsNamed(t *testing.T) {
	h := openHouse(t, "  numbers: {kind: numbers}\n")
	dir := filepath.Join(h.dir, "data", "microsoft", "fabrikam", "numbers")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	for name, text := range leaks() {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Time{}, h.now().Add(-time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	list, err := h.desk.Start(t.Context(), control.Start{Job: "numbers", By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	r := h.ends(list[0].Run)
	if r.State != string(jobs.RunFailed) || !strings.Contains(r.Error, "listing good.csv cannot be used: it has no column telephone_number") {
		t.Errorf("%+v", r)
	}
	h.clean("the run", fmt.Sprintf("%+v", r))
	if files, err := h.desk.Files(t.Context(), jobs.FileFilter{}); err != nil || len(files) != 0 {
		t.Errorf("%d files were taken for call records, %v", len(files), err)
	}
	h.stop()
	h.clean("the log", h.out.String())
}

// What is delivered to a carrier with a host of its own is pushed there, once.
func TestNumbersArePushedToTheCarriersHost(t *testing.T) {
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
	h.append(fmt.Sprintf("  litware:\n    operators: [op-l]\n    host: {address: %q, user: litware, key_file: key, host_keys: [%q], inbox: inbox/out, outbox: inbox/in}\nmicrosoft: {numbers: listings}\n", host.Addr, pin) +
		storyJobs + "  numbers: {kind: numbers, carriers: [litware]}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.list("a-20261001T200000Z.csv", shared("u1"))
	list, err := h.desk.Start(t.Context(), control.Start{Job: "numbers", By: "test"})
	if err != nil {
		t.Fatal(err)
	}
	h.ends(list[0].Run)
	h.until("the whole delivery is there, and nothing is left here", func() bool {
		there, err := filepath.Glob(filepath.Join(in, "numbers_litware_20261001T200000Z_000001_*"))
		left, lerr := os.ReadDir(filepath.Join(h.dir, "data", "homes", "litware", "outbox"))
		return err == nil && lerr == nil && len(there) == 4 && len(left) == 0
	})
}
