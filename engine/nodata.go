package engine

// Empty reports which sides have no record inside the period that could be
// read. Records that wait for a partner are some.
func (s *Summary) Empty() (empty [2]bool) {
	for side := range s.Classes {
		var n int64
		for c := range s.Classes[side] {
			if Class(c) != Invalid && Class(c) != OutsidePeriod {
				n += s.Classes[side][c].Records
			}
		}
		empty[side] = n == 0
	}
	return empty
}

// findEmpty has a person know, before anything else, that there was nothing to
// compare: what a side has not sent shows as no difference, or as one that is
// nobody's fault.
func (res *Result) findEmpty() {
	s := &res.summary
	text := s.emptyWords()
	if text != "" {
		s.Findings = append([]Finding{{Code: "no_data", Text: text}}, s.Findings...)
	}
}

func (s *Summary) emptyWords() string {
	record := "record"
	if !s.From.IsZero() || !s.To.IsZero() {
		record = "record of the period"
	}
	switch s.Empty() {
	case [2]bool{true, true}:
		return "neither side has a " + record + ", so nothing was compared, and no difference does not mean that all is in order: see that the files of both sides have come"
	case [2]bool{Microsoft: true, Carrier: false}:
		return "Microsoft's side has no " + record + ", so nothing was compared: see that Microsoft's files are complete before anything is disputed"
	case [2]bool{Microsoft: false, Carrier: true}:
		return "the carrier's side has no " + record + ", so nothing was compared: see that the carrier's file has come, or says that there is nothing to report, before anything is disputed"
	}
	return ""
}
