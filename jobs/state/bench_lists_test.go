package state_test

import (
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"
)

// BenchmarkLists asks for pages of a long history. None may take 100 ms.
func BenchmarkLists(b *testing.B) {
	eachDatabase(b, func(b *testing.B, url string) {
		s := history(b, url)
		benchRuns(b, s)
		benchFiles(b, s)
		benchCoverage(b, s)
		benchReports(b, s)
		benchCases(b, s)
		benchAlerts(b, s)
	})
}

func benchRuns(b *testing.B, s *state.Store) {
	for _, c := range []struct {
		name string
		f    jobs.RunFilter
		want int
	}{
		{"newest", jobs.RunFilter{}, 50},
		{"deep page", jobs.RunFilter{Before: "0199-10000100"}, 50},
		{"job", jobs.RunFilter{Job: "job 1"}, 50},
		{"carrier", jobs.RunFilter{Carrier: "carrier 7"}, 50},
		{"state", jobs.RunFilter{State: jobs.RunFailed}, 50},
		{"running", jobs.RunFilter{State: jobs.RunRunning}, 0},
		{"job and state", jobs.RunFilter{Job: "job 2", State: jobs.RunFailed}, 50},
		{"job, carrier and state", jobs.RunFilter{Job: "job 1", Carrier: "carrier 7", State: jobs.RunSucceeded}, 50},
		{"carrier and state", jobs.RunFilter{Carrier: "carrier 350", State: jobs.RunFailed}, 50},
		{"a day long ago", jobs.RunFilter{From: year(3), To: year(4)}, 50},
		{"a day of a job", jobs.RunFilter{Job: "job 1", From: year(3), To: year(4)}, 50},
		{"a day of a carrier", jobs.RunFilter{Carrier: "carrier 7", From: year(3), To: year(4)}, 1},
		{"failures of a month", jobs.RunFilter{State: jobs.RunFailed, From: year(31), To: year(59)}, 50},
		{"half a year", jobs.RunFilter{From: year(0), To: year(180)}, 50},
		{"a file", jobs.RunFilter{File: "file 4000"}, 2},
		{"a report", jobs.RunFilter{Report: "report 777"}, 1},
	} {
		b.Run("runs/"+c.name, func(b *testing.B) {
			c.f.Limit = 50
			page(b, c.want, func() (int, error) { list, err := s.Runs(b.Context(), c.f); return len(list), err })
		})
	}
}

func benchFiles(b *testing.B, s *state.Store) {
	for _, c := range []struct {
		name string
		f    jobs.FileFilter
		want int
	}{
		{"newest", jobs.FileFilter{}, 50},
		{"deep page", jobs.FileFilter{Before: "id 1000"}, 50},
		{"carrier", jobs.FileFilter{Carrier: "carrier 7"}, 50},
		{"status", jobs.FileFilter{Status: landing.StatusRejected}, 50},
		{"carrier and status", jobs.FileFilter{Carrier: "carrier 7", Status: landing.StatusRejected}, 0},
		{"a name of a carrier", jobs.FileFilter{Carrier: "carrier 7", Name: "FAB_100807"}, 1},
		{"a name", jobs.FileFilter{Name: "FAB_100807"}, 1},
		{"the last day", jobs.FileFilter{Since: year(364)}, 50},
		{"rejected in the last days", jobs.FileFilter{Since: year(363), Status: landing.StatusRejected}, 8},
		{"Microsoft's", jobs.FileFilter{Side: "microsoft"}, 50},
		{"Microsoft's of a carrier", jobs.FileFilter{Side: "microsoft", Carrier: "carrier 7"}, 50},
		{"of nobody", jobs.FileFilter{Side: "nobody"}, 0},
	} {
		b.Run("files/"+c.name, func(b *testing.B) {
			c.f.Limit = 50
			page(b, c.want, func() (int, error) { list, err := s.ListFiles(b.Context(), c.f); return len(list), err })
		})
	}
	b.Run("files/one", func(b *testing.B) {
		page(b, 1, func() (int, error) { _, err := s.File(b.Context(), "id 777"); return 1, err })
	})
	b.Run("files/all of a carrier", func(b *testing.B) {
		page(b, 730, func() (int, error) { list, err := s.Files(b.Context(), "carrier 7"); return len(list), err })
	})
}

func benchCoverage(b *testing.B, s *state.Store) {
	for _, c := range []struct {
		name, carrier string
		from, to      time.Time
		want          int
	}{
		{"a day", "carrier 7", year(100), year(101), 2},
		{"a day in another zone", "carrier 7", year(100).Add(-2 * time.Hour), year(101).Add(-2 * time.Hour), 4},
		{"a month", "carrier 7", year(100), year(131), 62},
		{"a day with a file that was replaced", "carrier 199", year(0), year(1), 1},
	} {
		b.Run("covering/"+c.name, func(b *testing.B) {
			page(b, c.want, func() (int, error) {
				list, err := s.Covering(b.Context(), c.carrier, c.from, c.to)
				return len(list), err
			})
		})
	}
	b.Run("unfollowed", func(b *testing.B) {
		page(b, 50, func() (int, error) { list, err := s.Unfollowed(b.Context(), "", 100); return len(list), err })
	})
}

