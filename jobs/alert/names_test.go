package alert_test

import (
	"strings"
	"testing"

	"concord/exchange/landing"
	"concord/jobs"
)

// Files whose names differ in digits that are not shown are told of each for
// itself.
func TestNamesThatLookAlikeAreNotTheSame(t *testing.T) {
	w := newWorld(t, "2026-11-02T05:00:00Z")
	seven := int64(7)
	w.file(rejected("cdr_2026100113.csv", "broken", &seven))
	w.file(rejected("cdr_2026110113.csv", "broken", nil))
	find := func() []jobs.Alert {
		t.Helper()
		list, err := w.store.Alerts(t.Context(), jobs.AlertFilter{Open: true})
		w.must(err)
		return list
	}
	open := find()
	if len(open) != 2 || open[0].Key == open[1].Key {
		t.Fatalf("%+v", open)
	}
	for _, a := range open {
		if strings.Contains(a.Key+a.Subject+a.Text, "20261") {
			t.Errorf("it shows %+v", a)
		}
	}
	w.file(taken("cdr_2026120113.csv", nil))
	if len(find()) != 2 {
		t.Error("another file has mended one")
	}
	w.file(taken("cdr_2026110113.csv", nil))
	w.file(taken("mended.csv", &seven)) // the same number
	if len(find()) != 0 {
		t.Errorf("%+v", find())
	}
}

func taken(name string, n *int64) jobs.Entry {
	return jobs.Entry{Name: name, Status: landing.StatusAccepted, Rows: 1, Accepted: 1, Sequence: n}
}
