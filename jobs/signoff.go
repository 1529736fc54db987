package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// SignOffState is how far a version is on its way to be approved. A version of
// which nothing is recorded is a draft.
type SignOffState string

// States of a sign-off.
const (
	SignOffDraft    SignOffState = "draft"
	SignOffReview   SignOffState = "in_review"
	SignOffApproved SignOffState = "approved" // it locks its period
	SignOffReopened SignOffState = "reopened" // it was approved, and its period is open again
)

// SignOff is how far a version is, and who did what.
type SignOff struct {
	Report      string
	Carrier     string
	Period      Period
	Version     int
	State       SignOffState
	SubmittedBy string
	Submitted   time.Time
	ApprovedBy  string
	Approved    time.Time // zero: it never was
	ReopenedBy  string
	Reopened    time.Time
	Why         string // it was sent back, or reopened
}

// Locks reports whether no further version of the period may be published.
func (s *SignOff) Locks() bool { return s.State == SignOffApproved }

// Locked says who keeps further versions of a period back.
func (s *SignOff) Locked() string {
	return fmt.Sprintf("%s of %s is locked: version %d was approved by %s on %s", s.Period.Text, s.Carrier, s.Version, s.ApprovedBy, s.Approved.UTC().Format(time.DateOnly))
}

// SignOffStep is what somebody does with a version.
type SignOffStep string

// Steps.
const (
	StepSubmit   SignOffStep = "submit"    // a draft, or what was reopened, goes into review
	StepApprove  SignOffStep = "approve"   // by another person than the one who submitted it, whatever name it has there
	StepSendBack SignOffStep = "send_back" // from review, with a reason
	StepReopen   SignOffStep = "reopen"    // what was approved, with a reason
)

// Take is what becomes of a sign-off by a step of somebody; ErrSignOff,
// ErrFourEyes.
func (s SignOff) Take(step SignOffStep, by, why string, now time.Time) (SignOff, error) {
	wrong := fmt.Errorf("%w: version %d of %s of %s is %s", ErrSignOff, s.Version, s.Period.Text, s.Carrier, s.State.words())
	switch step {
	case StepSubmit:
		if s.State != SignOffDraft && s.State != SignOffReopened {
			return s, wrong
		}
		s.State, s.SubmittedBy, s.Submitted, s.Why = SignOffReview, by, now, ""
	case StepApprove:
		switch {
		case s.State != SignOffReview:
			return s, wrong
		case samePerson(s.SubmittedBy, by):
			return s, fmt.Errorf("%w: %s has submitted version %d of %s of %s", ErrFourEyes, by, s.Version, s.Period.Text, s.Carrier)
		}
		s.State, s.ApprovedBy, s.Approved, s.ReopenedBy, s.Reopened = SignOffApproved, by, now, "", time.Time{}
	case StepSendBack:
		if s.State != SignOffReview {
			return s, wrong
		}
		s.State, s.Why = SignOffDraft, why
	case StepReopen:
		if s.State != SignOffApproved {
			return s, wrong
		}
		s.State, s.ReopenedBy, s.Reopened, s.Why = SignOffReopened, by, now, why
	default:
		return s, fmt.Errorf("%w: there is no step %q", ErrSignOff, step)
	}
	return s, nil
}

// samePerson reports whether two names are those of one person: a user of this
// machine is local:NAME where the console and a token have NAME.
func samePerson(a, b string) bool {
	return strings.EqualFold(strings.TrimPrefix(a, "local:"), strings.TrimPrefix(b, "local:"))
}

func (s SignOffState) words() string {
	switch s {
	case SignOffReview:
		return "in review"
	case SignOffDraft:
		return "a draft"
	}
	return string(s)
}

// Answers about sign-offs.
var (
	ErrSignOff  = errors.New("this cannot be done as it stands")
	ErrFourEyes = errors.New("another person must approve it than the one who submitted it")
	ErrLocked   = errors.New("the period is locked: no further version is published until it is reopened")
)

// SignOffs remembers which versions were approved. An approved one locks its
// period: Publish returns ErrLocked until it is reopened.
type SignOffs interface {
	// TakeStep does a step with a version of kind reconcile; ErrNoReport,
	// ErrSignOff, ErrFourEyes. Reopening resolves the alert about the lock, if
	// it is open, and has a run say what was held back; one that is running
	// does so, for its end is put back. Only the newest version of a period is submitted
	// and approved, and a publication and an approval at once are decided one
	// after the other.
	TakeStep(ctx context.Context, report string, step SignOffStep, by, why string, now time.Time) (SignOff, error)
	// SignOff returns how far a version is; ErrNoReport.
	SignOff(ctx context.Context, report string) (SignOff, error)
	// SignOffs lists those that are more than drafts, or those of the newest
	// versions, of the version that was published last first.
	SignOffs(ctx context.Context, f SignOffFilter) ([]SignOff, error)
	// Lock returns the approval that locks a period; nil: none does.
	Lock(ctx context.Context, carrier string, p Period) (*SignOff, error)
}

// SignOffFilter selects sign-offs; a zero field selects all.
type SignOffFilter struct {
	Carrier string
	Period  *Period // this one exactly: by From and To
	State   SignOffState
	// Newest selects the newest version of every period instead, drafts as well.
	// One that nobody has submitted is among the reopened ones, and not among
	// the drafts, when its period was reopened.
	Newest bool
	Before string // id of a report: those published before it
	Limit  int    // 0: all
}

// LockedKey is that of the alert about a locked period with something new to
// say. Reopening the period resolves it, and so does a further version.
func LockedKey(carrier string, p Period) string {
	return string(AlertLocked) + "/" + carrier + "/" + p.From.UTC().Format(time.RFC3339) + "/" + p.To.UTC().Format(time.RFC3339)
}
