package jobstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestACarriersMonth(t *testing.T) {
	h := newHouse(t, new(Mem))
	line := func(n int) string { return strings.Replace(row, "c1", fmt.Sprint("c", n), 1) }
	steps := []struct {
		name, content string
		status        landing.Status
		say           string
	}{
		{"FAB_000017_20261001.csv", header + line(1), landing.StatusAccepted, ""},
		{"again/FAB_000017_20261001.csv", header + line(1), landing.StatusDuplicate, ""},
		{"FAB_000017_20261002.csv", header + line(2), landing.StatusRejected, "the sequence number 17 was used before, by FAB_000017_20261001.csv"},
		{"FAB_000017_20261001_K1.csv", header + line(3), landing.StatusAccepted, ""},
		{"FAB_000020_20261004.csv", header + line(4) + line(5), landing.StatusAccepted, ""},
		{"FAB_000018_20261002.csv", header + line(2), landing.StatusAccepted, ""},
		{"FAB_000021_20261005.csv", "", landing.StatusAccepted, "nothing to report"},
		{"FAB_000022_20261006.csv", "", landing.StatusAccepted, "nothing to report"},
		{"FAB_000022_20261006.csv", "", landing.StatusDuplicate, ""},
		{"FAB_000023_20261007.csv", header, landing.StatusAccepted, "nothing to report"},
		{"FAB_000021_20261005.csv", header + line(7), landing.StatusAccepted, "takes the place of FAB_000021_20261005.csv"},
		{"fab-22.csv", header + line(8), landing.StatusRejected, "FAB_{seq:06}_{date:20060102}.csv"},
		{"FAB_000024_20261008_K1.csv", header + bad, landing.StatusRejected, "could not be read"},
		{"FAB_000024_20261008.csv", header + line(9) + bad, landing.StatusPartly, ""},
	}
	for _, s := range steps {
		r := h.send(s.name, s.content)
		text := strings.Join(r.Notes, "\n")
		for _, reason := range r.Reasons {
			text += reason.Reason
		}
		if r.Status != s.status || !strings.Contains(text, s.say) || r.File != s.name {
			t.Errorf("%s: %s, says %q; want %s, %q", s.name, r.Status, text, s.status, s.say)
		}
		if strings.Contains(fmt.Sprintf("%+v", r), "4930123456") {
			t.Errorf("%s: a number is shown", s.name)
		}
	}
	if len(h.gaps) != 1 || !cmp.Equal(h.gaps[0].Missing, []landing.Range{{From: 18, To: 19}}) {
		t.Errorf("gaps: %+v", h.gaps)
	}
	if len(h.decided) != len(steps) {
		t.Errorf("%d of %d told", len(h.decided), len(steps))
	}
}

func TestAReceiptTellsAllOfAFile(t *testing.T) {
	h := newHouse(t, new(Mem))
	h.send("FAB_000001_20261001.csv", header+row)
	o := h.offer("FAB_000003_20261003.csv", header+row+bad)
	o.Checked = true
	a := h.take(o)
	n := int64(3)
	want := landing.Receipt{
		File: "FAB_000003_20261003.csv", Status: landing.StatusPartly, SHA256: o.SHA256, Bytes: o.Size, Rows: 2, Accepted: 1, Rejected: 1, Seconds: "75",
		Reasons: a.Receipt.Reasons, Integrity: "verified", Sequence: &n, Missing: []landing.Range{{From: 2, To: 2}},
		Received: o.Received, Time: h.at, Run: a.ID,
	}
	if d := cmp.Diff(want, a.Receipt); d != "" {
		t.Error(d)
	}
	if r := a.Receipt.Reasons; len(r) != 1 || r[0].Line != 3 || r[0].Row != 2 || r[0].Field != "start" {
		t.Errorf("%+v", r)
	}
	csv, err := os.ReadFile(a.RejectedRows)
	if err != nil || !strings.HasPrefix(string(csv), "side,file,line,row_group,row,field,reason\ncarrier,FAB_000003_20261003.csv,3,,2,start,") {
		t.Errorf("%v %q", err, csv)
	}
}

