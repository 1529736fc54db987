package calls

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/formats/partition"
	"concord/jobs"
	"concord/jobs/feed"
	"concord/jobs/jobstest"
	"concord/jobs/state"
)

// TestMain lets the test program be a worker.
func TestMain(m *testing.M) { jobstest.Main(m) }

// world is a database, Microsoft's folders, and carriers' outboxes.
type world struct {
	*testing.T
	dir     string
	store   *state.Store
	spool   *landing.Spool
	taker   *jobs.Collector
	boxes   map[string]jobstest.Outbox
	clerk   *Clerk
	quality *Quality
	dealer  *Dealer
	shared  *feed.Feed
	now     time.Time
	runs    int
	sent    []jobs.CallsDelivery
	told    []jobs.MicrosoftFile
}

var october = jobs.Period{From: time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 10, 2, 0, 0, 0, 0, time.UTC), Text: "2026-10-01"}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), boxes: map[string]jobstest.Outbox{"fabrikam": {}, "litware": {}}, now: time.Date(2026, 10, 2, 6, 0, 0, 0, time.UTC)}
	var err error
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
	worker := jobs.Worker{Program: os.Args[0], Args: []string{"worker"}}
	clock := func() time.Time { return w.now }
	w.taker = jobs.NewCollector(jobs.CollectOptions{
		Profile: func(string) (string, error) { return "", nil }, Ledger: w.store, Worker: worker, Now: clock, Content: w.spool.Path,
		Rejects: filepath.Join(w.dir, "rejects"), Records: filepath.Join(w.dir, "records"),
	})
	w.clerk = &Clerk{
		State: w.store, Content: w.kept, Make: worker.DeliverCalls, Carrier: w.carrier, Folder: filepath.Join(w.dir, "deliveries"), Program: "test", Now: clock,
		Late:      func(string, string) (time.Duration, bool) { return time.Minute, true },
		Delivered: func(d jobs.CallsDelivery) { w.sent = append(w.sent, d) }, Trouble: func(err error) { t.Error(err) },
	}
	w.quality = &Quality{State: w.store, Read: worker.Deal, Now: clock}
	w.dealer = &Dealer{
		State: w.store, Ledger: w.store, Spool: w.spool, Content: w.kept, Deal: worker.Deal, Records: w.taker.Records,
		Carriers: func() []partition.Carrier {
			return []partition.Carrier{{ID: "fabrikam", Names: w.names("fabrikam")}, {ID: "litware", Names: w.names("litware")}}
		},
		Folder: w.folder, Scratch: filepath.Join(w.dir, "dealing"), Memory: func() int64 { return 64 << 20 }, Now: clock,
		Dealt: func(f jobs.MicrosoftFile, _ []partition.Unknown) { w.told = append(w.told, f) },
	}
	w.shared = &feed.Feed{Folder: filepath.Join(w.dir, "shared"), Carrier: "all", Spool: w.spool, Taker: w.dealer, Known: w.dealer, Now: clock}
	return w
}

func (w *world) names(carrier string) []string { return []string{carrier, "op-" + carrier[:1]} }
func (w *world) folder(carrier string) string  { return filepath.Join(w.dir, "microsoft", carrier) }
func (w *world) other(carrier string) (o string) {
	return map[string]string{"fabrikam": "litware", "litware": "fabrikam"}[carrier]
}

func (w *world) carrier(_, name string) (Carrier, error) {
	if w.boxes[name] == nil {
		return Carrier{}, errors.New("no such carrier")
	}
	return Carrier{Names: w.names(name), Others: w.names(w.other(name)), Outbox: w.boxes[name], Memory: 64 << 20, Reach: time.Hour}, nil
}

// put writes a file a minute after the last one, which is old enough.
func (w *world) put(name, text string) {
	w.Helper()
	w.now = w.now.Add(time.Minute)
	path := filepath.Join(w.dir, name)
	at := w.now.Add(-30 * time.Second)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o750), os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
		w.Fatal(err)
	}
}

