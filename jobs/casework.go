package jobs

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"
)

// CaseState is how far people are with a case.
type CaseState string

// States of a case.
const (
	CaseOpen     CaseState = "open"     // nobody has decided yet
	CaseDisputed CaseState = "disputed" // the other side was told that it is wrong
	CaseAccepted CaseState = "accepted" // the difference is put up with
	CaseResolved CaseState = "resolved" // it is settled, or no discrepancy any more
)

// CaseStates are all of them.
var CaseStates = []CaseState{CaseOpen, CaseDisputed, CaseAccepted, CaseResolved}

// From are the states from which a person may take a case to this one. What was
// decided is taken back before something else is decided.
func (s CaseState) From() []CaseState {
	switch s {
	case CaseOpen:
		return []CaseState{CaseDisputed, CaseAccepted, CaseResolved}
	case CaseDisputed:
		return []CaseState{CaseOpen}
	case CaseAccepted, CaseResolved:
		return []CaseState{CaseOpen, CaseDisputed}
	}
	return nil
}

// May reports whether a person may take a case from one state to another.
func (s CaseState) May(to CaseState) bool { return slices.Contains(to.From(), s) }

// CaseFacts are what a version says of a case. Durations of a side that has
// no call are 0, and so is the difference then.
type CaseFacts struct {
	CaseID      string
	Class       string
	Start       time.Time // Microsoft's, else the carrier's; zero: it has none
	MicrosoftMS int64
	CarrierMS   int64
	DiffMS      int64 // carrier less Microsoft, of a case that both have
}

// says reports whether two versions say the same of a case. When it began
// decides nothing.
func (f *CaseFacts) says(g *CaseFacts) bool {
	return f.Class == g.Class && f.MicrosoftMS == g.MicrosoftMS && f.CarrierMS == g.CarrierMS
}

// CaseNews is what became of a case in one version; of a closed one the facts
// are those of before.
type CaseNews struct {
	CaseFacts
	Event string // opened, changed or closed
}

// Case is one discrepancy of a carrier's period and what people have made of it.
type Case struct {
	Carrier string
	Period  Period
	CaseFacts
	Present  bool      // it is in the newest version
	Since    time.Time // when the version was published in which it opened last
	State    CaseState
	Owner    string
	Revision int64     // counts every change of it, from 1
	Changed  time.Time // when somebody last worked on it, or a version changed its state
	Worked   bool      // somebody has worked on it, or a version changed its state
}

// Follow is what becomes of a case in a version that was published at a time. What
// was decided holds as long as the version says the same: a case that is
// closed is resolved unless it was accepted, and one that changes or comes back
// is open again unless it is disputed, or was accepted just as it is.
func (c Case) Follow(n *CaseNews, published time.Time) Case {
	came, same := !c.Present, c.says(&n.CaseFacts)
	c.Present = n.Event != "closed"
	c.Revision++
	switch {
	case !c.Present:
		if c.State == CaseOpen || c.State == CaseDisputed {
			c.State = CaseResolved
		}
		return c
	case came && c.State == CaseResolved, !same && (c.State == CaseAccepted || c.State == CaseResolved):
		c.State = CaseOpen
	}
	if came {
		c.Since = published
	}
	c.CaseFacts = n.CaseFacts
	return c
}

// CasesFilter selects cases; a zero field selects all.
type CasesFilter struct {
	Carrier  string
	Period   string    // as it was asked for, such as 2026-10, or its Edges
	From, To time.Time // of periods that have a part in [From, To)
	Classes  []string
	States   []CaseState
	Cases    []string // ids
	Owner    string
	Unowned  bool      // only those of nobody
	Before   time.Time // only those that have been open since before
	Gone     bool      // also those that the newest version has no more
	After    string    // cursor of a list: what comes behind it
	Limit    int       // 0: all
}

// Here reports whether only cases of the newest versions are meant. Who names
// cases means them wherever they are.
func (f *CasesFilter) Here() bool { return !f.Gone && len(f.Cases) == 0 }

// CaseSums count cases and add them up.
type CaseSums struct {
	Cases        int64 `json:"cases"`
	MicrosoftMS  int64 `json:"microsoft_ms"`
	CarrierMS    int64 `json:"carrier_ms"`
	DifferenceMS int64 `json:"difference_ms"` // of those that both sides have
}

