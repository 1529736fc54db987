package alert_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/config"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// world is a desk on a real state with a clock that a test sets.
type world struct {
	*testing.T
	now    time.Time
	folder string
	store  *state.Store
	config config.Config
	free   int64
	log    bytes.Buffer
	desk   *alert.Desk
	files  int
}

func newWorld(t *testing.T, now string) *world {
	w := &world{T: t, folder: t.TempDir(), now: at(now), free: 50 << 30}
	w.config.Carriers = []*config.Carrier{{Name: "contoso"}, {Name: "fabrikam"}}
	w.config.Jobs = []*config.Job{{Name: "daily", Kind: config.Reconcile, Deadline: 2 * time.Hour}}
	w.open()
	t.Cleanup(func() { w.must(w.store.Close()) })
	return w
}

// open starts a service on what the one before it has left.
func (w *world) open() {
	w.Helper()
	store, err := state.Open(w.Context(), w.folder)
	w.must(err)
	w.store = store
	w.desk = w.newDesk(store)
}

func (w *world) newDesk(s alert.State) *alert.Desk {
	return &alert.Desk{
		State: s, Config: func() *config.Config { return &w.config }, Now: func() time.Time { return w.now },
		Log:   slog.New(slog.NewTextHandler(&w.log, nil)),
		Space: func() (int64, int64) { return w.free, 100 << 30 },
	}
}

// restart ends the service and starts another one.
func (w *world) restart() {
	w.Helper()
	w.must(w.store.Close())
	w.open()
}

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) tick() {
	w.Helper()
	w.must(w.desk.Tick(w.Context()))
}

// tickUntilFine ticks until nothing has failed.
func (w *world) tickUntilFine() {
	for w.desk.Tick(w.Context()) != nil {
		w.Log("once more")
	}
}

func (w *world) tickAt(now string) {
	w.Helper()
	w.now = at(now)
	w.tick()
}

// record puts a file into the ledger and tells nobody.
func (w *world) record(e jobs.Entry) jobs.Entry {
	w.Helper()
	id, err := uuid.NewV7()
	w.must(err)
	w.files++
	e.ID, e.SHA256 = id.String(), fmt.Sprintf("%064x", w.files)
	if e.Carrier == "" {
		e.Carrier = "fabrikam"
	}
	if e.Status == "" {
		e.Status = landing.StatusAccepted
	}
	if e.Name == "" {
		e.Name = fmt.Sprintf("file%d.csv", w.files)
	}
	if e.Received.IsZero() {
		e.Received = w.now
	}
	e.Decided = w.now
	e, err = w.store.Record(w.Context(), jobs.Arrival{Carrier: e.Carrier, Name: e.Name, SHA256: e.SHA256, Received: e.Received, Sequence: e.Sequence, Microsoft: e.Microsoft},
		func(jobs.Known) jobs.Entry { return e })
	w.must(err)
	return e
}

// file puts a file into the ledger and tells the desk.
func (w *world) file(e jobs.Entry) {
	w.Helper()
	w.desk.Decided(w.Context(), w.record(e))
}

// messages returns what is to be told, and takes it as told.
func (w *world) messages() (list []string) {
	w.Helper()
	for {
		due, err := w.store.Messages(w.Context(), w.now, 0)
		w.must(err)
		if len(due) == 0 {
			return list
		}
		for _, m := range due {
			what := "raised "
			if !m.Alert.Resolved.IsZero() {
				what = "resolved "
			}
			list = append(list, what+m.Alert.Key)
			w.must(w.store.Delivered(w.Context(), m.ID))
		}
	}
}

// told compares what was to be told since the last time, in any order of keys.
func (w *world) told(want ...string) {
	w.Helper()
	got := w.messages()
	slices.Sort(got)
	slices.Sort(want)
	if d := cmp.Diff(want, got); d != "" {
		w.Error(d)
	}
}

// text returns what the open alert of a key says.
func (w *world) text(key string) string {
	w.Helper()
	list, err := w.store.Alerts(w.Context(), jobs.AlertFilter{Open: true, Key: key})
	w.must(err)
	if len(list) != 1 {
		w.Fatalf("open alerts of %s: %+v", key, list)
	}
	return list[0].Text
}

// says fails unless a text has all of some parts.
func (w *world) says(text string, parts ...string) {
	w.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			w.Errorf("%q does not say %q", text, p)
		}
	}
}

func number(n int64) *int64 { return &n }

func rejected(name, why string, n *int64) jobs.Entry {
	return jobs.Entry{Name: name, Status: landing.StatusRejected, Reasons: []landing.Reason{{Reason: why}}, Sequence: n}
}

var errState = errors.New("the database is out of order")