// scan takes what lies in Microsoft's folders, as a service does that starts
// now.
func (w *world) scan() error {
	_, err := w.shared.Scan(w.Context())
	errs := []error{err}
	for carrier := range w.boxes {
		for _, f := range []*feed.Feed{
			{Folder: w.folder(carrier), Carrier: carrier, Spool: w.spool, Taker: w.taker, Known: w.store, Now: w.dealer.Now, Skip: []string{jobs.QualityFolder}},
			{Folder: filepath.Join(w.folder(carrier), jobs.QualityFolder), Carrier: carrier, Spool: w.spool, Taker: w.quality, Known: w.quality, Now: w.dealer.Now},
		} {
			_, err := f.Scan(w.Context())
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (w *world) taken() {
	w.Helper()
	if err := w.scan(); err != nil {
		w.Fatal(err)
	}
}

// run does a run about the first of October to its end.
func (w *world) run(carrier string, trigger jobs.Trigger) (jobs.Ending, error) {
	w.Helper()
	w.runs++
	w.now = w.now.Add(time.Second)
	r := jobs.Run{Job: "calls", Kind: Kind, Carrier: carrier, Trigger: trigger, Period: october}
	if _, err := w.store.Enqueue(w.Context(), r, w.now); err != nil && !errors.Is(err, jobs.ErrActive) {
		w.Fatal(err)
	}
	r, err := w.store.Claim(w.Context(), jobs.ClaimOptions{Owner: "test", Now: w.now, Lease: time.Hour})
	if err != nil {
		w.Fatal(err)
	}
	e, rerr := w.clerk.Do(w.Context(), r)
	state := jobs.RunSucceeded
	if rerr != nil {
		state = jobs.RunFailed
	}
	if _, err := w.store.Finish(w.Context(), r.Lease(), jobs.Ending{State: state}, w.now); err != nil {
		w.Fatal(err)
	}
	if left, err := os.ReadDir(filepath.Join(w.clerk.Folder, makingDir)); err == nil && len(left) > 0 {
		w.Errorf("the run left %v", left)
	}
	return e, rerr
}

func (w *world) succeed(carrier string) string {
	w.Helper()
	e, err := w.run(carrier, jobs.TriggerSchedule)
	if err != nil {
		w.Fatal(err)
	}
	return e.Error
}

// delivered returns the files of one delivery by the ends of their names, and
// checks that the manifest agrees with them.
func (w *world) delivered(carrier string, sequence int) (map[string]string, manifest) {
	w.Helper()
	prefix := fmt.Sprintf("calls_%s_2026-10-01_%06d", carrier, sequence)
	found := map[string]string{}
	for name, text := range w.boxes[carrier] {
		if end, is := strings.CutPrefix(name, prefix); is {
			found[end] = text
		}
	}
	var m manifest
	if err := json.Unmarshal([]byte(found["_manifest.json"]), &m); err != nil {
		w.Fatalf("delivery %d to %s: %v; the outbox has %q", sequence, carrier, err, slices.Sorted(maps.Keys(w.boxes[carrier])))
	}
	if m.Delivery != sequence || m.Carrier != carrier || len(m.Files) != len(found)-1 {
		w.Errorf("%+v of %d files", m, len(found))
	}
	for _, f := range m.Files {
		if text := w.boxes[carrier][f.Name]; sum(text) != f.SHA256 || int64(len(text)) != f.Bytes {
			w.Errorf("%s is not what the manifest says", f.Name)
		}
		if strings.HasSuffix(f.Name, ".csv") &&
			int64(strings.Count(w.boxes[carrier][f.Name], "\n")) != f.Rows+1 {
			w.Errorf("%s does not have %d rows", f.Name, f.Rows)
		}
	}
	return found, m
}

const callHead = "record_id,correlation_id,carrier,start,duration_ms\n"

// callRow is a call of the first of October.
func callRow(id, carrier string, duration int) string {
	return fmt.Sprintf("%s,c-%s,%s,2026-10-01T10:00:00Z,%d\n", id, id, carrier, duration)
}

const qualityHead = "call_record_id,stream_id,version,carrier,start,loss_avg\n"

func qualityRow(call, carrier string, version int) string {
	return fmt.Sprintf("%s,1,%d,%s,2026-10-01T10:00:00Z,0.1\n", call, version, carrier)
}

// kept is where a content is kept; no number is erased here.
func (w *world) kept(_ context.Context, sha256 string) (path string, erased bool, err error) {
	return w.spool.Path(sha256), false, nil
}