// Add adds one case.
func (s *CaseSums) Add(f *CaseFacts) {
	s.Cases++
	s.MicrosoftMS += f.MicrosoftMS
	s.CarrierMS += f.CarrierMS
	s.DifferenceMS += f.DiffMS
}

// CaseWork is what somebody does to the cases that a filter selects: all of it
// or nothing.
type CaseWork struct {
	ID       string // a UUID, version 7
	By       string
	Key      string // of who does it: the same again does nothing again; empty: none
	Filter   CasesFilter
	To       CaseState // empty: it stays what it is
	Owner    *string   // nil: it stays who it is; "": nobody
	Comment  string
	Revision int64  // of the one case that is meant, as it was seen; 0: whatever it is
	Expect   *int64 // how many cases must be changed by it; nil: however many
	DryRun   bool
}

// CaseWorkDone is what came of it.
type CaseWorkDone struct {
	ID       string // empty: nothing was done
	Matched  int64  // cases that the filter selects
	Applied  CaseSums
	Repeated bool // it was done before, and not again
}

// CaseNote is one entry in the trail of a case.
type CaseNote struct {
	Seq           int64 // the order of what happened
	At            time.Time
	By            string // empty: a version did it
	Action        string // the id of the work; of a version its own
	Before, After CaseState
	Owner         *string
	Comment       string
	Version       int // that did it; 0: a person
}

// CaseAge counts the cases of one state by how long they have been open.
type CaseAge struct {
	State  CaseState
	Bucket int // index of the first bound before which it opened last; the number of bounds: before none
	CaseSums
}

// Answers about case work.
var (
	ErrNoCase    = errors.New("there is no such case")
	ErrStale     = errors.New("somebody has changed the case meanwhile")
	ErrAmbiguous = errors.New("the case is in several periods")
	ErrExpected  = errors.New("the filter selects another number of cases by now")
)

// CaseBook remembers the cases of the newest versions, and what people make of
// them. It learns of a version when it is told, one after the other.
type CaseBook interface {
	// Unregistered returns the versions that the book has still to be told
	// of, a period's in their order: of a period that it does not know the
	// newest one, which whole says, and else each that came after.
	Unregistered(ctx context.Context, carrier string) (list []Report, whole []bool, err error)
	// Register tells it what a version says: of the first one all of its
	// cases as opened, else what became of them. news may be called again, and
	// says the same in the same order, each case once; in that of the ids it is
	// quickest. Others may write meanwhile. Of a first version nothing is to be
	// seen before all is there; what a later one changes goes on, when it was
	// broken off, where it stopped. A second time nothing happens; nor does it
	// when whole is of a period that the book has come to know meanwhile:
	// Unregistered has the version once more then. It fails as long as an erasure
	// makes the version again.
	Register(ctx context.Context, r Report, whole bool, news func() iter.Seq2[CaseNews, error], now time.Time) error
	// ListCases lists cases, those of periods that came last first; next is
	// the cursor to go on from, empty at the end.
	ListCases(ctx context.Context, f CasesFilter) (list []Case, next string, err error)
	// CaseTrail returns what happened to a case, the oldest first; ErrNoCase,
	// ErrAmbiguous.
	CaseTrail(ctx context.Context, f CasesFilter) (Case, []CaseNote, error)
	// WorkOnCases does it, and says how much that was. It returns ErrStale,
	// ErrExpected, ErrAmbiguous and ErrNoCase, and ErrKey when the key stands
	// for other work; then nothing was done. A case that may not go to the
	// state, or is in it, is left as it is.
	WorkOnCases(ctx context.Context, w CaseWork, now time.Time) (CaseWorkDone, error)
	// AgeCases counts by state and age; bounds are instants, the latest first.
	AgeCases(ctx context.Context, f CasesFilter, bounds []time.Time) ([]CaseAge, error)
	// RenameCases gives cases of a period other ids, as an erasure does; what is
	// being registered of it is begun again.
	RenameCases(ctx context.Context, carrier string, p Period, ids map[string]string) error
}
