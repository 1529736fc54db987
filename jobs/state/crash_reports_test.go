package state_test

import (
	"context"
	"fmt"
	"testing"

	"concord/jobs"
	"concord/jobs/state"
)

// eventsAtOnce is how many events a version of the service that is killed has.
const eventsAtOnce = 450

// announce publishes the next version of one period as the end of a run,
// raises an alert about it, and resolves it.
func announce(ctx context.Context, s *state.Store, r jobs.Run) error {
	newest, err := s.Reports(ctx, jobs.ReportFilter{Carrier: "fabrikam", Newest: true})
	if err != nil {
		return err
	}
	v := jobs.Report{ID: "version of " + r.ID, Folder: r.ID, Carrier: "fabrikam", Version: 1}
	if len(newest) > 0 {
		v.Version, v.Supersedes = newest[0].Version+1, newest[0].ID
	}
	events := make([]jobs.CaseEvent, eventsAtOnce)
	for i := range events {
		events[i] = jobs.CaseEvent{CaseID: fmt.Sprint(i), Event: "changed"}
	}
	if v, err = s.Publish(ctx, r.Lease(), v, events, now); err != nil {
		return err
	}
	fmt.Println("published", v.ID)
	fmt.Println("ended", r.ID)
	if _, _, err = s.Raise(ctx, jobs.Alert{Key: v.ID}, now); err != nil {
		return err
	}
	fmt.Println("raised", v.ID)
	if _, err = s.Resolve(ctx, v.ID, now); err != nil {
		return err
	}
	fmt.Println("resolved", v.ID)
	return nil
}

func versionsAreThere(t *testing.T, s *state.Store, said map[string][]string) {
	t.Helper()
	list, err := s.Reports(t.Context(), jobs.ReportFilter{})
	if err != nil {
		t.Fatal(err)
	}
	after, there := "", map[string]bool{}
	for i, v := range list {
		there[v.ID] = true
		if v.Version != len(list)-i || v.SupersededBy != after || (v.Supersedes == "") != (v.Version == 1) {
			t.Errorf("a chain of %d is broken: %+v", len(list), v)
		}
		after = v.ID
		r, err := s.Run(t.Context(), v.Run)
		if err != nil || r.State != jobs.RunSucceeded || r.Report != v.ID {
			t.Errorf("published by a run that is %s with %q, %v", r.State, r.Report, err)
		}
	}
	cases, err := s.Cases(t.Context(), jobs.CaseFilter{})
	if len(cases) != len(list)*eventsAtOnce || err != nil {
		t.Errorf("%d versions have %d events, %v", len(list), len(cases), err)
	}
	for _, id := range said["published"] {
		if !there[id] {
			t.Errorf("%s was published and is lost", id)
		}
	}
}

// alertsAreThere checks that each alert has its messages.
func alertsAreThere(t *testing.T, s *state.Store, said map[string][]string) {
	t.Helper()
	list, err := s.Alerts(t.Context(), jobs.AlertFilter{})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]int{}
	for messages := []jobs.Message(nil); ; {
		if messages, err = s.Messages(t.Context(), now, 0); err != nil {
			t.Fatal(err)
		}
		for _, m := range messages {
			told[m.Alert.Key]++
			if err := s.Delivered(t.Context(), m.ID); err != nil {
				t.Fatal(err)
			}
		}
		if len(messages) == 0 {
			break
		}
	}
	raised := map[string]bool{}
	for _, a := range list {
		raised[a.Key] = true
		if want := map[bool]int{true: 1, false: 2}[a.Resolved.IsZero()]; told[a.Key] != want || len(told) != len(list) {
			t.Errorf("%+v has %d messages", a, told[a.Key])
		}
	}
	for _, key := range said["raised"] {
		if !raised[key] {
			t.Errorf("%s was raised and is lost", key)
		}
	}
	open, err := s.Alerts(t.Context(), jobs.AlertFilter{Open: true})
	if len(open) > len(list)-len(said["resolved"]) || err != nil {
		t.Errorf("%d of %d are open, but %d were resolved, %v", len(open), len(list), len(said["resolved"]), err)
	}
}
