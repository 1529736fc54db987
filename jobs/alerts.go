package jobs

import (
	"context"
	"errors"
	"time"
)

// AlertKind says what an alert is about.
type AlertKind string

// Kinds of alerts.
const (
	AlertFileMissing AlertKind = "file_missing" // an expected file is not there by its deadline
	AlertGap         AlertKind = "gap"          // sequence numbers are missing before a file
	AlertRejected    AlertKind = "file_rejected"
	AlertRunFailed   AlertKind = "run_failed" // after its last attempt
	AlertRunLate     AlertKind = "run_late"   // not done by its deadline
	AlertHost        AlertKind = "host"       // a carrier's own host cannot be used
	AlertFeed        AlertKind = "feed"       // Microsoft's files cannot be read
	AlertDisk        AlertKind = "disk"       // the disk is nearly full
	AlertReportLost  AlertKind = "report_lost"
	AlertLocked      AlertKind = "period_locked" // there is something new to say about a period that is locked
	AlertNoData      AlertKind = "no_data"       // a side has no record of a period that was reported
)

// Alert is something that a person should know of, from when it was raised
// until it is resolved. It holds no phone numbers.
type Alert struct {
	ID      string // a UUID, version 7
	Key     string // what it is about; one alert of a key is open at a time
	Kind    AlertKind
	Carrier string
	Job     string
	Subject string // a file, a period or a run
	Text    string // what is wrong and what to do

	Raised   time.Time
	Resolved time.Time // zero: it is open
}

// ErrNoMessage says that a message was delivered before, or never written.
var ErrNoMessage = errors.New("there is no such message")

// Alerts remembers alerts and what of them was told.
type Alerts interface {
	// Raise opens an alert, of which it sets ID and Raised, and writes a
	// message, both or neither. If one of its key is open, that one is
	// returned as it is, and raised is false. Of several that raise one key at
	// once, one does.
	Raise(ctx context.Context, a Alert, now time.Time) (_ Alert, raised bool, err error)
	// Resolve ends the alert of a key, if one is open, and writes a message,
	// both or neither. The message of its raising stays.
	Resolve(ctx context.Context, key string, now time.Time) (was bool, err error)
	// Alerts lists alerts, the latest raised first.
	Alerts(ctx context.Context, f AlertFilter) ([]Alert, error)
	// Messages lists messages that are due and were not delivered, oldest
	// first. A new one is due at once. Of those about one key only the oldest
	// can be due: the next one follows when that is delivered, so that nobody
	// hears of an end before the beginning. Several services are told the
	// same. Limit 0: all.
	Messages(ctx context.Context, now time.Time, limit int) ([]Message, error)
	// Delivered forgets a message; ErrNoMessage.
	Delivered(ctx context.Context, id string) error
	// Postpone counts a failed delivery and says when to try again.
	Postpone(ctx context.Context, id string, until time.Time, why string) error
}

// AlertFilter selects alerts; a zero field selects all.
type AlertFilter struct {
	Open    bool // only those that are not resolved
	Kind    AlertKind
	Carrier string
	Key     string
	Before  string // id of an alert: those raised before it
	Limit   int    // 0: all
}

// Message is what is to be told of an alert: that it was raised, or resolved.
type Message struct {
	ID       string // a UUID, version 7; the same at every attempt
	Alert    Alert  // as it was when the message was written
	Attempts int
	Error    string // of the last attempt
}
