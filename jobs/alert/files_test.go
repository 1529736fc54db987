package alert_test

import (
	"context"
	"fmt"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/config"
)

func TestRejectedFilesAreToldUntilTheyAreSentAgain(t *testing.T) {
	const raised, resolved = "raised file_rejected/fabrikam/a.csv", "resolved file_rejected/fabrikam/a.csv"
	for name, c := range map[string]struct {
		then jobs.Entry
		want []string
	}{
		"the same name":                      {jobs.Entry{Name: "a.csv"}, []string{resolved}},
		"the same name, some rows rejected":  {jobs.Entry{Name: "a.csv", Status: landing.StatusPartly}, []string{resolved}},
		"the same name, all of it was there": {jobs.Entry{Name: "a.csv", Status: landing.StatusDuplicate}, []string{resolved}},
		"another name of the same number":    {jobs.Entry{Name: "a-corrected.csv", Sequence: number(7)}, []string{resolved}},
		"another name and number":            {jobs.Entry{Name: "b.csv", Sequence: number(8)}, nil},
		"a duplicate of the same number":     {jobs.Entry{Name: "b.csv", Status: landing.StatusDuplicate, Sequence: number(7)}, nil},
		"another carrier's":                  {jobs.Entry{Name: "a.csv", Carrier: "contoso"}, nil},
		"Microsoft's":                        {jobs.Entry{Name: "a.csv", Microsoft: true}, nil},
		"rejected again":                     {rejected("a.csv", "still broken", nil), nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "2026-10-02T05:00:00Z")
			w.file(rejected("a.csv", "the trailer counts 5 rows, and there are 4", number(7)))
			w.told(raised)
			w.says(w.text("file_rejected/fabrikam/a.csv"), "the trailer counts 5 rows", "send it again")
			w.now = at("2026-10-02T06:00:00Z")
			w.file(c.then)
			w.told(c.want...)
			w.tick()
			w.restart()
			w.tick()
			w.told()
		})
	}
}

func TestMicrosoftsFilesAreToldApart(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	bad := rejected("pstn.csv", "a column is missing", nil)
	bad.Microsoft = true
	w.file(bad)
	w.told("raised feed/fabrikam/pstn.csv")
	w.file(jobs.Entry{Name: "pstn.csv"})
	w.told()
	w.file(jobs.Entry{Name: "pstn.csv", Microsoft: true})
	w.told("resolved feed/fabrikam/pstn.csv")
}

func TestACarrierThatGoesWildFillsNobodysInbox(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	for n := range 130 {
		w.file(rejected(fmt.Sprintf("%d.csv", n), "not agreed upon", nil))
	}
	if got := w.messages(); len(got) != 101 || got[100] != "raised file_rejected/fabrikam/" {
		t.Errorf("%d messages, the last %v", len(got), got[len(got)-1])
	}
	w.file(jobs.Entry{Name: "3.csv"})
	w.told("resolved file_rejected/fabrikam/3.csv", "resolved file_rejected/fabrikam/")
}

func TestAGapIsToldUntilEveryNumberHasArrived(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	w.file(jobs.Entry{Sequence: number(2)})
	w.file(jobs.Entry{Name: "f9.csv", Sequence: number(9), Missing: []landing.Range{{From: 3, To: 4}, {From: 6, To: 6}}})
	w.told("raised gap/fabrikam/3-4", "raised gap/fabrikam/6-6")
	w.says(w.text("gap/fabrikam/3-4"), "3 to 4", "f9.csv", "ask the carrier")
	w.file(jobs.Entry{Sequence: number(4)})
	w.file(jobs.Entry{Sequence: number(4)}) // a correction
	w.file(rejected("bad.csv", "broken", number(3)))
	w.file(jobs.Entry{Sequence: number(3), Microsoft: true})
	w.file(jobs.Entry{Sequence: number(3), Carrier: "contoso"})
	w.told("raised file_rejected/fabrikam/bad.csv")
	w.file(jobs.Entry{Sequence: number(6)})
	w.told("resolved gap/fabrikam/6-6")
	w.file(jobs.Entry{Sequence: number(3)})
	w.told("resolved gap/fabrikam/3-4", "resolved file_rejected/fabrikam/bad.csv")
	w.file(jobs.Entry{Microsoft: true, Sequence: number(3), Missing: []landing.Range{{From: 1, To: 2}}})
	w.told("raised gap/fabrikam/microsoft/1-2")
}