func TestAFileThatIsNotWholeWaitsUntilItsTimeIsUp(t *testing.T) {
	h := newHouse(t, new(Mem))
	half := header + row[:20]
	whole := header + row
	cases := []struct {
		name, content string
		trust         landing.Trust
		why           string
	}{
		{"FAB_000001_20261001.csv", half, landing.Closed, "its last line has no line end"},
		{"FAB_000001_20261001.csv", whole, landing.Doubtful, "the upload ended where a broken-off one would"},
		{"FAB_000001_20261001.csv", "", landing.Doubtful, "the upload ended where a broken-off one would"},
		{"other", whole, landing.Doubtful, "the name does not fit the pattern"},
	}
	for _, c := range cases {
		o := h.offer(c.name, c.content)
		o.Trust = c.trust
		if a := h.take(o); a.Verdict != landing.Wait || a.ID != "" || !strings.Contains(a.Why, c.why) {
			t.Errorf("%s: %+v", c.why, a)
		}
	}
	if list, _ := h.ledger.Files(t.Context(), "fabrikam"); len(list) != 0 {
		t.Errorf("recorded: %v", list)
	}
	for _, c := range cases {
		o := h.offer(c.name, c.content)
		o.Trust, o.Final = c.trust, true
		if a := h.take(o); a.Verdict != landing.Reject || !strings.Contains(a.Receipt.Reasons[0].Reason, c.why) {
			t.Errorf("%s: %+v", c.why, a)
		}
	}
	if r := h.send("FAB_000001_20261001.csv", whole); r.Status != landing.StatusAccepted {
		t.Errorf("sent whole after that: %+v", r)
	}
}

func TestAFaultIsRecordedWithoutLookingInside(t *testing.T) {
	h := newHouse(t, new(Mem))
	a := h.take(landing.Offer{Carrier: "fabrikam", Name: "big.csv", Size: 1 << 50, Received: h.at, Fault: "it is larger than 1 TiB"})
	if a.Verdict != landing.Reject || a.ID == "" || a.Receipt.Status != landing.StatusRejected || a.Receipt.Reasons[0].Reason != "it is larger than 1 TiB" {
		t.Errorf("%+v", a)
	}
}

func TestAFileIsRejectedForItselfOnly(t *testing.T) {
	h := newHouse(t, new(Mem))
	o := h.offer("FAB_000001_20261001.csv", header+row)
	gone := o
	gone.Content += "gone"
	other := o
	other.SHA256 = strings.Repeat("0", 64)
	stranger := o
	stranger.Carrier = "../fabrikam"
	for _, o := range []landing.Offer{gone, other, stranger} {
		if a, err := h.Take(t.Context(), o); err == nil {
			t.Errorf("%+v", a)
		}
	}
	h.profiles["fabrikam"] = "carrier: [\n"
	if a, err := h.Take(t.Context(), o); err == nil {
		t.Errorf("with a broken profile: %+v", a)
	}
	h.profiles["fabrikam"] = fabrikam
	h.ledger = brokenLedger{h.ledger}
	h.open()
	if a, err := h.Take(t.Context(), o); !errors.Is(err, errDisk) {
		t.Errorf("with a broken ledger: %+v, %v", a, err)
	}
	h.ledger = h.ledger.(brokenLedger).Ledger
	h.open()
	if a := h.take(o); a.Receipt.Status != landing.StatusAccepted {
		t.Errorf("in the end: %+v", a)
	}
	h.emptyRejects()
}

var errDisk = errors.New("no space left on device")

// brokenLedger records nothing.
type brokenLedger struct{ jobs.Ledger }

func (brokenLedger) Record(context.Context, jobs.Arrival, func(jobs.Known) jobs.Entry) (jobs.Entry, error) {
	return jobs.Entry{}, errDisk
}

// emptyRejects checks that no CSV of rejected rows is left.
func (h *house) emptyRejects() {
	h.Helper()
	left, err := os.ReadDir(filepath.Join(h.dir, "rejects", "fabrikam"))
	if len(left) > 0 || err != nil {
		h.Error("left: ", left, err)
	}
}

func TestRejectedRowsAreListedAgainAfterACrashUntilTheyAreSettled(t *testing.T) {
	name := filepath.Join(t.TempDir(), "journal")
	h := newHouse(t, openJournal(t, name))
	first := h.take(h.offer("FAB_000001_20261001.csv", header+row+bad))
	second := h.take(h.offer("FAB_000002_20261002.csv", header+row))
	text, err := os.ReadFile(first.RejectedRows)
	if err != nil {
		t.Fatal(err)
	}
	orphan := filepath.Join(filepath.Dir(first.RejectedRows), "of-a-crash.csv.part")
	if err := errors.Join(os.Remove(first.RejectedRows), os.WriteFile(orphan, nil, 0o600), h.ledger.(*Journal).Close()); err != nil {
		t.Fatal(err)
	}
	h.ledger = openJournal(t, name)
	h.open()
	open, err := h.Unsettled(t.Context(), "fabrikam")
	if d := cmp.Diff([]landing.Answer{first, second}, open, says); d != "" || err != nil {
		t.Error(d, err)
	}
	if again, err := os.ReadFile(first.RejectedRows); string(again) != string(text) {
		t.Errorf("listed anew: %q, %v", again, err)
	}
	for _, a := range open {
		if held, err := h.Holds(t.Context(), a.Receipt.SHA256); !held || err != nil {
			t.Error(held, err)
		}
		if err := h.Settle(t.Context(), "fabrikam", a.ID); err != nil {
			t.Error(err)
		}
	}
	if open, err := h.Unsettled(t.Context(), "fabrikam"); len(open) > 0 || err != nil {
		t.Error(open, err)
	}
	h.emptyRejects()
}

