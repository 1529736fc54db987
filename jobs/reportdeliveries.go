package jobs

import (
	"context"
	"time"
)

// ReportDelivery is a version of a report on its way to its carrier.
type ReportDelivery struct {
	Report   string // id
	Carrier  string
	Begun    time.Time // zero: it waits
	Ended    time.Time // zero: it may not have reached the outbox
	Files    []DeliveredFile
	Manifest string // its text, which is the last file
}

// ReportDeliveries remembers which reports go to carriers. One service at a time
// delivers. jobstest has its contract as a suite of tests.
type ReportDeliveries interface {
	// WaitingReports lists deliveries that were asked for when their report was
	// published and that have not ended, in the order of publication. While a
	// number is erased there are none: their files are being replaced.
	WaitingReports(ctx context.Context) ([]ReportDelivery, error)
	// BeginReport records what is about to be delivered, and returns what is
	// recorded: that, or what was recorded before. One that nobody has asked for is
	// ErrNoReport.
	BeginReport(ctx context.Context, d ReportDelivery, now time.Time) (ReportDelivery, error)
	// EndReport records that all of it is in the outbox. Repeated, it changes
	// nothing.
	EndReport(ctx context.Context, report string, now time.Time) error
	// ReportDelivery returns the delivery of a report; ErrNoReport: nobody has asked
	// for one.
	ReportDelivery(ctx context.Context, report string) (ReportDelivery, error)
}
