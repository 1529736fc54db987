package engine

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Rules are the settings of a run. DefaultRules returns the defaults of
// MATCHING.md; the zero value of a tolerance is a tolerance of zero.
type Rules struct {
	// AutoOffset lets the run measure the carrier's clock; else ClockOffset
	// is taken off the carrier's start times.
	AutoOffset  bool
	ClockOffset time.Duration

	StartTolerance    time.Duration
	IDWindow          time.Duration
	SplitGap          time.Duration
	DurationTolerance time.Duration
	Rounding          Rounding
	LateWindow        time.Duration
	Margin            time.Duration

	// WarnAt and DisputeAt are shares of Microsoft's minutes, in parts per
	// million: 5000 is 0.5 %.
	WarnAt    int64
	DisputeAt int64

	// Zone is the zone of the period and of the days in reports; nil is UTC.
	Zone *time.Location
}

// DefaultRules returns the defaults of MATCHING.md.
func DefaultRules() Rules {
	return Rules{
		AutoOffset:        true,
		StartTolerance:    5 * time.Second,
		IDWindow:          24 * time.Hour,
		SplitGap:          2 * time.Second,
		DurationTolerance: 2 * time.Second,
		LateWindow:        72 * time.Hour,
		Margin:            time.Hour,
		WarnAt:            5000,
		DisputeAt:         10000,
		Zone:              time.UTC,
	}
}

// Validate reports every setting that makes no sense, by its name in a
// profile.
func (r Rules) Validate() error {
	var errs []error
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"start_tolerance", r.StartTolerance},
		{"id_window", r.IDWindow},
		{"split_gap", r.SplitGap},
		{"duration_tolerance", r.DurationTolerance},
		{"late_window", r.LateWindow},
		{"margin", r.Margin},
	} {
		if d.d < 0 {
			errs = append(errs, fmt.Errorf("%s: must not be negative", d.name))
		}
		if d.d > maxSetting {
			errs = append(errs, fmt.Errorf("%s: must be at most %d days", d.name, maxSetting/(24*time.Hour)))
		}
	}
	if r.ClockOffset < -maxSetting || r.ClockOffset > maxSetting {
		errs = append(errs, fmt.Errorf("clock_offset: must be within %d days", maxSetting/(24*time.Hour)))
	}
	if r.DurationTolerance%time.Millisecond != 0 {
		errs = append(errs, errors.New("duration_tolerance: must be whole milliseconds"))
	}
	for _, d := range []struct {
		name string
		d    time.Duration
	}{{"start_tolerance", r.StartTolerance}, {"id_window", r.IDWindow}, {"split_gap", r.SplitGap}, {"clock_offset", r.ClockOffset}} {
		if d.d%time.Microsecond != 0 {
			errs = append(errs, fmt.Errorf("%s: must be whole microseconds", d.name))
		}
	}
	if r.WarnAt < 0 || r.DisputeAt < r.WarnAt {
		errs = append(errs, errors.New("dispute_at: must not be less than warn_at, nor warn_at less than 0"))
	}
	return errors.Join(append(errs, r.Rounding.validate())...)
}

const maxSetting = 400 * 24 * time.Hour

// Words says how durations were judged, for people.
func (r Rules) Words() string {
	s := "within " + seconds(r.DurationTolerance.Milliseconds()) + " s"
	if r.Rounding.Set() {
		s += " or explained by rounding " + r.Rounding.String()
	}
	return s
}

// seconds writes milliseconds as decimal seconds without trailing zeros.
func seconds(ms int64) string {
	s := strconv.FormatFloat(float64(ms)/1000, 'f', 3, 64)
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