// says compares what answers say, and not how their rows are opened.
var says = cmpopts.IgnoreFields(landing.Answer{}, "OpenRows")

func TestTheSameUploadTwiceHasOneAnswer(t *testing.T) {
	h := newHouse(t, new(Mem))
	o := h.offer("FAB_000001_20261001.csv", header+row+bad)
	first := h.take(o)
	h.at = h.at.Add(time.Hour)
	if d := cmp.Diff(first, h.take(o), says); d != "" {
		t.Error(d)
	}
	if len(h.decided) != 1 {
		t.Errorf("decided %d times", len(h.decided))
	}
	o.Received = o.Received.Add(time.Second)
	if r := h.take(o).Receipt; r.Status != landing.StatusDuplicate || r.DuplicateOf != o.Name || r.Rows != 2 || r.Accepted+r.Rejected != 0 {
		t.Errorf("%+v", r)
	}
}

func TestContentThatWasRejectedIsJudgedAnew(t *testing.T) {
	h := newHouse(t, new(Mem))
	content := header + row + bad
	h.profiles["fabrikam"] = fabrikam + "max_rejected: 0%\ncolumns: {start: begin, duration_ms: duration_ms}\n"
	if r := h.send("FAB_000001_20261001.csv", content); r.Status != landing.StatusRejected || !strings.Contains(r.Reasons[0].Reason, "begin") {
		t.Errorf("%+v", r)
	}
	h.profiles["fabrikam"] = fabrikam
	if r := h.send("FAB_000001_20261001.csv", content); r.Status != landing.StatusPartly {
		t.Errorf("%+v", r)
	}
}

// TestNoReasonHoldsANumber sends what is wrong in many ways and is full of one
// number.
func TestNoReasonHoldsANumber(t *testing.T) {
	const canary = "4930123456"
	h := newHouse(t, new(Mem))
	line := strings.ReplaceAll(bad, "33145678900", canary)
	for i, content := range []string{
		row + line, canary + "\n", canary, header + canary, header + "\"" + canary + "\n" + row, header + row + line,
		header + strings.Repeat(line, 20), "{\"caller\":\"" + canary + "\"}", canary + ";" + canary + "\n" + row,
		"caller," + canary + ",start,duration_ms\n" + row, strings.Replace(header, "caller", "+"+canary, 1) + row, header + row + row[:40] + "\x00" + row,
	} {
		for _, trust := range []landing.Trust{landing.Doubtful, landing.Vouched} {
			o := h.offer(fmt.Sprintf("FAB_%06d_20261001.csv", i+1), content)
			o.Trust = trust
			a := h.take(o)
			csv, _ := os.ReadFile(a.RejectedRows) // there may be none
			if text := fmt.Sprintf("%+v%s", a, csv); strings.Contains(text, canary) {
				t.Errorf("%q: %s", content, text)
			}
		}
	}
}

// TestManyCarriersAtOnce sends the same files as many carriers: each of them
// is ingested once by each.
func TestManyCarriersAtOnce(t *testing.T) {
	h := newHouse(t, new(Mem))
	offers := []landing.Offer{h.offer("a.csv", header+row), h.offer("b.csv", header+row), h.offer("c.csv", header+row+bad)}
	var wg sync.WaitGroup
	for n := range 5 {
		wg.Go(func() {
			for _, o := range offers {
				o.Carrier = fmt.Sprint("carrier", n)
				if _, err := h.Take(t.Context(), o); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	want := []landing.Status{landing.StatusAccepted, landing.StatusDuplicate, landing.StatusPartly}
	for n := range 5 {
		list, err := h.ledger.Files(t.Context(), fmt.Sprint("carrier", n))
		var got []landing.Status
		for _, e := range list {
			got = append(got, e.Status)
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("carrier %d: %v, %v", n, got, err)
		}
	}
}
