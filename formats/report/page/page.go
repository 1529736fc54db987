// Package page shows the figures of a report to people: first that they tie
// out, then the totals, where the difference comes from, and what to look at.
//
// The HTML is one file that needs no other, runs no script, prints on A4 and
// says in tables whatever its charts show. It holds no phone number but
// masked ones. What is written depends on the Page only.
package page

// Page is what is shown of a report. Times are milliseconds; texts may come
// from outside and say anything.
type Page struct {
	Carrier string
	Period  string   // in words
	AsOf    string   // empty: not given
	Version *Version // nil: the report is no version

	TieOut    TieOut
	Totals    Balance
	WarnAt    string // percent
	DisputeAt string
	Findings  []string
	Lacking   []string // those of the findings that forbid a dispute
	OfCarrier []string // what the carrier should know of its own data
	Steps     []Step   // from Microsoft's time to the carrier's
	Classes   []Class
	Days      []Named
	Countries []Named
	Top       []Case
	Listed    int64 // discrepancies in all
	ListedMS  [2]int64
	Inputs    []Input
	Settings  []Setting
	Files     []File
	Columns   []Table
}

// Tally counts records and their durations.
type Tally struct{ Records, MS int64 }

// Balance compares both sides over paired and missing records.
type Balance struct {
	Microsoft, Carrier Tally
	Verdict            string // ok, warning or dispute
}

// DifferenceMS is the carrier's time less Microsoft's.
func (b Balance) DifferenceMS() int64 { return b.Carrier.MS - b.Microsoft.MS }

// Share is a part of Microsoft's time; ok: there is one to divide by.
func (b Balance) Share() (share float64, ok bool) {
	if b.Microsoft.MS == 0 {
		return 0, false
	}
	return float64(b.DifferenceMS()) / float64(b.Microsoft.MS), true
}

// TieOut shows that every row read is in exactly one class.
type TieOut struct {
	Agrees bool
	Sides  []Side
}

// Side is what was read of one side and where it went.
type Side struct {
	Name                     string
	Rows, Accepted, Rejected int64
	Read, Classed            Tally
}

// Step is what a class contributes to the difference.
type Step struct {
	Name, Words string
	Microsoft   int64 // records
	Carrier     int64 // records, with every part of a split call
	MS          int64 // carrier less Microsoft
}

// Class is one verdict on records.
type Class struct {
	Name, Words, Action string
	Microsoft, Carrier  Tally
	Listed              int64 // cases in the list of discrepancies
	Compared            bool  // part of the totals
}

// Named is the balance of a day or a country.
type Named struct {
	Name string
	Balance
}

// Case is a discrepancy with its numbers masked.
type Case struct {
	ID, Class, Words, Action string
	Flags                    string
	Start                    string // UTC
	Caller, Callee           string // masked
	Microsoft, Carrier       int64
	HasMicrosoft, HasCarrier bool
}

// DifferenceMS is what the case contributes: a side that lacks it counts 0.
func (c Case) DifferenceMS() int64 { return c.Carrier - c.Microsoft }

// Input is a file that was read.
type Input struct {
	Side, Name, SHA256, Format string
	Bytes                      int64
	Rows, FileRows             int64 // FileRows -1: Rows are all
	Accepted, Rejected         int64
	Filtered                   int64
	MS                         int64
	Integrity                  string
	Notes                      []string
}

// Setting is something that decided the figures.
type Setting struct{ Name, Value, Words string }

// File is a file of the report.
type File struct{ Name, Words string }

// Table is a list in the report's files.
type Table struct {
	Name    string
	Columns []Column
}

// Column is a column of one.
type Column struct{ Name, Words string }

// Version says what a report changes about the one before.
type Version struct {
	Number, Supersedes      int // Supersedes 0: the first
	Opened, Changed, Closed int64
	Before, Now             Balance
	Added, Removed          []string // inputs
	Settings                []Changed
}

// Changed is a setting with another value than before.
type Changed struct{ Name, Before, Now string }
