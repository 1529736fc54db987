package service_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/exchange/atrest"
)

// A row about another carrier's call in a carrier's own file of Microsoft's must
// not reach the first: neither by a delivery of calls nor by a report.
func TestAnotherCarriersCallsAreInNoReport(t *testing.T) {
	other, _ := newKey(t)
	h := &house{site: newSite(t), t: t}
	h.append("    operators: [Fabrikam Telecom]\n" + fmt.Sprintf(callsHouse, other))
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.microsoft("m.csv", "record_id,carrier,start,duration_ms,caller,callee\n"+
		"own,Fabrikam Telecom,2026-10-01T10:00:00Z,60000,+493012345678,+442071234567\n"+
		"theirs,LITWARE AG,2026-10-01T11:00:00Z,3600000,+"+canary+",+442071234567\n")
	h.send("c.csv", table(call{"c1", "2026-10-01T10:00:00Z", 60}))
	h.run()
	h.version(1)
	if rows := h.rows(1, "discrepancies.csv"); len(rows) != 0 {
		t.Errorf("discrepancies: %q", rows)
	}
	list, err := os.ReadDir(h.folder(1))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		b, err := (*atrest.Keys)(nil).ReadFile(filepath.Join(h.folder(1), e.Name()), 1<<30)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), canary) || strings.Contains(string(b), "theirs") {
			t.Errorf("%s has the other's call", e.Name())
		}
	}
	if b, err := os.ReadFile(filepath.Join(h.folder(1), "summary.json")); err != nil || !strings.Contains(string(b), "1 call is of another carrier") {
		t.Errorf("nobody is told that a row was left out: %v", err)
	}
}