func benchReports(b *testing.B, s *state.Store) {
	period := &jobs.Period{From: year(100), To: year(101)}
	for _, c := range []struct {
		name string
		f    jobs.ReportFilter
		want int
	}{
		{"latest", jobs.ReportFilter{}, 50},
		{"deep page", jobs.ReportFilter{Before: "report 100"}, 50},
		{"carrier", jobs.ReportFilter{Carrier: "carrier 7"}, 50},
		{"deep page of a carrier", jobs.ReportFilter{Carrier: "carrier 7", Before: "report 2000"}, 5},
		{"job", jobs.ReportFilter{Job: "job 1"}, 50},
		{"verdict", jobs.ReportFilter{Verdict: "dispute"}, 50},
		{"no such verdict", jobs.ReportFilter{Verdict: "nonsense"}, 0},
		{"verdict of a carrier", jobs.ReportFilter{Verdict: "dispute", Carrier: "carrier 5"}, 50},
		{"verdict of a job", jobs.ReportFilter{Verdict: "dispute", Job: "job 1"}, 48},
		{"newest", jobs.ReportFilter{Newest: true}, 50},
		{"newest of a carrier", jobs.ReportFilter{Newest: true, Carrier: "carrier 10"}, 50},
		{"newest disputes", jobs.ReportFilter{Newest: true, Verdict: "dispute"}, 50},
		{"a period", jobs.ReportFilter{Period: period}, 50},
		{"newest of a period", jobs.ReportFilter{Period: period, Newest: true}, 50},
		{"a carrier's period", jobs.ReportFilter{Period: period, Carrier: "carrier 10", Newest: true}, 1},
		{"a day long ago", jobs.ReportFilter{From: year(3), To: year(4)}, 50},
		{"a day of a carrier", jobs.ReportFilter{From: year(3), To: year(4), Carrier: "carrier 10"}, 2},
		{"a day of a job", jobs.ReportFilter{From: year(3), To: year(4), Job: "job 1"}, 50},
		{"disputes of a day", jobs.ReportFilter{From: year(3), To: year(6), Verdict: "dispute"}, 1},
		{"disputes of a month", jobs.ReportFilter{From: year(31), To: year(59), Verdict: "dispute"}, 11},
		{"a month", jobs.ReportFilter{From: year(31), To: year(59)}, 50},
		{"up to long ago", jobs.ReportFilter{To: year(2)}, 50},
		{"since long ago", jobs.ReportFilter{From: year(2)}, 50},
		{"since today", jobs.ReportFilter{From: year(364)}, 50},
		{"after today", jobs.ReportFilter{From: year(400)}, 0},
		{"before all", jobs.ReportFilter{To: year(-3)}, 0},
		{"a file", jobs.ReportFilter{File: "file 4000"}, 2},
		{"no such file", jobs.ReportFilter{File: "x"}, 0},
	} {
		b.Run("reports/"+c.name, func(b *testing.B) {
			c.f.Limit = 50
			page(b, c.want, func() (int, error) { list, err := s.Reports(b.Context(), c.f); return len(list), err })
		})
	}
	b.Run("reports/one", func(b *testing.B) {
		page(b, 1, func() (int, error) { _, err := s.Report(b.Context(), "report 777"); return 1, err })
	})
}

func benchCases(b *testing.B, s *state.Store) {
	for _, c := range []struct {
		name string
		f    jobs.CaseFilter
		want int
	}{
		{"latest", jobs.CaseFilter{}, 50},
		{"an event", jobs.CaseFilter{Event: "closed"}, 50},
		{"carrier", jobs.CaseFilter{Carrier: "carrier 10"}, 50},
		{"carrier without any", jobs.CaseFilter{Carrier: "carrier 7"}, 0},
		{"an event of a carrier", jobs.CaseFilter{Carrier: "carrier 10", Event: "closed"}, 50},
		{"version", jobs.CaseFilter{Report: "next 1000"}, 20},
		{"next page of a version", jobs.CaseFilter{Report: "next 1000", After: "case"}, 20},
		{"case", jobs.CaseFilter{CaseID: "case 4100"}, 30},
		{"case of a carrier", jobs.CaseFilter{CaseID: "case 4100", Carrier: "carrier 7"}, 0},
	} {
		b.Run("cases/"+c.name, func(b *testing.B) {
			c.f.Limit = 50
			page(b, c.want, func() (int, error) { list, err := s.Cases(b.Context(), c.f); return len(list), err })
		})
	}
}

func benchAlerts(b *testing.B, s *state.Store) {
	for _, c := range []struct {
		name string
		f    jobs.AlertFilter
		want int
	}{
		{"latest", jobs.AlertFilter{}, 50},
		{"deep page", jobs.AlertFilter{Before: "alert 100"}, 50},
		{"open", jobs.AlertFilter{Open: true}, 50},
		{"deep page of open ones", jobs.AlertFilter{Open: true, Before: "alert 6000"}, 50},
		{"kind", jobs.AlertFilter{Kind: jobs.AlertGap}, 50},
		{"no such kind", jobs.AlertFilter{Kind: jobs.AlertDisk}, 0},
		{"open ones of a kind", jobs.AlertFilter{Kind: jobs.AlertGap, Open: true}, 50},
		{"carrier", jobs.AlertFilter{Carrier: "carrier 7"}, 50},
		{"open ones of a carrier", jobs.AlertFilter{Carrier: "carrier 100", Open: true}, 50},
		{"key", jobs.AlertFilter{Key: "key 400"}, 3},
	} {
		b.Run("alerts/"+c.name, func(b *testing.B) {
			c.f.Limit = 50
			page(b, c.want, func() (int, error) { list, err := s.Alerts(b.Context(), c.f); return len(list), err })
		})
	}
	b.Run("messages", func(b *testing.B) {
		page(b, 50, func() (int, error) { list, err := s.Messages(b.Context(), year(400), 50); return len(list), err })
	})
}

func page(b *testing.B, want int, list func() (int, error)) {
	for b.Loop() {
		if n, err := list(); n != want || err != nil {
			b.Fatalf("%d rows, not %d: %v", n, want, err)
		}
	}
}
