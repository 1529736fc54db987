package jobstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

// TestAlerts is the contract of a jobs.Alerts. open returns an empty one;
// reopen returns the same one as a new process, or a second service, would
// find it.
func TestAlerts(t *testing.T, open func(t *testing.T) jobs.Alerts, reopen func(t *testing.T, a jobs.Alerts) jobs.Alerts) {
	for name, test := range map[string]func(*alerts){
		"an alert is told once and again when it is resolved": (*alerts).life,
		"an alert of a key is open once":                      (*alerts).once,
		"the end is told after the beginning":                 (*alerts).inOrder,
		"a message that cannot be delivered waits":            (*alerts).postponed,
		"one that waits keeps no other back":                  (*alerts).apart,
		"of many that raise or resolve at once one does":      (*alerts).atOnce,
		"alerts are listed by what people ask for":            (*alerts).list,
		"text of any kind is told":                            (*alerts).texts,
		"nothing is raised for who has gone":                  (*alerts).gone,
	} {
		t.Run(name, func(t *testing.T) { test(&alerts{T: t, s: open(t), reopen: reopen}) })
	}
}

// alerts is one test of a jobs.Alerts.
type alerts struct {
	*testing.T
	s      jobs.Alerts
	reopen func(t *testing.T, a jobs.Alerts) jobs.Alerts
}

func (c *alerts) again() {
	c.Helper()
	c.s = c.reopen(c.T, c.s)
}

func (c *alerts) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func (c *alerts) same(got, want any) {
	c.Helper()
	if d := cmp.Diff(want, got); d != "" {
		c.Error(d)
	}
}

// missing is an alert about a file that is not there.
func missing(key string) jobs.Alert {
	return jobs.Alert{Key: key, Kind: jobs.AlertFileMissing, Carrier: "fabrikam", Job: "collect", Subject: "2026-10-01", Text: "ask the carrier for it"}
}

func (c *alerts) raise(a jobs.Alert, now time.Time) jobs.Alert {
	c.Helper()
	out, raised, err := c.s.Raise(c.Context(), a, now)
	c.must(err)
	c.same(raised, true)
	return out
}

func (c *alerts) resolve(key string, now time.Time) {
	c.Helper()
	was, err := c.s.Resolve(c.Context(), key, now)
	c.must(err)
	c.same(was, true)
}

// due returns the messages that are due.
func (c *alerts) due(now time.Time) []jobs.Message {
	c.Helper()
	list, err := c.s.Messages(c.Context(), now, 0)
	c.must(err)
	return list
}

// tell delivers what is due until nothing is, and returns what was told.
func (c *alerts) tell(now time.Time) (told []string) {
	c.Helper()
	for list := c.due(now); len(list) > 0; list = c.due(now) {
		for _, m := range list {
			word := "raised"
			if !m.Alert.Resolved.IsZero() {
				word = "resolved"
			}
			told = append(told, m.Alert.Key+" "+word)
			c.must(c.s.Delivered(c.Context(), m.ID))
		}
	}
	return told
}

func (c *alerts) life() {
	want := missing("k")
	given := want
	given.ID, given.Raised, given.Resolved = "another", day(9), day(9)
	got := c.raise(given, day(1))
	want.ID, want.Raised = got.ID, day(1)
	c.same(got, want)
	c.again()
	first := c.due(day(1))
	if len(first) != 1 {
		c.Fatal(first)
	}
	c.same(first[0], jobs.Message{ID: first[0].ID, Alert: want})
	c.same(c.due(day(2)), first)
	c.must(c.s.Delivered(c.Context(), first[0].ID))
	for _, err := range []error{c.s.Delivered(c.Context(), first[0].ID), c.s.Postpone(c.Context(), first[0].ID, day(3), "x"), c.s.Delivered(c.Context(), "")} {
		if !errors.Is(err, jobs.ErrNoMessage) {
			c.Error(err)
		}
	}
	c.same(len(c.due(day(2))), 0)
	c.resolve("k", day(3))
	c.again()
	want.Resolved = day(3)
	last := c.due(day(3))
	if len(last) != 1 || last[0].ID == first[0].ID {
		c.Fatal(last)
	}
	c.same(last[0].Alert, want)
	c.same(c.tell(day(3)), []string{"k resolved"})
	was, err := c.s.Resolve(c.Context(), "k", day(4))
	c.must(err)
	c.same(was, false)
	c.same(len(c.due(day(9))), 0)
	list, err := c.s.Alerts(c.Context(), jobs.AlertFilter{})
	c.must(err)
	c.same(list, []jobs.Alert{want})
}

func (c *alerts) once() {
	first := c.raise(missing("k"), day(1))
	c.again()
	other := missing("k")
	other.Text, other.Kind, other.Carrier = "other words", jobs.AlertHost, "contoso"
	got, raised, err := c.s.Raise(c.Context(), other, day(2))
	c.must(err)
	c.same(raised, false)
	c.same(got, first)
	was, err := c.s.Resolve(c.Context(), "another", day(2))
	c.must(err)
	c.same(was, false)
	c.resolve("k", day(3))
	next := c.raise(other, day(4))
	if next.ID == first.ID || next.Text != "other words" {
		c.Errorf("%+v", next)
	}
	list, err := c.s.Alerts(c.Context(), jobs.AlertFilter{})
	c.must(err)
	first.Resolved = day(3)
	c.same(list, []jobs.Alert{next, first})
}

