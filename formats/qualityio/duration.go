package qualityio

import "time"

// parseISO reads an ISO 8601 duration as Graph writes it, such as PT0.0123456S,
// PT1M2.5S or P1DT2H, exactly down to a nanosecond. Years, months and weeks
// have no fixed or no sensible length here and are refused.
func parseISO(b []byte) (sum time.Duration, ok bool) {
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		b = b[1:]
	}
	if len(b) < 3 || b[0] != 'P' {
		return 0, false
	}
	last, inTime := 0, false
	for b = b[1:]; len(b) > 0; {
		if b[0] == 'T' {
			if inTime || len(b) == 1 {
				return 0, false
			}
			inTime, b = true, b[1:]
			continue
		}
		d, n, rank, ok := isoPart(b, inTime)
		if !ok || rank <= last || sum+d < sum {
			return 0, false
		}
		sum, b, last = sum+d, b[n:], rank
	}
	if negative {
		sum = -sum
	}
	return sum, last > 0
}

// isoPart reads a number and its unit. Ranks are in the order in which units
// must stand.
func isoPart(b []byte, inTime bool) (d time.Duration, n, rank int, ok bool) {
	if b[0] < '0' || b[0] > '9' {
		return 0, 0, 0, false
	}
	for n < len(b) && (b[n] >= '0' && b[n] <= '9' || b[n] == '.' || b[n] == ',') {
		n++
	}
	if n == len(b) {
		return 0, 0, 0, false
	}
	unit := time.Second
	switch mark := b[n]; {
	case mark == 'D' && !inTime:
		rank, unit = 1, 24*time.Hour
	case mark == 'H' && inTime:
		rank, unit = 2, time.Hour
	case mark == 'M' && inTime:
		rank, unit = 3, time.Minute
	case mark == 'S' && inTime:
		rank = 4
	default:
		return 0, 0, 0, false
	}
	fraction := false
	for _, c := range b[:n] {
		fraction = fraction || c == '.' || c == ','
	}
	if fraction && rank != 4 { // would not be exact
		return 0, 0, 0, false
	}
	d, rest, ok := parseUnits(b[:n], unit)
	return d, n + 1, rank, ok && len(rest) == 0
}
