package engine

import "time"

// Tally counts records and their durations.
type Tally struct {
	Records int64
	MS      int64 // milliseconds
}

func (t *Tally) add(ms int64) { t.Records++; t.MS += ms }

func (t *Tally) merge(o Tally) { t.Records += o.Records; t.MS += o.MS }

// FileTally is what was read from one file.
type FileTally struct {
	Rows, Accepted, Rejected int64
	MS                       int64 // of the accepted rows
}

// Verdict of the totals.
type TotalsVerdict uint8

// Totals verdicts.
const (
	TotalsOK TotalsVerdict = iota
	TotalsWarning
	TotalsDispute
)

// String returns ok, warning or dispute.
func (v TotalsVerdict) String() string { return [...]string{"ok", "warning", "dispute"}[v] }

// Balance compares the minutes of both sides over paired and missing records.
type Balance struct {
	Microsoft, Carrier Tally
	Verdict            TotalsVerdict
}

// DifferenceMS returns the carrier's milliseconds less Microsoft's.
func (b Balance) DifferenceMS() int64 { return b.Carrier.MS - b.Microsoft.MS }

// Named is a Balance of one day (2026-10-01) or one country (ISO code, "" when
// unknown).
type Named struct {
	Name string
	Balance
}

// Finding is something about the run that a person should know.
type Finding struct {
	Code string // clock_offset, …
	Text string
	// Calls are those that it is about; none: it is about none in particular.
	Calls Tally
}

// Leg is one side's record of a case, with where it stands.
type Leg struct {
	Call
	File int // index of the file in the order given
}

// Case is one discrepancy: a pair, or a single record.
type Case struct {
	ID        string
	Class     Class
	Pass      Pass
	Flags     Flags
	Microsoft *Leg  // nil when the case has none
	Carrier   []Leg // the segments in the order they were attached; empty when the case has none
	// Reject is set for the class invalid, and then only File, Row and
	// RecordID of the leg are.
	Reject *RowError
}

// Verdict is the class of one record.
type Verdict struct {
	Side       Side
	File       int
	Row        int64
	RecordID   string
	Class      Class
	CaseID     string
	Pass       Pass
	HasPartner bool
	// PartnerFile and PartnerRow locate the partner on the other side.
	PartnerFile int
	PartnerRow  int64
}

// UsageRow sums calls of one tenant, day, direction, call type and country.
type UsageRow struct {
	TenantID  string
	UserID    string // only in user usage
	Date      string // 2026-10-01 in the period's zone; 2026-10 in user usage
	Direction Direction
	CallType  string
	Country   string // of the other party, ISO code; "" when unknown

	Calls                int64
	MicrosoftMS          int64
	CarrierMS            int64
	UsedMS               int64
	OperatorSourcedCalls int64
}

// Summary holds the figures of a run.
type Summary struct {
	Carrier     string
	From, To    time.Time // zero without a period
	AsOf        time.Time // zero when not given
	ClockOffset time.Duration
	OffsetPairs int64 // pairs that the measurement of the clock rests on
	Findings    []Finding
	Files       [2][]FileTally // by Side, in the order given
	// Classes holds what is inside the period, and under OutsidePeriod what
	// is not; by Side.
	Classes   [2][NumClasses]Tally
	Totals    Balance
	Days      []Named // in order
	Countries []Named // by destination, in order of name
	// Discrepancies counts the cases listed, by class.
	Discrepancies [NumClasses]int64
	// RoundingExplainedMS is what the agreed rounding makes of the difference
	// in all pairs whose durations agree by it, whatever else is wrong with
	// them. What it makes of others is not known.
	RoundingExplainedMS int64
	// Unassigned counts the calls inside the period, of any class but repeats,
	// on numbers that were not assigned to the carrier when they began.
	Unassigned Tally
}
