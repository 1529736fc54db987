package crash

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"concord/exchange/atrest"
	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/control"
	"concord/jobs/state"
)

// days is how many days the calls are of.
const days = 3

// dayOf is the day of a file.
func dayOf(seq int) string { return fmt.Sprintf("2026-10-%02d", 1+seq%days) }

// total is what one side has of a day.
type total struct {
	Records int64 `json:"records"`
	MS      int64 `json:"milliseconds"`
}

func (t *total) add(records, ms int64) { t.Records, t.MS = t.Records+records, t.MS+ms }

// pair makes a file of the carrier and one of Microsoft's, which has half of
// its calls.
func pair(rng *rand.Rand, seq int) (f *file, microsoft []byte, half total) {
	f = &file{name: fmt.Sprintf("FAB_%06d.csv", seq), rows: 2 * (1 + rng.Int64N(300))}
	const header = "record_id,start,duration_ms,caller,callee,correlation_id\n"
	c, m := bytes.NewBufferString(header), bytes.NewBufferString(header)
	for i := range f.rows {
		ms := rng.Int64N(3_600_000)
		f.ms += ms
		// No two have the same number: of two that look alike, the one
		// without a partner would be a duplicate.
		line := fmt.Sprintf("r%d-%d,%sT10:00:00Z,%d,+4930%08d,+442071234567,x%d-%d\n", seq, i, dayOf(seq), ms, 1000*seq+int(i), seq, i)
		c.WriteString(line)
		if i%2 == 0 {
			m.WriteString(line)
			half.add(1, ms)
		}
	}
	if c.Len()%4096 == 0 { // a whole number of blocks is in doubt, and would wait
		c.WriteString("\n")
	}
	f.content, f.wire = c.Bytes(), c.Bytes()
	return f, m.Bytes(), half
}

// drop puts a file into Microsoft's folder, as a program does that publishes
// only complete ones.
func drop(t *testing.T, dir string, seq int, content []byte) {
	t.Helper()
	folder := filepath.Join(dir, "data", "microsoft", carrier)
	name := filepath.Join(folder, fmt.Sprintf("M_%06d.csv", seq))
	before := time.Now().Add(-time.Minute)
	err := errors.Join(os.MkdirAll(folder, 0o750), os.WriteFile(name+".tmp", content, 0o600),
		os.Chtimes(name+".tmp", before, before), os.Rename(name+".tmp", name))
	if err != nil {
		t.Fatal(err)
	}
}

// ask starts the job for each day, as ops do that are not sure whether it runs.
func ask(ctx context.Context, dir string) {
	c, err := api.DialLocal(ctx, filepath.Join(dir, "data"))
	if err != nil {
		return
	}
	for d := range days {
		if _, err := c.Start(ctx, control.Start{Job: "daily", Period: dayOf(d), By: "ops"}); err != nil && ctx.Err() != nil {
			return
		}
	}
}

// TestEveryReportIsWholeHoweverOftenTheServiceIsKilled kills the service while
// files of both sides arrive, are recorded, matched and published, and then
// counts again what the newest versions hold. What is kept is encrypted.
func TestEveryReportIsWholeHoweverOftenTheServiceIsKilled(t *testing.T) {
	dir := t.TempDir()
	key := settle(t, dir)
	keys := encrypt(t, dir)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	var all []*file
	want := map[string]*[2]total{}
	for d := range days {
		want[dayOf(d)] = new([2]total)
	}
	for range cycles(t) {
		s := start(t, dir)
		seq := len(all) + 1
		f, microsoft, half := pair(rng, seq)
		all = append(all, f)
		drop(t, dir, seq, microsoft)
		want[dayOf(seq)][0].add(half.Records, half.MS)
		want[dayOf(seq)][1].add(f.rows, f.ms)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			send(ctx, s, key, all)
			ask(ctx, dir)
		}()
		select {
		case <-time.After(2 * moment(rng)):
		case <-t.Context().Done():
		}
		s.kill()
		cancel()
		<-done
		whole(t, keys, dir)
	}
	s := start(t, dir)
	send(t.Context(), s, key, all)
	await(t, dir, all)
	ask(t.Context(), dir)
	agree(t, keys, dir, want)
	s.stop(t)
	audit(t, keys, dir, want)
}

