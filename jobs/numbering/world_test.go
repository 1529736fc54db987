package numbering

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/jobstest"
	"concord/jobs/state"
)

// TestMain lets the test program be a worker.
func TestMain(m *testing.M) { jobstest.Main(m) }

// world is a database, a folder of Microsoft's and carriers' outboxes.
type world struct {
	*testing.T
	dir   string
	store *state.Store
	spool *landing.Spool
	boxes map[string]jobstest.Outbox
	clerk *Clerk
	now   time.Time
	runs  int
	told  []string
}

const firstHour = "2026-10-01T06:00:00Z"

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), boxes: map[string]jobstest.Outbox{"fabrikam": {}, "litware": {}}}
	var err error
	if w.now, err = time.Parse(time.RFC3339, firstHour); err != nil {
		t.Fatal(err)
	}
	if w.store, err = state.Open(t.Context(), w.dir); err != nil {
		t.Fatal(err)
	}
	if w.spool, err = landing.OpenSpool(filepath.Join(w.dir, "spool")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(w.spool.Close(), w.store.Close()); err != nil {
			t.Error(err)
		}
	})
	operators := map[string][]string{"fabrikam": {"OP-F"}, "litware": {"op-l", "Litware"}}
	w.clerk = &Clerk{
		State: w.store, Spool: w.spool, Read: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}}.ReadListing,
		Carrier: func(_, name string) (Carrier, error) {
			if w.boxes[name] == nil {
				return Carrier{}, errors.New("no such carrier")
			}
			return Carrier{Own: filepath.Join(w.dir, "own", name), Shared: filepath.Join(w.dir, "all"), Operators: operators[name], Outbox: w.boxes[name], MostRemoved: 50}, nil
		},
		Scratch: filepath.Join(w.dir, "scratch"), Now: func() time.Time { return w.now }, Quiet: time.Millisecond,
		Listed: func(x jobs.Listing) { w.told = append(w.told, fmt.Sprint(x.Name, " ", x.Status, " ", x.Learned)) },
	}
	return w
}

// put writes a listing an hour after the last one.
func (w *world) put(name, text string) {
	w.Helper()
	w.now = w.now.Add(time.Hour)
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		w.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	at := w.now.Add(-time.Minute)
	if err := os.Chtimes(path, at, at); err != nil {
		w.Fatal(err)
	}
}

// begin enqueues and claims a run of a carrier.
func (w *world) begin(carrier string) jobs.Run {
	w.Helper()
	w.runs++
	w.now = w.now.Add(time.Second)
	r := jobs.Run{Job: fmt.Sprint("job", w.runs), Kind: "numbers", Carrier: carrier, Trigger: jobs.TriggerManual}
	if _, err := w.store.Enqueue(w.Context(), r, w.now); err != nil {
		w.Fatal(err)
	}
	r, err := w.store.Claim(w.Context(), jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
	if err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) end(r jobs.Run, state jobs.RunState) {
	w.Helper()
	if _, err := w.store.Finish(w.Context(), r.Lease(), jobs.Ending{State: state}, w.now); err != nil {
		w.Fatal(err)
	}
}

// run does a run to its end.
func (w *world) run(carrier string) error {
	w.Helper()
	r := w.begin(carrier)
	e, err := w.clerk.Do(w.Context(), r)
	if err == nil && e.State != jobs.RunSucceeded {
		w.Errorf("the run ended as %q", e.State)
	}
	w.end(r, jobs.RunSucceeded)
	if left, err := os.ReadDir(w.clerk.Scratch); err == nil && len(left) > 0 {
		w.Errorf("the run left %v", left)
	}
	return err
}

func (w *world) succeed(carrier string) {
	w.Helper()
	if err := w.run(carrier); err != nil {
		w.Fatal(err)
	}
}

// delivery returns what a carrier finds of one delivery: the full file, the
// changes, and the manifest, which must agree with the files.
func (w *world) delivery(carrier string, sequence int) (full, changes []string, m manifest) {
	w.Helper()
	b := w.boxes[carrier]
	for name, text := range b {
		if strings.HasSuffix(name, fmt.Sprintf("_%06d_manifest.json", sequence)) {
			if err := json.Unmarshal([]byte(text), &m); err != nil {
				w.Fatal(err)
			}
		}
	}
	if m.Delivery != sequence || m.BuildsOn != sequence-1 || m.Carrier != carrier || len(m.Files) != 3 {
		w.Fatalf("manifest of delivery %d: %+v; the outbox has %v", sequence, m, b.Names())
	}
	for _, f := range m.Files {
		text := b[f.Name]
		if sum := sha256.Sum256([]byte(text)); f.SHA256 != hex.EncodeToString(sum[:]) || f.Bytes != int64(len(text)) {
			w.Errorf("%s is not what the manifest says", f.Name)
		}
		if !strings.HasSuffix(f.Name, ".csv") {
			continue
		}
		lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")[1:]
		if int64(len(lines)) != f.Rows {
			w.Errorf("%s has %d rows, not %d", f.Name, len(lines), f.Rows)
		}
		if strings.HasSuffix(f.Name, "changes.csv") {
			changes = lines
		} else {
			full = lines
		}
	}
	if n := m.Added + m.Removed + m.Changed; n != int64(len(changes)) {
		w.Errorf("%d changes, the manifest says %d", len(changes), n)
	}
	return full, changes, m
}

// listing is a canonical listing of numbers and their users.
func canonical(rows ...string) string {
	return "telephone_number,target_id,sip_uri\n" + strings.Join(append(rows, ""), "\n")
}