// A crash between the decision about a file and its alert must lose nothing,
// and tell nothing twice.
func TestACrashLosesNoAlertAboutAFile(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	w.file(rejected("told.csv", "broken", nil))
	w.file(rejected("mended.csv", "broken", nil))
	w.file(jobs.Entry{Name: "mended.csv"})
	w.messages()
	w.record(rejected("unheard.csv", "broken", nil))
	w.record(rejected("again.csv", "broken", number(5)))
	w.record(jobs.Entry{Name: "again2.csv", Sequence: number(5)})
	w.record(rejected("quick.csv", "broken", number(4)))
	w.record(jobs.Entry{Name: "quick.csv"})
	w.record(jobs.Entry{Sequence: number(9), Missing: []landing.Range{{From: 6, To: 8}}})
	w.record(jobs.Entry{Name: "told.csv"})
	w.restart()
	w.now = at("2026-10-02T05:01:00Z")
	w.tick()
	w.told("raised file_rejected/fabrikam/unheard.csv", "raised gap/fabrikam/6-8", "resolved file_rejected/fabrikam/told.csv")
	for range 2 {
		w.restart()
		w.tick()
		w.told()
	}
}

func TestADatabaseOutOfOrderDelaysAlertsAboutFiles(t *testing.T) {
	for broken := 0; ; broken++ {
		w := newWorld(t, "2026-10-02T05:00:00Z")
		w.tick()
		s := &shaky{Store: w.store, at: broken}
		w.desk = w.newDesk(s)
		w.desk.Decided(t.Context(), w.record(rejected("a.csv", "broken", nil)))
		w.desk.Decided(t.Context(), w.record(jobs.Entry{Name: "b.csv", Sequence: number(9), Missing: []landing.Range{{From: 6, To: 8}}}))
		w.tickUntilFine()
		w.now = at("2026-10-02T05:06:00Z")
		w.tickUntilFine()
		w.told("raised file_rejected/fabrikam/a.csv", "raised gap/fabrikam/6-8")
		if !s.failed {
			return
		}
	}
}

func TestWhatIsNoLongerConfiguredIsResolved(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	w.file(rejected("a.csv", "broken", nil))
	w.tick()
	w.told("raised file_rejected/fabrikam/a.csv")
	w.config.Carriers = []*config.Carrier{{Name: "contoso"}}
	w.tick()
	w.told("resolved file_rejected/fabrikam/a.csv")
}

func TestHosts(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	down := fmt.Errorf("dial: no route to host")
	visit := func(failures int, err error) {
		w.desk.Visited(context.Background(), "fabrikam", alert.CarriersHost, failures, err)
	}
	visit(0, nil)
	visit(1, down)
	visit(2, down)
	w.told()
	visit(3, down)
	visit(4, down)
	w.told("raised host/fabrikam")
	w.says(w.text("host/fabrikam"), "no route to host", "concord carrier test fabrikam")
	w.restart()
	visit(1, down)
	visit(0, nil)
	visit(0, nil)
	w.told("resolved host/fabrikam")
}

// Without the app's secret Graph tells nothing, and nobody would notice.
func TestTenants(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	w.config.Graph = []*config.Graph{{Name: "contoso", Lists: []string{"pstn"}}}
	look := func(failures int, err error) { w.desk.Tenant(context.Background(), "contoso/pstn", failures, err) }
	look(0, nil)
	look(2, fmt.Errorf("expired"))
	w.told()
	look(3, fmt.Errorf("expired"))
	w.tick()
	w.told("raised host/graph:/contoso/pstn")
	w.says(w.text("host/graph:/contoso/pstn"), "expired", "microsoft.graph")
	look(0, nil)
	w.told("resolved host/graph:/contoso/pstn")
	look(3, fmt.Errorf("expired"))
	w.told("raised host/graph:/contoso/pstn")
	w.config.Graph = nil
	w.tick()
	w.told("resolved host/graph:/contoso/pstn")
}

func TestDisk(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	for _, c := range []struct {
		free int64 // of 100 GiB
		want []string
	}{
		{50 << 30, nil},
		{5<<30 + 1, nil},
		{5<<30 - 1, []string{"raised disk"}},
		{5<<30 + 1, nil},
		{6 << 30, nil},
		{6<<30 + 1, []string{"resolved disk"}},
		{1 << 20, []string{"raised disk"}},
	} {
		w.free = c.free
		w.tick()
		w.tick()
		w.told(c.want...)
	}
	w.says(w.text("disk"), "0.0 GiB of 100.0 GiB are free", "make space")
}

func TestASmallDiskIsFullAtAGibibyte(t *testing.T) {
	w := newWorld(t, "2026-10-02T05:00:00Z")
	all := int64(10 << 30)
	w.desk.Space = func() (int64, int64) { return w.free, all }
	for _, c := range []struct {
		free int64
		want []string
	}{{1<<30 - 1, []string{"raised disk"}}, {1<<30 + 1<<27, nil}, {1<<30 + 1<<28, []string{"resolved disk"}}} {
		w.free = c.free
		w.tick()
		w.told(c.want...)
	}
	w.free, all = 0, 0 // not known
	w.tick()
	w.told()
}
