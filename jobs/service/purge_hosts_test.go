package service_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// TestWhatCameFromAHostIsPurged removes what the service has put into Microsoft's
// folder, leaves what others have put there beside it, and fetches nothing again
// that lies on the host still.
func TestWhatCameFromAHostIsPurged(t *testing.T) {
	h := &house{site: newSite(t), t: t}
	_, out := h.programme()
	h.append("retention: {raw: 30d, records: 30d, logs: 30d}\n" + storyJobs + "  purge: {kind: purge}\n")
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	calls := func() []control.File {
		list, err := h.desk.Files(t.Context(), jobs.FileFilter{Side: "microsoft"})
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	put := func(name, text string) {
		path, past := filepath.Join(out, "fabrikam", name), time.Now().Add(-time.Hour).Truncate(time.Second)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o640), os.Chtimes(path, past, past)); err != nil {
			t.Fatal(err)
		}
	}
	put("m_"+canary+".csv", "record_id,caller,start,duration_ms\nm1,+"+canary+",2026-10-01T10:00:00Z,60000\n")
	h.put("data/microsoft/fabrikam/2026/shared/own.csv", table(call{"m2", "2026-10-01T11:00:00Z", 60}))
	h.until("both are taken", func() bool { return len(calls()) == 2 })
	h.jump("2026-12-20T06:00:00Z")
	if r := h.purges(); !strings.Contains(r.Error, "2 raw") {
		t.Errorf("%q\n%s", r.Error, h.out.String())
	}
	put("m2.csv", table(call{"m3", "2026-12-19T10:00:00Z", 60}))
	h.until("the host is looked at again", func() bool { return len(calls()) == 3 })
	if got := h.lies("microsoft/fabrikam"); strings.Join(got, " ") != "2026/shared/own.csv programme/m2.csv" {
		t.Errorf("%q", got)
	}
	h.nowhere(filepath.Join(h.dir, "data"))
	h.chain()
}
