package engine

// Class is the verdict on a record. Every record ends in exactly one.
type Class uint8

// The classes of MATCHING.md section 5, in the order in which reports list
// them, and OutsidePeriod for what belongs to a neighbouring run.
const (
	AnswerConflict Class = iota
	DurationOver
	DurationUnder
	NumberMismatch
	TimeMismatch
	NotIndependent
	MatchedSplit
	MatchedRounding
	Matched
	Invalid
	Duplicate
	ConflictingDuplicate
	Superseded
	UnansweredOneSided
	PendingLate
	MissingAtCarrier
	MissingAtMicrosoft
	OutsidePeriod
	NumClasses = int(iota)
)

type classInfo struct {
	name, action        string
	paired, discrepancy bool
}

var classes = [NumClasses]classInfo{
	AnswerConflict:       {"answer_conflict", "carrier and ops check the answer signal", true, true},
	DurationOver:         {"duration_over", "finance disputes", true, true},
	DurationUnder:        {"duration_under", "carrier fixes", true, true},
	NumberMismatch:       {"number_mismatch", "carrier fixes", true, true},
	TimeMismatch:         {"time_mismatch", "carrier fixes", true, true},
	NotIndependent:       {"not_independent", "nobody", true, false},
	MatchedSplit:         {"matched_split", "nobody", true, false},
	MatchedRounding:      {"matched_rounding", "nobody", true, false},
	Matched:              {"matched", "nobody", true, false},
	Invalid:              {"invalid", "carrier fixes", false, true},
	Duplicate:            {"duplicate", "nobody", false, true},
	ConflictingDuplicate: {"conflicting_duplicate", "carrier fixes", false, true},
	Superseded:           {"superseded", "nobody", false, false},
	UnansweredOneSided:   {"unanswered_one_sided", "nobody", false, false},
	PendingLate:          {"pending_late", "nobody yet", false, false},
	MissingAtCarrier:     {"missing_at_carrier", "carrier fixes", false, true},
	MissingAtMicrosoft:   {"missing_at_microsoft", "finance disputes", false, true},
	OutsidePeriod:        {"outside_period", "nobody", false, false},
}

// String returns the name used in reports.
func (c Class) String() string { return classes[c].name }

// Action says who acts on a case of the class.
func (c Class) Action() string { return classes[c].action }

// Paired reports whether records of the class have a partner.
func (c Class) Paired() bool { return classes[c].paired }

// Discrepancy reports whether a case of the class is listed as one.
func (c Class) Discrepancy() bool { return classes[c].discrepancy }

// repeat reports whether a record of the class says once more what another one
// says.
func (c Class) repeat() bool {
	return c == Duplicate || c == ConflictingDuplicate || c == Superseded
}

// Pass says which pass paired a record.
type Pass uint8

// The passes of MATCHING.md section 3.
const (
	PassNone Pass = iota
	PassID
	PassNumbers
	PassSplit
	PassOneNumber
)

// String returns the name used in reports.
func (p Pass) String() string {
	return [...]string{"none", "id", "numbers", "split", "one_number"}[p]
}

// Flags say more of a case than its class.
type Flags uint8

// Flags of a case.
const (
	CutOff           Flags = 1 << iota // the two sides see the call on different sides of the period's edge
	TimeDiffers                        // |dt| is more than the start tolerance
	NumberDiffers                      // a number known on both sides differs
	Swapped                            // caller and callee are exchanged
	ClockUntrusted                     // a local time was ambiguous or does not exist
	UnassignedNumber                   // the number was not assigned to the carrier at that time
)

var flagNames = [...]string{"cut_off", "time_differs", "number_differs", "swapped", "clock_untrusted", "unassigned_number"}

// String returns the names of the flags, joined by spaces.
func (f Flags) String() string {
	var s string
	for i, name := range flagNames {
		if f&(1<<i) == 0 {
			continue
		}
		if s != "" {
			s += " "
		}
		s += name
	}
	return s
}
