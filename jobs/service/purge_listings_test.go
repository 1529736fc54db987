package service_test

import (
	"path/filepath"
	"testing"
)

// TestListingsOfNumbersGoLikeOtherFiles purges what a listing left in the spool,
// and leaves what was learned of it.
func TestListingsOfNumbersGoLikeOtherFiles(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	h.append("    operators: [op-f]\nmicrosoft: {numbers: listings}\nzone: UTC\nretention: {raw: 30d}\njobs: {numbers: {kind: numbers}, purge: {kind: purge}}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	h.list("a-20260930T200000Z.csv", shared("u1"))
	h.number1()
	if got := h.lies("spool"); len(got) != 1 {
		t.Fatal(got)
	}
	sent := h.outbox()
	h.jump("2026-11-02T06:00:00Z")
	if r := h.purges(); r.Error != "purged 1 raw" {
		t.Errorf("%q", r.Error)
	}
	if got := h.lies("spool"); len(got) > 0 {
		t.Error(got)
	}
	h.number1() // the listing is known, and nothing has changed
	if got := h.outbox(); len(got) != len(sent) || len(h.lies("spool")) > 0 {
		t.Error(got, h.lies("spool"), filepath.Join(h.dir, "data"))
	}
	h.chain()
}
