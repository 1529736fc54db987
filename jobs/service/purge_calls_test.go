package service_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"concord/jobs"
	"concord/jobs/control"
)

// purgesAll has the data of every carrier purged.
func (h *house) purgesAll(carriers int) (said []string) {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "purge", By: "test"})
	if err != nil || len(list) != carriers {
		h.t.Fatal(list, err)
	}
	for _, p := range list {
		r := h.ends(p.Run)
		if r.State != string(jobs.RunSucceeded) {
			h.t.Fatalf("%+v\n%s", r.Run, h.out.String())
		}
		said = append(said, r.Error)
	}
	return said
}

// dealtHouse is a service that has dealt shared files out, has delivered them to
// two carriers, and purges.
func dealtHouse(t *testing.T) *house {
	t.Helper()
	other, _ := newKey(t)
	h := &house{site: newSite(t), t: t}
	h.append("    operators: [Fabrikam Telecom]\n" + fmt.Sprintf(strings.Replace(callsHouse, "litware: {keys", "litware: {country: DE, keys", 1), other) +
		"  purge: {kind: purge}\nretention: {raw: 30d, records: 30d, cases: 30d, reports: 30d, deliveries: 60d, logs: 60d, countries: {DE: {raw: 40d}}}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.put("shared/calls_"+canary+".json", graphCalls(600))
	h.put("shared/records.json", `{"value":[`+strings.Join([]string{callRecord("c-f1", 1, "PT0.010S"), callRecord("c-l1", 1, "PT0.010S")}, ",")+`]}`)
	h.until("the shared files are dealt", func() bool { return strings.Count(h.out.String(), `"msg":"file of several carriers"`) == 2 })
	h.deliver()
	h.until("every file is followed", func() bool {
		list, err := h.srv.Store().Unfollowed(t.Context(), "", 10)
		return err == nil && len(list) == 0
	})
	h.sent()
	return h
}

// TestWhatWasDealtAndDeliveredIsPurged removes what arrived about several carriers
// when the longest rule is over, with what was dealt out of it into Microsoft's
// folders; at the end nothing is left, and no carrier is told that its calls were removed.
func TestWhatWasDealtAndDeliveredIsPurged(t *testing.T) {
	h := dealtHouse(t)
	if got := h.lies("deliveries"); len(got) == 0 {
		t.Error("nothing is remembered of the deliveries")
	}
	h.jump("2026-11-02T06:00:00Z") // fabrikam's time is over
	said := strings.Join(h.purgesAll(2), "\n")
	if dealt := h.lies("microsoft/fabrikam"); len(dealt) > 0 || len(h.lies("microsoft/litware")) != 2 || !strings.Contains(said, "raw") {
		t.Errorf("%q: %q %q", said, dealt, h.lies("microsoft/litware"))
	}
	if got := len(h.lies("spool")); got != 4 { // the shared ones, and what was dealt to litware
		t.Errorf("%d contents", got)
	}
	h.callsStay()
	h.jump("2026-12-20T06:00:00Z")
	h.purgesAll(2)
	h.nowhere(filepath.Join(h.dir, "data"))
	for _, part := range []string{"spool", "records", "deliveries", "dealing", "microsoft/fabrikam", "microsoft/litware", "homes/fabrikam/outbox", "homes/litware/outbox"} {
		if got := h.lies(part); len(got) > 0 {
			t.Errorf("%s: %q", part, got)
		}
	}
	h.chain()
	h.callsStay()
	if got := h.fates(); len(got) > 0 {
		t.Errorf("left: %q", got)
	}
	dealt := strings.Count(h.out.String(), `"msg":"file of several carriers"`)
	h.stop() // what lies in the shared folder still is not taken anew
	h.start()
	h.callsStay()
	if log := h.out.String(); strings.Count(log, `"msg":"file of several carriers"`) != dealt {
		t.Errorf("a shared file was dealt again: %s", log)
	}
	h.nowhere(filepath.Join(h.dir, "data"))
}

// callsStay asks for what was delivered once more.
func (h *house) callsStay() {
	h.t.Helper()
	before := len(h.outbox())
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "calls", Carriers: []string{"fabrikam"}, Period: "2026-10-01", By: "test"})
	if err != nil || len(list) != 1 {
		h.t.Fatal(list, err)
	}
	r := h.ends(list[0].Run)
	if !strings.Contains(r.Error, "purged (proof") || strings.Contains(r.Error, "backup") || r.Attempt != 1 {
		h.t.Errorf("%s %q", r.State, r.Error)
	}
	if got := h.outbox(); len(got) != before {
		h.t.Errorf("%q", got)
	}
}

// TestAHeldPeriodKeepsWhatWasDealt has one of two carriers in dispute.
func TestAHeldPeriodKeepsWhatWasDealt(t *testing.T) {
	h := dealtHouse(t)
	if _, err := h.desk.Hold(t.Context(), control.NewHold{Carrier: "litware", Period: "2026-10-01", Why: "a dispute", By: "fin"}); err != nil {
		t.Fatal(err)
	}
	h.jump("2026-12-20T06:00:00Z")
	remembered := len(h.lies("deliveries"))
	h.purgesAll(2)
	if got := len(h.lies("spool")); got != 4 || len(h.lies("microsoft/litware")) != 2 || len(h.lies("homes/litware/outbox")) != 6 || len(h.lies("deliveries"))*2 != remembered {
		t.Errorf("%d contents, %q, %q", got, h.lies("microsoft"), h.lies("deliveries"))
	}
	if got := append(h.lies("microsoft/fabrikam"), h.lies("homes/fabrikam/outbox")...); len(got) > 0 {
		t.Errorf("%q", got)
	}
}
