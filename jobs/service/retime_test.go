package service

import (
	"testing"
	"testing/synctest"
	"time"

	"concord/jobs/config"
	"concord/jobs/schedule"
)

// Two reloads before anybody looks: the second one must neither wait nor make
// a new job owe what was due before it was there.
func TestATimetableNobodyHasReadIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Service{sets: make(chan []schedule.Job, 1)}
		s.Now = time.Now
		every, err := schedule.Parse("0 6 * * *", "UTC")
		if err != nil {
			t.Fatal(err)
		}
		c := &config.Config{Jobs: []*config.Job{{Name: "daily", Schedule: &every}, {Name: "weekly", Schedule: &every}}}
		s.sets <- c.Timetable()
		added := config.Changes{}
		added.Jobs.Added = []string{"weekly"}
		s.retime(c, added)
		at := time.Now()
		time.Sleep(time.Hour)
		s.retime(c, config.Changes{})
		for _, j := range <-s.sets {
			if want := map[string]time.Time{"weekly": at}[j.Name]; !j.Since.Equal(want) {
				t.Errorf("%s owes since %v, want %v", j.Name, j.Since, want)
			}
		}
	})
}
