package landing

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// sweep tries something with the i-th step failing, for every i, in virtual
// time. try reports whether there were more than i steps.
func sweep(t *testing.T, try func(t *testing.T, i int) (more bool)) {
	t.Helper()
	for i, more := 0, true; more; i++ {
		synctest.Test(t, func(t *testing.T) { more = try(t, i) })
		if !more {
			t.Logf("%d steps", i)
		}
	}
}

// Whatever fails once, and whatever answers are late, a file is decided of once,
// has its receipt, and leaves the inbox.

func TestOneIngestAndOneReceiptWhateverOperationFails(t *testing.T) {
	sweep(t, func(t *testing.T, i int) bool {
		f := &faults{}
		d := tend(t, newDir(t), Terms{}, newNotary(), f)
		upload(t, d, func() { f.begin(only(i)) })
		later(10 * time.Minute)
		d.tookOnce(t, d.notary)
		return f.happened(i)
	})
}

func TestOneIngestAndOneReceiptWhateverTheLedgerDoes(t *testing.T) {
	sweep(t, func(t *testing.T, i int) bool {
		n := newNotary()
		n.fail = func(at int) bool { return at == i }
		d := tend(t, newDir(t), Terms{}, n, nil)
		upload(t, d, func() {})
		later(10 * time.Minute)
		d.tookOnce(t, n)
		return n.calls > i
	})
}

func TestOneIngestAndOneReceiptWhereverTheMachineDies(t *testing.T) {
	sweep(t, func(t *testing.T, i int) bool {
		f, n := &faults{}, newNotary()
		dir := newDir(t)
		d := tend(t, dir, Terms{}, n, f)
		later(time.Second)
		f.begin(func(at int) bool { return at >= i })
		s := d.Session()
		err := put(s, "inbox/a.csv", whole, 1000)
		s.End()
		later(3 * time.Minute)
		d.stop() // from operation i on nothing reached the disk
		more := f.happened(i)
		d = tend(t, dir, Terms{}, n, nil)
		if err != nil { // its client sends it again
			upload(t, d, func() {})
		}
		later(10 * time.Minute)
		d.tookOnce(t, n)
		return more
	})
}

func TestOneIngestAndOneReceiptWhenTheAnswerIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, dir := newNotary(), newDir(t)
		n.lost = true
		d := tend(t, dir, Terms{}, n, nil)
		upload(t, d, func() {})
		later(2500 * time.Millisecond)
		d.stop()
		if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "spool", slot(sumOf(whole)))); err != nil {
			t.Error("it may have been recorded, but: ", err)
		}
		n.lost = false
		d = tend(t, dir, Terms{}, n, nil)
		later(10 * time.Minute)
		d.tookOnce(t, n)
	})
}

// upload uploads one file and lets faults begin.
func upload(t *testing.T, d *tended, begin func()) {
	t.Helper()
	later(time.Second)
	s := d.Session()
	mustPut(t, s, "inbox/a.csv", whole)
	begin()
	s.End()
}

func (d *tended) tookOnce(t *testing.T, n *notary) {
	t.Helper()
	if n.accepted[sumOf(whole)] != 1 || len(n.answers) != 1 {
		t.Fatalf("decided %v; %v", n.statuses(), d.log)
	}
	r := receipt(t, d.dir, "a.csv")
	if r.Status != StatusAccepted || !n.settled["0"] {
		t.Errorf("receipt %+v, settled %v; %v", r, n.settled, d.log)
	}
	want := []string{"archive/" + r.Received.Format(time.DateOnly) + "/a.csv", "receipts/a.csv.json"}
	if got := files(t, d.dir); !slices.Equal(got, want) {
		t.Errorf("files %v; %v", got, d.log)
	}
}
