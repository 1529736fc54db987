package control

import (
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

func periodOf(p jobs.Period) *Period {
	if p.From.IsZero() && p.To.IsZero() {
		return nil
	}
	return &Period{Text: p.Text, From: p.From.UTC(), To: p.To.UTC()}
}

func utc(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

func runOf(r jobs.Run) Run {
	return Run{
		ID: r.ID, Job: r.Job, Kind: r.Kind, Carrier: r.Carrier, Period: periodOf(r.Period), Attempt: r.Attempt,
		State: string(r.State), Trigger: string(r.Trigger), By: r.By, RerunOf: r.RerunOf,
		ScheduledFor: utc(r.ScheduledFor), NotBefore: utc(r.NotBefore), Created: utc(r.Created), Started: utc(r.Started), Finished: utc(r.Finished),
		Error: jobs.Mask(r.Error), Report: r.Report, CancelAsked: r.CancelAsked && !r.State.Over(),
	}
}

// fileOf masks names and reasons: carriers may put numbers into names, and into
// the places of a file that a reason names, such as its header.
func fileOf(e jobs.Entry) File {
	f := File{ID: e.ID, Carrier: e.Carrier, Side: sideOf(e), Format: e.Format, Receipt: e.Receipt()}
	f.File, f.Replaces, f.DuplicateOf = jobs.Mask(f.File), jobs.Mask(f.Replaces), jobs.Mask(f.DuplicateOf)
	f.Reasons = each(f.Reasons, func(r landing.Reason) landing.Reason {
		r.Reason = jobs.Mask(r.Reason)
		return r
	})
	if len(f.Notes) > 0 {
		f.Notes = each(f.Notes, jobs.Mask)
	}
	return f
}

func sideOf(e jobs.Entry) string {
	if e.Microsoft {
		return "microsoft"
	}
	return "carrier"
}

func inputOf(e jobs.Entry) Input {
	return Input{Role: sideOf(e), File: e.ID, Name: jobs.Mask(e.Name), SHA256: e.SHA256}
}

func reportOf(r jobs.Report) Report {
	return Report{
		ID: r.ID, Kind: r.Kind, Carrier: r.Carrier, Period: Period{Text: r.Period.Text, From: utc(r.Period.From), To: utc(r.Period.To)},
		Version: r.Version, Job: r.Job, Run: r.Run, Supersedes: r.Supersedes, SupersededBy: r.SupersededBy,
		AsOf: utc(r.AsOf), Published: utc(r.Published), Verdict: r.Figures.Verdict,
		Microsoft: r.Figures.Microsoft, CarrierSide: r.Figures.Carrier, DifferencePPM: r.Figures.DifferencePPM,
		Discrepancies: r.Figures.Discrepancies, Pending: r.Figures.Pending, Changes: r.Changes, NoData: noData(&r),
	}
}

// noData names the sides of which no record counts in the totals of a report.
func noData(r *jobs.Report) (sides []string) {
	if r.Kind != jobs.ReportReconcile {
		return nil
	}
	for i, t := range []jobs.Tally{r.Figures.Microsoft, r.Figures.Carrier} {
		if t.Records == 0 {
			sides = append(sides, sideOf(jobs.Entry{Microsoft: i == 0}))
		}
	}
	return sides
}

func changeOf(e jobs.CaseEvent) Change {
	return Change{Case: e.CaseID, Event: e.Event, Class: e.Class, Before: e.Before, DiffMS: e.DiffMS, BeforeMS: e.BeforeMS}
}

func alertOf(a jobs.Alert) Alert {
	return Alert{
		ID: a.ID, Kind: string(a.Kind), Carrier: a.Carrier, Job: a.Job, Subject: a.Subject, Text: a.Text,
		Raised: utc(a.Raised), Resolved: utc(a.Resolved),
	}
}

func auditOf(r jobs.AuditRow) AuditRow {
	return AuditRow{ID: r.ID, Time: utc(r.Time), Who: r.Who, What: r.What, Object: r.Object, Detail: r.Detail}
}

// each converts a list; the result is never nil, so that it is [] in JSON.
func each[A, B any](list []A, convert func(A) B) []B {
	out := make([]B, len(list))
	for i := range list {
		out[i] = convert(list[i])
	}
	return out
}
