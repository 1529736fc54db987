package numbers

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func line(digits uint64) Line { return Line{Digits: digits} }

func by(user string) Facts { return Facts{TargetID: user} }

func TestLines(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ok         bool
	}{
		{"a number", "+493012345678", true},
		{"the longest", "+198765432107531", true},
		{"an extension", "+12065551000;ext=524", true},
		{"an extension that begins with 0", "+12065551000;ext=0524", true},
		{"no plus", "493012345678", false},
		{"too long", "+1234567890123456", false},
		{"a national number", "+03012345678", false},
		{"nothing", "+", false},
		{"an empty extension", "+12065551000;ext=", false},
		{"letters", "+1206555CALL", false},
		{"letters behind it", "+12065551000;ext=x", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, ok := ParseLine(c.text)
			if ok != c.ok || ok && l.Full() != c.text {
				t.Errorf("%q is %q, %v", c.text, l.Full(), ok)
			}
			if shown := fmt.Sprintf("%v %s", l, l); ok && strings.Contains(shown, c.text[len(c.text)-4:]) {
				t.Errorf("it shows %s", shown)
			}
		})
	}
}

func TestWhatAListingMakesOfWhatIsKnown(t *testing.T) {
	known := func(rows ...Assignment) []Assignment { return rows }
	a := func(user string, from, to int64) Assignment {
		return Assignment{Line: line(49), Facts: by(user), From: from, To: to}
	}
	now := func(user string) Assignment { return a(user, Unsaid, Open) }
	for _, c := range []struct {
		name              string
		known, said, want []Assignment
	}{
		{"a new line", nil, known(now("x")), known(a("x", 10, Open))},
		{"the same goes on", known(a("x", 3, Open)), known(now("x")), known(a("x", 3, Open))},
		{"another user from now on", known(a("x", 3, Open)), known(now("y")), known(a("x", 3, 10), a("y", 10, Open))},
		{"not there any more", known(a("x", 3, Open)), nil, known(a("x", 3, 10))},
		{"there again", known(a("x", 3, 5)), known(now("x")), known(a("x", 3, 5), a("x", 10, Open))},
		{"corrected at the same instant", known(a("x", 3, 10), a("y", 10, Open)), known(now("z")), known(a("x", 3, 10), a("z", 10, Open))},
		{"taken back at the same instant", known(a("y", 10, Open)), nil, known()},
		{"a history of a new line", nil, known(a("x", 1, 4), a("y", 4, Open)), known(a("x", 1, 4), a("y", 4, Open))},
		{"a history is right from its beginning on", known(a("x", 1, 4), a("y", 4, Open)), known(a("z", 3, 6)), known(a("x", 1, 3), a("z", 3, 6))},
		{"an end to come is none yet", nil, known(a("x", 1, 12)), known(a("x", 1, Open))},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Learn(c.known, c.said, 10); !slices.Equal(got, c.want) {
				t.Error(cmp.Diff(c.want, got))
			}
		})
	}
}

// listing is the state of all lines at an instant.
type listing struct {
	asOf int64
	of   map[uint64]Facts
}

func listings(t *rapid.T) []listing {
	list := make([]listing, rapid.IntRange(1, 30).Draw(t, "days"))
	at := int64(0)
	for i := range list {
		at += rapid.Int64Range(1, 3).Draw(t, "later")
		list[i] = listing{at, map[uint64]Facts{}}
		for n := range rapid.Uint64Range(0, 4).Draw(t, "numbers") {
			if user := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "user"); user != "" {
				list[i].of[n+1] = by(user)
			}
		}
	}
	return list
}

// learnAll learns the listings one after the other.
func learnAll(list []listing) (rows []Assignment) {
	for n := uint64(1); n <= 4; n++ {
		var known []Assignment
		for _, l := range list {
			var said []Assignment
			if f, is := l.of[n]; is {
				said = []Assignment{{Line: line(n), Facts: f, From: Unsaid, To: Open}}
			}
			known = Learn(known, said, l.asOf)
		}
		rows = append(rows, known...)
	}
	return rows
}

// A call finds the assignment of the last listing before it, however the
// assignments change during a month.
func TestCallsFindTheAssignmentOfTheirTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := listings(t)
		h := NewHistory(learnAll(list))
		for at := int64(0); at <= list[len(list)-1].asOf+1; at++ {
			for n := uint64(1); n <= 5; n++ {
				var want *Facts
				for _, l := range list { // the slow way: the listings themselves
					if l.asOf <= at {
						want = nil
						if f, is := l.of[n]; is {
							want = &f
						}
					}
				}
				got := h.At(n, at)
				if (got == nil) != (want == nil) || got != nil && got.Facts != *want {
					t.Fatalf("number %d at %d: %+v, want %+v", n, at, got, want)
				}
			}
		}
	})
}

