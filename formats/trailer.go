package formats

import (
	"errors"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// checkTrailer compares the control totals of the file, when it has some, with
// what was read.
func (r *csvReader) checkTrailer() error {
	if r.job.opts.Profile == nil || r.job.opts.Profile.Trailer.Prefix == "" {
		return nil
	}
	t, lines := r.job.opts.Profile.Trailer, r.scan.Trailers()
	switch len(lines) {
	case 0:
		r.state = TrailerMissing
		return nil
	case 1:
	default:
		r.state = TrailerDisagrees
		return r.job.errorf("ask for one file each", "it has more than one trailer line: two files in one")
	}
	fields := strings.Split(lines[0], string(r.comma))
	err := errors.Join(incomplete(r.checkCount(fields, t.Count)), incomplete(r.checkSeconds(fields, t.Seconds)))
	if err != nil {
		r.state = TrailerDisagrees
		return err
	}
	r.state, r.good = TrailerAgrees, t.Count > 0
	return nil
}

const askAgain = "ask for it to be sent again"

// checkCount compares the number of rows; rejected ones were sent, too.
func (r *csvReader) checkCount(fields []string, at int) error {
	if at == 0 {
		return nil
	}
	text, err := r.trailerField(fields, at)
	if err != nil {
		return err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return r.job.errorf("", "the trailer's number of rows, field %d, is not a number", at)
	}
	if rows := r.scan.Counts().Rows; n != rows {
		return r.job.errorf(askAgain, "the trailer says %d rows, the file has %d", n, rows)
	}
	return nil
}

// checkSeconds compares the sum of the durations. A row that was not read has
// no duration, so that the sum says nothing when there is one.
func (r *csvReader) checkSeconds(fields []string, at int) error {
	if at == 0 {
		return nil
	}
	text, err := r.trailerField(fields, at)
	if err != nil {
		return err
	}
	s, err := decimal.NewFromString(strings.Replace(text, ",", ".", 1))
	if err != nil || len(text) > 30 {
		return r.job.errorf("", "the trailer's sum of seconds, field %d, is not a number", at)
	}
	if r.tally.rejected+r.tally.filtered > 0 {
		r.notes = append(r.notes, "the trailer's seconds were not compared: some rows were rejected or left out")
		return nil
	}
	ms := decimal.NewFromInt(r.tally.ms)
	if diff := ms.Sub(s.Shift(3)).Abs(); diff.GreaterThanOrEqual(decimal.NewFromInt(1000)) {
		return r.job.errorf(askAgain, "the trailer says %s seconds, the rows add up to %s", s, ms.Shift(-3))
	}
	return nil
}

func (r *csvReader) trailerField(fields []string, at int) (string, error) {
	if at > len(fields) {
		return "", r.job.errorf("correct trailer in the profile", "the trailer has %d fields, not %d", len(fields), at)
	}
	return strings.Trim(strings.TrimSpace(fields[at-1]), `"`), nil
}
