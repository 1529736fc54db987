package jobs

import (
	"strings"
	"testing"

	"concord/exchange/landing"

	"github.com/google/go-cmp/cmp"
)

func seq(n int64) *int64 { return &n }

// entered returns an entry that counts.
func entered(name, content string, sequence *int64, rows int64) *Entry {
	return &Entry{ID: "id of " + name, Name: name, SHA256: content, Sequence: sequence, Rows: rows, Accepted: rows, Status: landing.StatusAccepted}
}

func TestWhatBecomesOfAFileAfterThoseBeforeIt(t *testing.T) {
	first := entered("FAB_17.csv", "aa", seq(17), 100)
	nothing := entered("FAB_17.csv", "00", seq(17), 0)
	correction := entered("FAB_17_K1.csv", "bb", seq(17), 90)
	good := *entered("FAB_17b.csv", "cc", seq(17), 80)
	numbered := func(e Entry, n *int64) Entry { e.Sequence = n; return e }
	cases := []struct {
		name    string
		claim   claim
		known   Known
		status  landing.Status
		missing []landing.Range
		say     string // in a reason or a note
		of      string // what it replaces or repeats
	}{
		{"the first file ever", claim{entry: good}, Known{}, landing.StatusAccepted, nil, "", ""},
		{"the next number", claim{entry: numbered(good, seq(18))}, Known{Highest: seq(17)}, landing.StatusAccepted, nil, "", ""},
		{"two numbers left out", claim{entry: numbered(good, seq(20))}, Known{Highest: seq(17)}, landing.StatusAccepted,
			[]landing.Range{{From: 18, To: 19}}, "", ""},
		{"a late file", claim{entry: numbered(good, seq(12))}, Known{Highest: seq(17)}, landing.StatusAccepted, nil, "", ""},
		{"no number at all", claim{entry: numbered(good, nil)}, Known{Highest: seq(17)}, landing.StatusAccepted, nil, "", ""},
		{"the same file again", claim{entry: *first}, Known{Content: first, Number: first, Highest: seq(17)}, landing.StatusDuplicate, nil, "", "FAB_17.csv"},
		{"the same content under another number", claim{entry: numbered(*first, seq(18))}, Known{Content: first, Highest: seq(17)},
			landing.StatusDuplicate, nil, "the rows of sequence number 18 have not arrived", "FAB_17.csv"},
		{"a file that was corrected since", claim{entry: *first}, Known{Content: first, Number: correction, Highest: seq(17)},
			landing.StatusDuplicate, nil, "FAB_17.csv was replaced by FAB_17_K1.csv since", "FAB_17.csv"},
		{"a known content that cannot be read any more", claim{entry: *first, fault: "too bad"}, Known{Content: first, Number: first}, landing.StatusDuplicate, nil, "", "FAB_17.csv"},
		{"a number used again", claim{entry: good, how: "name it so"}, Known{Number: first, Highest: seq(17)}, landing.StatusRejected, nil,
			"the sequence number 17 was used before, by FAB_17.csv with other content: give this file a number of its own, or, if it corrects that file, name it so", ""},
		{"a number used again, without corrections", claim{entry: good}, Known{Number: first, Highest: seq(17)}, landing.StatusRejected, nil, "give this file a number of its own", ""},
		{"a correction by its name", claim{entry: good, marked: true}, Known{Number: first, Highest: seq(17)}, landing.StatusAccepted, nil, "", "FAB_17.csv"},
		{"a correction of a correction", claim{entry: good, marked: true}, Known{Number: correction, Highest: seq(17)}, landing.StatusAccepted, nil, "", "FAB_17_K1.csv"},
		{"every number used again is a correction", claim{entry: good, reuse: true}, Known{Number: first, Highest: seq(17)}, landing.StatusAccepted, nil, "", "FAB_17.csv"},
		{"a correction that is broken", claim{entry: good, marked: true, fault: "truncated"}, Known{Number: first, Highest: seq(17)}, landing.StatusRejected, nil, "truncated", ""},
		{"a correction of nothing", claim{entry: good, marked: true}, Known{Highest: seq(16)}, landing.StatusAccepted, nil, "there was nothing to correct", ""},
		{"rows after nothing to report", claim{entry: good}, Known{Number: nothing, Highest: seq(17)}, landing.StatusAccepted, nil, "it takes the place of FAB_17.csv, which had nothing to report", ""},
		{"nothing to report, twice", claim{entry: *nothing}, Known{Content: nothing, Number: nothing, Highest: seq(17)}, landing.StatusDuplicate, nil, "", "FAB_17.csv"},
		{"nothing to report, the day after", claim{entry: *entered("FAB_18.csv", "00", seq(18), 0)}, Known{Content: nothing, Highest: seq(17)}, landing.StatusAccepted, nil, "", ""},
		{"nothing to report, without numbers", claim{entry: *entered("b.csv", "00", nil, 0)}, Known{Content: entered("a.csv", "00", nil, 0)}, landing.StatusAccepted, nil, "", ""},
		{"nothing to report, without numbers, twice", claim{entry: *entered("a.csv", "00", nil, 0)}, Known{Content: entered("a.csv", "00", nil, 0)}, landing.StatusDuplicate, nil, "", "a.csv"},
		{"nothing to report, after rows", claim{entry: *entered("FAB_17.csv", "00", seq(17), 0)}, Known{Number: first, Highest: seq(17)}, landing.StatusRejected, nil, "was used before", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := c.claim.decide(c.known)
			if e.Status != c.status || e.Replaces+e.DuplicateOf != c.of {
				t.Errorf("%s of %q, want %s of %q", e.Status, e.Replaces+e.DuplicateOf, c.status, c.of)
			}
			if d := cmp.Diff(c.missing, e.Missing); d != "" {
				t.Error(d)
			}
			if said := said(e); c.say == "" && said != "" || !strings.Contains(said, c.say) {
				t.Errorf("says %q, want %q", said, c.say)
			}
			tiesOut(t, e)
		})
	}
}

func said(e Entry) string {
	list := e.Notes
	for _, r := range e.Reasons {
		list = append(list, r.Reason)
	}
	return strings.Join(list, "\n")
}

func tiesOut(t *testing.T, e Entry) {
	t.Helper()
	if sum := e.Accepted + e.Rejected + e.Filtered; sum != e.Rows && e.Status != landing.StatusDuplicate || !e.Ingested() && e.Accepted+e.DurationMS > 0 {
		t.Errorf("%s: %d rows, %d accepted, %d rejected, %d left out, %d ms", e.Status, e.Rows, e.Accepted, e.Rejected, e.Filtered, e.DurationMS)
	}
}

func TestDecidingChangesNothing(t *testing.T) {
	c := claim{entry: *entered("b", "bb", seq(9), 1), marked: true}
	c.entry.Notes = make([]string, 0, 4)
	k := Known{Number: entered("a", "aa", seq(9), 0), Highest: seq(3)}
	if d := cmp.Diff(c.decide(k), c.decide(k)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(entered("a", "aa", seq(9), 0), k.Number); d != "" {
		t.Error(d)
	}
}

func TestAReceiptSaysSecondsExactly(t *testing.T) {
	for ms, want := range map[int64]string{0: "0", 1: "0.001", 60_000: "60", 90_500: "90.5", 9_007_199_254_740_993: "9007199254740.993"} {
		if got := seconds(ms).String(); got != want {
			t.Errorf("%d ms: %s", ms, got)
		}
	}
}