// The index answers as one who walks all rows.
func TestTheIndexAgreesWithAWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := make([]Assignment, rapid.IntRange(0, 30).Draw(t, "rows"))
		for i := range rows {
			from := rapid.Int64Range(0, 20).Draw(t, "from")
			rows[i] = Assignment{
				Line:   Line{rapid.Uint64Range(1, 3).Draw(t, "digits"), rapid.SampledFrom([]string{"", "1", "2"}).Draw(t, "ext")},
				Facts:  by(fmt.Sprint(i)),
				Source: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "source"),
				From:   from, To: from + rapid.Int64Range(1, 10).Draw(t, "length"),
			}
		}
		walked := slices.Clone(rows)
		h := NewHistory(rows)
		for n := uint64(0); n <= 4; n++ {
			for at := int64(-1); at <= 32; at++ {
				want := walk(walked, n, at)
				if got := h.At(n, at); (got == nil) != (want == nil) || got != nil && (got.Ext != want.Ext || got.From != want.From || !got.Holds(at)) {
					t.Fatalf("number %d at %d: %+v, want %+v", n, at, got, want)
				}
			}
		}
	})
}

func walk(rows []Assignment, digits uint64, at int64) (best *Assignment) {
	for i := range rows {
		a := &rows[i]
		if a.Digits != digits || at < a.From || at >= a.To {
			continue
		}
		if best == nil || a.Ext < best.Ext || a.Ext == best.Ext && a.From > best.From {
			best = a
		}
	}
	return best
}

func sequence(rows ...Assignment) Rows {
	return func(yield func(Assignment, error) bool) {
		for _, a := range rows {
			if !yield(a, nil) {
				return
			}
		}
	}
}

func collect[T any](t rapid.TB, seq iter.Seq2[T, error]) (list []T) {
	t.Helper()
	for x, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	return list
}

// Who applies the changes to the old listing has the new one.
func TestChangesLeadFromOneListingToTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := listings(t)
		old, now := list[0], list[len(list)-1]
		got := map[uint64]Facts{}
		for n, f := range old.of {
			got[n] = f
		}
		last := Line{}
		for _, c := range collect(t, Changes(sequence(old.rows()...), sequence(now.rows()...))) {
			if c.Line.Compare(last) <= 0 {
				t.Fatal("out of order")
			}
			last = c.Line
			_, had := got[c.Digits]
			switch {
			case c.Kind == Removed && had:
				delete(got, c.Digits)
			case c.Kind == Added && !had, c.Kind == Changed && had && slices.Equal(c.Fields, []string{"target_id"}):
				got[c.Digits] = c.Facts
			default:
				t.Fatalf("%+v", c)
			}
		}
		if d := cmp.Diff(now.of, got); d != "" {
			t.Fatal(d)
		}
	})
}

func (l listing) rows() (rows []Assignment) {
	for n, f := range l.of {
		rows = append(rows, Assignment{Line: line(n), Facts: f, From: l.asOf, To: Open})
	}
	slices.SortFunc(rows, compare)
	return rows
}

func TestAnErrorEndsTheChanges(t *testing.T) {
	broken := errors.New("broken")
	bad := func(yield func(Assignment, error) bool) {
		_ = yield(Assignment{Line: line(1), To: Open}, nil) && yield(Assignment{}, broken)
	}
	good := sequence(Assignment{Line: line(1), To: Open}, Assignment{Line: line(2), To: Open})
	for name, seq := range map[string]iter.Seq2[Change, error]{
		"old": Changes(bad, good), "new": Changes(good, bad), "both": Changes(bad, bad), "present": Changes(sequence(), Present(bad)),
	} {
		var last error
		for _, err := range seq {
			last = err
		}
		if !errors.Is(last, broken) {
			t.Errorf("%s: %v", name, last)
		}
	}
}

func TestOfTwoSourcesTheLaterOneHasTheLine(t *testing.T) {
	rows := []Assignment{
		{Line: line(1), Facts: by("gone"), Source: "a", From: 1, To: 2},
		{Line: line(1), Facts: by("x"), Source: "a", From: 2, To: Open},
		{Line: line(1), Facts: by("y"), Source: "b", From: 3, To: Open},
		{Line: line(2), Facts: by("z"), Source: "b", From: 3, To: Open},
		{Line: line(2), Facts: by("x"), Source: "c", From: 2, To: Open},
		{Line: line(3), Facts: by("x"), Source: "c", From: 2, To: 4},
	}
	var users []string
	for _, a := range collect(t, Present(sequence(rows...))) {
		users = append(users, a.TargetID)
	}
	if !slices.Equal(users, []string{"y", "z"}) {
		t.Errorf("%v", users)
	}
}

// BenchmarkAt joins calls with the assignments of 200,000 numbers, of which
// each had four during the month.
func BenchmarkAt(b *testing.B) {
	const count, times = 200_000, 4
	rows := make([]Assignment, 0, count*times)
	for n := range uint64(count) {
		for i := range int64(times) {
			rows = append(rows, Assignment{Line: line(493000000000 + 7*n), From: i * 10, To: i*10 + 10})
		}
	}
	h := NewHistory(rows)
	rng := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		if h.At(493000000000+7*rng.Uint64N(count), rng.Int64N(40)) == nil {
			b.Fatal("no assignment")
		}
	}
}