// versions lists the folders of reports that are visible.
func versions(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "data", "reports", carrier, "*", "v*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// whole looks whether every report that can be seen is complete.
func whole(t *testing.T, keys *atrest.Keys, dir string) {
	t.Helper()
	for _, folder := range versions(t, dir) {
		var doc struct {
			Files []struct {
				Name   string `json:"name"`
				SHA256 string `json:"sha256"`
			} `json:"files"`
		}
		read(t, keys, filepath.Join(folder, "manifest.json"), &doc)
		for _, f := range doc.Files {
			b, err := keys.ReadFile(filepath.Join(folder, f.Name), 1<<30)
			sum := sha256.Sum256(b)
			if err != nil || hex.EncodeToString(sum[:]) != f.SHA256 {
				t.Errorf("%s of %s is not what the manifest says: %v", f.Name, folder, err)
			}
		}
		if len(doc.Files) < 5 {
			t.Errorf("%s has %d files", folder, len(doc.Files))
		}
	}
}

func read(t *testing.T, keys *atrest.Keys, name string, into any) {
	t.Helper()
	b, err := keys.ReadFile(name, 1<<20)
	if err == nil {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// newest returns the totals of the newest version of a day, and its number.
func newest(t *testing.T, keys *atrest.Keys, dir, day string) (got [2]total, n int) {
	t.Helper()
	for {
		folder := filepath.Join(dir, "data", "reports", carrier, day, fmt.Sprint("v", n+1))
		if _, err := os.Stat(folder); err != nil {
			return got, n
		}
		n++
		var doc struct {
			Totals struct {
				Microsoft total `json:"microsoft"`
				Carrier   total `json:"carrier"`
			} `json:"totals"`
		}
		read(t, keys, filepath.Join(folder, "summary.json"), &doc)
		got = [2]total{doc.Totals.Microsoft, doc.Totals.Carrier}
	}
}

// agree waits until the newest versions hold every call once, as long as there
// are new ones: late files lead to them by themselves.
func agree(t *testing.T, keys *atrest.Keys, dir string, want map[string]*[2]total) {
	t.Helper()
	late, before := time.After(2*time.Minute), 0
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		equal := 0
		for day, w := range want {
			if got, _ := newest(t, keys, dir, day); got == *w {
				equal++
			}
		}
		if equal == len(want) {
			return
		}
		if n := len(versions(t, dir)); n > before {
			late, before = time.After(2*time.Minute), n
		}
		select {
		case <-tick.C:
		case <-late:
			for day, w := range want {
				got, n := newest(t, keys, dir, day)
				t.Errorf("%s: version %d has %+v, want %+v", day, n, got, *w)
			}
			t.FailNow()
		}
	}
}

// audit compares what the database says with what is on disk.
func audit(t *testing.T, keys *atrest.Keys, dir string, want map[string]*[2]total) {
	t.Helper()
	whole(t, keys, dir)
	store, err := state.Open(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	reports, err := store.Reports(t.Context(), jobs.ReportFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if on := len(versions(t, dir)); on != len(reports) {
		t.Errorf("%d versions on disk, %d recorded", on, len(reports))
	}
	heads := 0
	for _, r := range reports {
		if r.SupersededBy == "" {
			heads++
		}
	}
	if heads != len(want) {
		t.Errorf("%d newest versions for %d days", heads, len(want))
	}
	for _, dir := range []string{filepath.Join(dir, "data", "reports", ".staging")} {
		if left := count(t, dir); left > 0 {
			t.Errorf("%d files are left in %s", left, dir)
		}
	}
	runs, err := store.Runs(t.Context(), jobs.RunFilter{})
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]int{}
	for _, r := range runs {
		switch r.State {
		case jobs.RunFailed:
			t.Errorf("run %s failed: %s", r.ID, r.Error)
		case jobs.RunRunning:
			t.Errorf("run %s is lost", r.ID)
		}
	}
	for _, r := range reports {
		if published[r.Run]++; published[r.Run] > 1 {
			t.Errorf("run %s published twice", r.Run)
		}
	}
	t.Logf("%d runs, %d versions", len(runs), len(reports))
}
