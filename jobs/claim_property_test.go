package jobs

import (
	"fmt"
	"testing"

	"concord/exchange/landing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// history is the slowest ledger: it looks at everything for each question.
type history []Entry

func (h history) known(of Entry) (k Known) {
	for i := range h {
		e := h[i]
		if !e.Ingested() {
			continue
		}
		same := sameNumber(e.Sequence, of.Sequence)
		if e.SHA256 == of.SHA256 && (k.Content == nil || same || !sameNumber(k.Content.Sequence, of.Sequence) && e.Name == of.Name && k.Content.Name != of.Name) {
			k.Content = &e
		}
		if same {
			k.Number = &e
		}
		if e.Sequence != nil && (k.Highest == nil || *e.Sequence > *k.Highest) {
			k.Highest = e.Sequence
		}
	}
	return k
}

// model says in its own words what should become of a file.
type model struct {
	rows     map[string]bool // contents with rows that were ingested
	nothings map[string]bool // contents without rows, by number or name
	holder   map[int64]Entry // of each number, the latest
	arrived  map[int64]bool  // numbers
}

func (m *model) expect(c *claim) landing.Status {
	e := c.entry
	place := e.Name
	if e.Sequence != nil {
		place = fmt.Sprint(*e.Sequence)
	}
	switch {
	case e.Rows > 0 && m.rows[e.SHA256], e.Rows == 0 && m.nothings[place+e.SHA256]:
		return landing.StatusDuplicate
	case c.fault != "":
		return landing.StatusRejected
	case e.Sequence != nil && m.holder[*e.Sequence].Rows > 0 && !c.marked && !c.reuse:
		return landing.StatusRejected
	}
	if e.Rows > 0 {
		m.rows[e.SHA256] = true
	} else {
		m.nothings[place+e.SHA256] = true
	}
	return landing.StatusAccepted
}

// take goes on from an accepted entry.
func (m *model) take(e Entry) (missing []int64) {
	if e.Sequence == nil {
		return nil
	}
	for n := *e.Sequence - 1; n > 0 && len(m.arrived) > 0 && !m.arrived[n] && !m.above(n); n-- {
		missing = append([]int64{n}, missing...)
	}
	m.arrived[*e.Sequence], m.holder[*e.Sequence] = true, e
	return missing
}

// above says whether a higher number than n has arrived.
func (m *model) above(n int64) bool {
	for a := range m.arrived {
		if a > n {
			return true
		}
	}
	return false
}

func TestSequencesOfFilesFollowASlowModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var h history
		m := &model{rows: map[string]bool{}, nothings: map[string]bool{}, holder: map[int64]Entry{}, arrived: map[int64]bool{}}
		reuse := rapid.Bool().Draw(t, "reuse corrects")
		for i := range rapid.IntRange(1, 25).Draw(t, "files") {
			c := drawClaim(t, i, reuse)
			want := m.expect(c)
			e := c.decide(h.known(c.entry))
			if e.Status != want {
				t.Fatalf("file %d, %+v: %s, want %s", i, c.entry, e.Status, want)
			}
			h = append(h, e)
			if !e.Ingested() {
				if len(e.Missing) > 0 || e.Replaces != "" {
					t.Fatalf("a file that does not count: %+v", e)
				}
				continue
			}
			checkReplaced(t, m, c, e)
			var missing []int64
			for _, r := range e.Missing {
				for n := r.From; n <= r.To; n++ {
					missing = append(missing, n)
				}
			}
			if d := cmp.Diff(m.take(e), missing); d != "" {
				t.Fatalf("file %d, %+v: missing %s", i, c.entry, d)
			}
		}
		onceEach(t, h)
	})
}

// drawClaim draws a file. Few names, numbers and contents make them meet.
func drawClaim(t *rapid.T, i int, reuse bool) *claim {
	content := rapid.IntRange(0, 6).Draw(t, "content")
	n := rapid.Int64Range(0, 9).Draw(t, "number")
	name := fmt.Sprint("name ", n, rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"))
	c := &claim{reuse: reuse, entry: Entry{ID: fmt.Sprint("id ", i), Name: name, SHA256: fmt.Sprint(content)}}
	if content > 1 {
		c.entry.Rows, c.entry.Accepted = 1, 1
	}
	if n > 0 {
		c.entry.Sequence = &n
		c.marked = rapid.IntRange(0, 4).Draw(t, "marked") == 0
	}
	if rapid.IntRange(0, 9).Draw(t, "fault") == 0 {
		c.fault = "broken"
	}
	return c
}

func checkReplaced(t *rapid.T, m *model, c *claim, e Entry) {
	want := ""
	if e.Sequence != nil {
		if before, ok := m.holder[*e.Sequence]; ok && (before.Rows > 0 || c.marked) {
			want = before.ID
		}
	}
	if e.ReplacesID != want {
		t.Fatalf("%+v replaces %q, want %q", e, e.ReplacesID, want)
	}
}

// onceEach checks what a ledger is for: no content counts twice.
func onceEach(t *rapid.T, h history) {
	contents := map[string]int{}
	for _, e := range h {
		if e.Ingested() && e.Rows > 0 {
			contents[e.SHA256]++
		}
	}
	for content, n := range contents {
		if n > 1 {
			t.Fatalf("content %s was ingested %d times", content, n)
		}
	}
}
