package report

import (
	"errors"
	"fmt"

	"concord/engine"
)

// ErrTieOut says that the figures of a run contradict each other. It is never
// the fault of an input, and nothing is published.
var ErrTieOut = errors.New("the figures of this run do not tie out, so no report was written; please report this with the versions and settings used")

// TieOut checks that every row read was accepted or rejected and that each
// side's classes add up to what was read, in records and in milliseconds.
func TieOut(s *engine.Summary) error {
	var errs []error
	for side := range s.Files {
		for i, f := range s.Files[side] {
			if f.Rows != f.Accepted+f.Rejected {
				errs = append(errs, fmt.Errorf("%s file %d: %d rows, but %d accepted and %d rejected",
					engine.Side(side), i+1, f.Rows, f.Accepted, f.Rejected))
			}
		}
		read, classed := sideTotals(s, engine.Side(side))
		if read != classed {
			errs = append(errs, fmt.Errorf("%s: read %d records and %d ms, but the classes hold %d records and %d ms",
				engine.Side(side), read.Records, read.MS, classed.Records, classed.MS))
		}
	}
	errs = append(errs, tieTotals(s)...)
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrTieOut, errors.Join(errs...))
}

// tieTotals checks that the totals are what the classes of paired and missing
// records come to, and the days, and the countries.
func tieTotals(s *engine.Summary) (errs []error) {
	for _, x := range []struct {
		what string
		of   []engine.Named
	}{{"classes", comparedClasses(s)}, {"days", s.Days}, {"countries", s.Countries}} {
		var m, k int64
		for _, n := range x.of {
			m += n.Microsoft.MS
			k += n.Carrier.MS
		}
		if m != s.Totals.Microsoft.MS || k != s.Totals.Carrier.MS {
			errs = append(errs, fmt.Errorf("the totals are %d and %d ms, but the %s hold %d and %d ms",
				s.Totals.Microsoft.MS, s.Totals.Carrier.MS, x.what, m, k))
		}
	}
	return errs
}

// compared reports whether the totals compare records of the class.
func compared(c engine.Class) bool {
	return c.Paired() || c == engine.MissingAtCarrier || c == engine.MissingAtMicrosoft
}

func comparedClasses(s *engine.Summary) (list []engine.Named) {
	for i := range engine.NumClasses {
		if compared(engine.Class(i)) {
			list = append(list, engine.Named{Balance: engine.Balance{Microsoft: s.Classes[engine.Microsoft][i], Carrier: s.Classes[engine.Carrier][i]}})
		}
	}
	return list
}

// tieInputs checks that the files hold as many rows as were read of them.
func tieInputs(s *engine.Summary, inputs [2][]Input) error {
	for side := range inputs {
		if len(inputs[side]) != len(s.Files[side]) {
			return sameCount(engine.Side(side).String()+" files", int64(len(inputs[side])), int64(len(s.Files[side])))
		}
		for i, in := range inputs[side] {
			f := s.Files[side][i]
			if err := sameCount("rows of "+in.Name, in.Rows, f.Accepted+f.Rejected+in.Filtered); err != nil {
				return err
			}
		}
	}
	return nil
}

// sideTotals returns what was read of a side and what its classes hold.
func sideTotals(s *engine.Summary, side engine.Side) (read, classed engine.Tally) {
	for _, f := range s.Files[side] {
		read.Records += f.Accepted + f.Rejected
		read.MS += f.MS
	}
	for _, c := range s.Classes[side] {
		classed.Records += c.Records
		classed.MS += c.MS
	}
	return read, classed
}

func rejectedRows(s *engine.Summary) (n int64) {
	for _, side := range s.Files {
		for _, f := range side {
			n += f.Rejected
		}
	}
	return n
}

func allRows(s *engine.Summary) (n int64) {
	for _, side := range s.Files {
		for _, f := range side {
			n += f.Accepted + f.Rejected
		}
	}
	return n
}

// sameListed checks that the rows of discrepancies are those that were
// counted.
func sameListed(listed, counted [engine.NumClasses]int64) error {
	for c := range listed {
		if err := sameCount("discrepancies of class "+engine.Class(c).String(), listed[c], counted[c]); err != nil {
			return err
		}
	}
	return nil
}

func sameCount(what string, listed, counted int64) error {
	if listed == counted {
		return nil
	}
	return fmt.Errorf("%w: %s: %d listed, %d counted", ErrTieOut, what, listed, counted)
}
