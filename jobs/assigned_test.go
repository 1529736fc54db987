package jobs

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/engine/numbers"

	"pgregory.net/rapid"
)

// listedWorld is a month in which the listings of two sources change who has
// which of a few numbers.
type listedWorld struct {
	sources [2][]listedState
}

// listedState is what one listing of a source says.
type listedState struct {
	at   time.Time
	held map[uint64]bool
}

const listedNumbers = 5

var monthBegins = at("2026-10-01T00:00:00Z")

func at(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

func drawListed(t *rapid.T) *listedWorld {
	w := &listedWorld{}
	for s := range w.sources {
		now := monthBegins.Add(time.Duration(rapid.IntRange(-72, 400).Draw(t, "first")) * time.Hour)
		for range rapid.IntRange(1-s, 8).Draw(t, "listings") {
			held := map[uint64]bool{}
			for n := range uint64(listedNumbers) {
				if rapid.Bool().Draw(t, "held") {
					held[n+49300] = true
				}
			}
			w.sources[s] = append(w.sources[s], listedState{now, held})
			now = now.Add(time.Duration(rapid.IntRange(1, 200).Draw(t, "later")) * time.Hour)
		}
	}
	return w
}

// unassigned is the slow answer: it walks the listings themselves.
func (w *listedWorld) unassigned(n uint64, when time.Time) bool {
	known := false
	for _, listings := range w.sources {
		had, began := false, false // by the last listing until then
		for i, l := range listings {
			switch {
			case !l.at.After(when):
				began, had = true, l.held[n]
				known = true
			case i == 0 && l.held[n]: // who knows since when
				return false
			}
		}
		if began && had {
			return false
		}
	}
	return known
}

// NumberSources implements KnownNumbers.
func (w *listedWorld) NumberSources(context.Context, string) (NumberSources, error) {
	n := NumberSources{Position: 1, Begun: map[string]time.Time{}}
	for s, listings := range w.sources {
		if len(listings) > 0 {
			n.Begun[fmt.Sprint(s)] = listings[0].at
		}
	}
	return n, nil
}

// KnownNumbers implements KnownNumbers.
func (w *listedWorld) KnownNumbers(context.Context, NumbersAt) numbers.Rows {
	return func(yield func(numbers.Assignment, error) bool) {
		for n := range uint64(listedNumbers) {
			for s, listings := range w.sources {
				var rows []numbers.Assignment
				for _, l := range listings {
					var said []numbers.Assignment
					if l.held[n+49300] {
						said = []numbers.Assignment{{Line: numbers.Line{Digits: n + 49300}, Source: fmt.Sprint(s), From: numbers.Unsaid, To: numbers.Open}}
					}
					rows = numbers.Learn(rows, said, l.at.UnixMicro())
				}
				for _, a := range rows {
					if !yield(a, nil) {
						return
					}
				}
			}
		}
	}
}

// What a run is told of its period answers as the listings themselves do,
// however assignments change during the month.
func TestARunKnowsWhatTheListingsSaid(t *testing.T) {
	dir := t.TempDir()
	flagged := 0
	rapid.Check(t, func(t *rapid.T) {
		w := drawListed(t)
		from := monthBegins.Add(time.Duration(rapid.IntRange(0, 300).Draw(t, "from")) * time.Hour)
		to := from.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "length")) * time.Hour)
		a, err := WriteAssigned(context.Background(), nil, w, "fabrikam", from, to, filepath.Join(dir, "assigned"))
		if err != nil {
			t.Fatal(err)
		}
		h := numbers.NewHolders(numbers.Open)
		if a != nil {
			if h, err = readAssigned(nil, a); err != nil {
				t.Fatal(err)
			}
		}
		for when := from; when.Before(to); when = when.Add(30 * time.Minute) {
			for n := range uint64(listedNumbers + 1) {
				want := w.unassigned(n+49300, when)
				if got := h.Unassigned(n+49300, when.UnixMicro()); got != want {
					t.Fatalf("number %d at %s: %v, want %v", n, when, got, want)
				}
				if want {
					flagged++
				}
			}
		}
	})
	if flagged == 0 {
		t.Error("no number was ever unassigned")
	}
}