// inOrder raises and resolves the same thing faster than anybody is told.
func (c *alerts) inOrder() {
	c.raise(missing("k"), day(1))
	c.resolve("k", day(2))
	c.raise(missing("other"), day(2))
	c.raise(missing("k"), day(3))
	first := c.due(day(3))
	if len(first) != 2 || first[0].Alert.Key != "k" || !first[0].Alert.Resolved.IsZero() || first[1].Alert.Key != "other" {
		c.Fatalf("%+v", first)
	}
	c.must(c.s.Postpone(c.Context(), first[0].ID, day(5), "no route to host"))
	c.again()
	c.same(c.tell(day(4)), []string{"other raised"})
	c.same(c.tell(day(5)), []string{"k raised", "k resolved", "k raised"})
}

func (c *alerts) postponed() {
	a := c.raise(missing("k"), day(1))
	id := c.due(day(1))[0].ID
	for n := range 3 {
		c.must(c.s.Postpone(c.Context(), id, day(n+2), fmt.Sprint("error ", n)))
		c.again()
		c.same(len(c.due(day(n+2).Add(-time.Microsecond))), 0)
		c.same(c.due(day(n+2)), []jobs.Message{{ID: id, Alert: a, Attempts: n + 1, Error: fmt.Sprint("error ", n)}})
	}
}

func (c *alerts) apart() {
	var keys []string
	for n := range 5 {
		keys = append(keys, fmt.Sprint("key ", n))
		c.raise(missing(keys[n]), day(1))
	}
	c.must(c.s.Postpone(c.Context(), c.due(day(1))[1].ID, day(9), "x"))
	list, err := c.s.Messages(c.Context(), day(1), 3)
	c.must(err)
	var got []string
	for _, m := range list {
		got = append(got, m.Alert.Key)
	}
	c.same(got, []string{keys[0], keys[2], keys[3]})
}

func (c *alerts) atOnce() {
	services := []jobs.Alerts{c.s, c.reopen(c.T, c.s)}
	times := func(do func(s jobs.Alerts) (bool, error)) int {
		var wg sync.WaitGroup
		var did [12]bool
		for i := range did {
			wg.Go(func() {
				var err error
				if did[i], err = do(services[i%2]); err != nil {
					c.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		for _, yes := range did {
			if yes {
				n++
			}
		}
		return n
	}
	for range 5 {
		c.same(times(func(s jobs.Alerts) (bool, error) {
			_, raised, err := s.Raise(c.Context(), missing("k"), day(1))
			return raised, err
		}), 1)
		c.same(times(func(s jobs.Alerts) (bool, error) { return s.Resolve(c.Context(), "k", day(1)) }), 1)
	}
	c.same(c.tell(day(1)), slices.Repeat([]string{"k raised", "k resolved"}, 5))
}

func (c *alerts) list() {
	var all []jobs.Alert // newest first
	for n := range 5 {
		a := missing(fmt.Sprint("key ", n%4))
		a.Kind = []jobs.AlertKind{jobs.AlertFileMissing, jobs.AlertHost}[n%2]
		a.Carrier = []string{"fabrikam", "contoso", ""}[n%3]
		all = slices.Insert(all, 0, c.raise(a, day(n+1)))
		if n == 0 {
			c.resolve("key 0", day(9))
			all[0].Resolved = day(9)
		}
	}
	c.again()
	for name, q := range map[string]struct {
		f    jobs.AlertFilter
		want []int
	}{
		"all":        {jobs.AlertFilter{}, []int{0, 1, 2, 3, 4}},
		"open":       {jobs.AlertFilter{Open: true}, []int{0, 1, 2, 3}},
		"first page": {jobs.AlertFilter{Limit: 2}, []int{0, 1}},
		"next page":  {jobs.AlertFilter{Limit: 2, Before: all[1].ID}, []int{2, 3}},
		"no such":    {jobs.AlertFilter{Before: "no such"}, nil},
		"kind":       {jobs.AlertFilter{Kind: jobs.AlertHost}, []int{1, 3}},
		"carrier":    {jobs.AlertFilter{Carrier: "contoso"}, []int{0, 3}},
		"key":        {jobs.AlertFilter{Key: "key 0"}, []int{0, 4}},
		"everything": {jobs.AlertFilter{Open: true, Kind: jobs.AlertHost, Carrier: "contoso", Key: "key 1", Before: all[0].ID, Limit: 1}, []int{3}},
	} {
		got, err := c.s.Alerts(c.Context(), q.f)
		c.must(err)
		var want []jobs.Alert
		for _, i := range q.want {
			want = append(want, all[i])
		}
		if d := cmp.Diff(want, got); d != "" {
			c.Errorf("%s: %s", name, d)
		}
	}
}

func (c *alerts) texts() {
	a := missing("a key\xff")
	a.Text, a.Subject = "'\"$1?\x00", "täglich\n\xfe"
	got := c.raise(a, day(1))
	m := c.due(day(1))
	if len(m) != 1 {
		c.Fatal(m)
	}
	c.same(m[0].Alert, got)
	c.must(c.s.Postpone(c.Context(), m[0].ID, day(2), "broken: \xff\x00"))
	c.resolve("a key\xff", day(2))
	c.same(len(c.tell(day(2))), 2)
}

func (c *alerts) gone() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	if _, raised, err := c.s.Raise(ctx, missing("k"), day(1)); raised || !errors.Is(err, context.Canceled) {
		c.Error(raised, err)
	}
	c.raise(missing("k"), day(1))
	if was, err := c.s.Resolve(ctx, "k", day(1)); was || !errors.Is(err, context.Canceled) {
		c.Error(was, err)
	}
	c.same(c.tell(day(1)), []string{"k raised"})
}
