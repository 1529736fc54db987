package engine

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// RoundingMode says which way a billed duration is rounded.
type RoundingMode uint8

// Rounding modes.
const (
	RoundUp RoundingMode = iota
	RoundNearest
	RoundDown
)

var modeNames = [...]string{"up", "nearest", "down"}

// Rounding is a billing increment: First milliseconds, then steps of Next.
// The zero value is no rounding.
type Rounding struct {
	First, Next int64 // milliseconds
	Mode        RoundingMode
}

// ParseRounding reads "60/60 up", "30/6", "6/6 nearest", "none" or "".
func ParseRounding(s string) (Rounding, error) {
	f := strings.Fields(s)
	if len(f) == 0 || len(f) == 1 && f[0] == "none" {
		return Rounding{}, nil
	}
	bad := fmt.Errorf("%q is no rounding: write first/next seconds and up, nearest or down, such as 60/60 up", s)
	first, next, ok := strings.Cut(f[0], "/")
	if !ok || len(f) > 2 {
		return Rounding{}, bad
	}
	var r Rounding
	var err1, err2 error
	r.First, err1 = wholeSeconds(first)
	r.Next, err2 = wholeSeconds(next)
	if err1 != nil || err2 != nil {
		return Rounding{}, bad
	}
	if len(f) == 2 {
		mode := -1
		for i, name := range modeNames {
			if f[1] == name {
				mode = i
			}
		}
		if mode < 0 {
			return Rounding{}, bad
		}
		r.Mode = RoundingMode(mode)
	}
	return r, nil
}

func wholeSeconds(s string) (int64, error) {
	v, err := strconv.ParseUint(s, 10, 31)
	if err == nil && (v == 0 || v > 86400) {
		err = strconv.ErrRange
	}
	return int64(v) * 1000, err
}

// Set reports whether there is a rule.
func (r Rounding) Set() bool { return r.First > 0 }

// String returns the form that ParseRounding reads.
func (r Rounding) String() string {
	if !r.Set() {
		return "none"
	}
	return seconds(r.First) + "/" + seconds(r.Next) + " " + modeNames[r.Mode]
}

func (r Rounding) validate() error {
	if r.First < 0 || r.Next < 0 || (r.First == 0) != (r.Next == 0) || r.Mode > RoundDown {
		return fmt.Errorf("rounding: first and next must both be more than 0 seconds")
	}
	return nil
}

// Bill returns what the rule bills for x milliseconds.
func (r Rounding) Bill(x int64) int64 {
	switch {
	case x <= 0 || !r.Set():
		return max(x, 0)
	case x <= r.First:
		return r.step(x, r.First)
	case x > math.MaxInt64-r.Next:
		return x
	}
	return r.First + r.step(x-r.First, r.Next)
}

// step rounds x to a multiple of inc.
func (r Rounding) step(x, inc int64) int64 {
	n, rest := x/inc, x%inc
	switch {
	case rest == 0:
	case r.Mode == RoundUp:
		n++
	case r.Mode == RoundNearest && rest >= inc-rest:
		n++
	}
	return n * inc
}

// agreement says whether and why two durations agree.
type agreement uint8

const (
	disagree agreement = iota
	agreeWithin
	agreeRounded
)

// agree compares Microsoft's duration with the carrier's, in milliseconds.
func (r *Rules) agree(m, c int64) agreement {
	tol := r.DurationTolerance.Milliseconds()
	if d := c - m; -tol <= d && d <= tol {
		return agreeWithin
	}
	if r.billed(m, c) {
		return agreeRounded
	}
	return disagree
}

// billed reports whether the agreed rounding makes the carrier's duration of
// Microsoft's.
func (r *Rules) billed(m, c int64) bool {
	tol := r.DurationTolerance.Milliseconds()
	return r.Rounding.Set() && r.Rounding.Bill(c) == c &&
		r.Rounding.Bill(max(m-tol, 0)) <= c && c <= r.Rounding.Bill(m+tol)
}