// A listing that says nothing new of the period leads to the same bytes.
func TestOnlyThePeriodMatters(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		w := drawListed(t)
		from := monthBegins.Add(48 * time.Hour)
		to := from.Add(72 * time.Hour)
		write := func() string {
			a, err := WriteAssigned(context.Background(), nil, w, "fabrikam", from, to, filepath.Join(dir, "assigned"))
			if err != nil {
				t.Fatal(err)
			}
			if a == nil {
				return ""
			}
			return a.SHA256
		}
		before := write()
		last := &w.sources[0]
		if n := len(*last); (*last)[n-1].at.Before(to) { // the next one begins behind the period
			*last = append(*last, listedState{to.Add(time.Hour), maps.Clone((*last)[n-1].held)})
		}
		more := listedState{(*last)[len(*last)-1].at.Add(time.Hour), map[uint64]bool{49302: true}}
		*last = append(*last, more)
		if after := write(); after != before {
			t.Fatalf("%s, and with a later listing %s", before, after)
		}
	})
}

func TestNumbersOfARunAreCheckedWhenTheyAreRead(t *testing.T) {
	w := &listedWorld{}
	w.sources[0] = []listedState{{monthBegins, map[uint64]bool{49301: true}}, {monthBegins.Add(time.Hour), map[uint64]bool{}}}
	path := filepath.Join(t.TempDir(), "assigned")
	a, err := WriteAssigned(t.Context(), nil, w, "fabrikam", monthBegins, monthBegins.AddDate(0, 0, 1), path)
	if err != nil || a == nil {
		t.Fatalf("%+v, %v", a, err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "x\n", string(whole[:len(whole)-3]), string(whole) + "1 2 3\n", strings.Replace(string(whole), "49301", "49302", 1)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readAssigned(nil, a); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	nobody := &listedWorld{}
	if a, err := WriteAssigned(t.Context(), nil, nobody, "fabrikam", monthBegins, monthBegins.AddDate(0, 0, 1), path+"2"); a != nil || err != nil {
		t.Errorf("of no listing: %+v, %v", a, err)
	}
	if left, _ := filepath.Glob(path + "2*"); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// Listings that an analyst names are learned as the service does.
func TestListingsThatArePassedAlong(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const head = "telephone_number,tenant_id\n"
	later := write("n/20261010T000000Z.csv", head+"+493012345678,t\n+493012345679,t\n")
	first := write("n/20261001T000000Z.csv", head+"+493012345678,t\n")
	last := write("n/20261020T000000Z.csv", head+"+493012345679,t\nnonsense,t\n")
	p := &plan{carrier: "fabrikam", MatchOptions: MatchOptions{Listings: []string{later, first, last}}, dir: dir, from: monthBegins, to: monthBegins.AddDate(0, 1, 0)}
	if err := p.checkListings(); err != nil {
		t.Fatal(err)
	}
	done, err := p.learn(t.Context(), readListing)
	if err != nil {
		t.Fatal(err)
	}
	h, err := readAssigned(nil, p.Assigned)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		digits uint64
		at     string
		want   bool
	}{
		{493012345678, "2026-10-05T00:00:00Z", false},
		{493012345679, "2026-10-05T00:00:00Z", true},
		{493012345679, "2026-10-15T00:00:00Z", false},
		// A row of the last listing says no number: none is taken away.
		{493012345678, "2026-10-25T00:00:00Z", false},
		{493012345670, "2026-10-25T00:00:00Z", true},
	} {
		if got := h.Unassigned(c.digits, at(c.at).UnixMicro()); got != c.want {
			t.Errorf("%d at %s: %v", c.digits%10, c.at, got)
		}
	}
	var names []string
	for _, l := range p.Assigned.Listings {
		names = append(names, l.Name)
	}
	if !slices.Equal(names, []string{"20261001T000000Z.csv", "20261010T000000Z.csv", "20261020T000000Z.csv"}) {
		t.Errorf("read in the order %q", names)
	}
	if err := done(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".concord-*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
