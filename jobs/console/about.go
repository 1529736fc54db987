package console

import (
	"net/url"

	"concord/jobs"
	"concord/jobs/control"
)

// aboutPath returns the address of what an alert is about; empty: there is no page
// of it.
func aboutPath(a control.Alert) string {
	page, q := "", url.Values{}
	if a.Carrier != "" {
		q.Set("carrier", a.Carrier)
	}
	switch jobs.AlertKind(a.Kind) {
	case jobs.AlertRejected, jobs.AlertFeed:
		page = "files"
		q.Set("name", jobs.Mask(a.Subject))
	case jobs.AlertRunFailed, jobs.AlertRunLate:
		page = "runs"
		q.Set("job", a.Job)
	case jobs.AlertLocked:
		page = "signoffs"
		q.Set("state", string(jobs.SignOffApproved))
	case jobs.AlertReportLost:
		page = "reports"
	case jobs.AlertFileMissing, jobs.AlertGap:
		page = "files"
	default:
		return ""
	}
	return Root + page + "?" + q.Encode()
}
