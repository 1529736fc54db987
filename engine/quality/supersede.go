package quality

import "iter"

// Key names a stream whatever the version.
type Key struct{ CallRecordID, StreamID string }

// Key returns the row's key.
func (r *Row) Key() Key { return Key{r.CallRecordID, r.StreamID} }

// Verdict says what a row that is received means for the one that is there.
type Verdict uint8

// Verdicts.
const (
	Newer   Verdict = iota // a higher version: it counts from now on
	Older                  // a lower version, received late: it does not count
	Repeat                 // the same once more: nothing changes
	Altered                // the same version with other content: it counts, and is flagged
)

// String returns newer, older, repeat or altered.
func (v Verdict) String() string {
	return [...]string{"newer", "older", "repeat", "altered"}[v]
}

// Counts reports whether the received row takes the place of the other.
func (v Verdict) Counts() bool { return v == Newer || v == Altered }

// Supersede compares a row that is received now with the one of the same key
// that counted until now. The highest version counts, in whatever order they
// come. Microsoft promises a new version for new content; when it breaks that,
// what was received later counts, because it is what Microsoft says today, and
// the row is to be flagged, because one of the two was wrong.
func Supersede(now, received *Row) Verdict {
	switch {
	case received.Version > now.Version:
		return Newer
	case received.Version < now.Version:
		return Older
	case *received == *now:
		return Repeat
	}
	return Altered
}

// Latest returns the rows that count, each where its key was met first, and
// how many rows were flagged as altered. It holds them all in memory.
func Latest(rows iter.Seq[Row]) (latest []Row, altered int) {
	at := map[Key]int{}
	for r := range rows {
		i, known := at[r.Key()]
		if !known {
			at[r.Key()] = len(latest)
			latest = append(latest, r)
			continue
		}
		v := Supersede(&latest[i], &r)
		if v == Altered {
			altered++
		}
		if v.Counts() {
			latest[i] = r
		}
	}
	return latest, altered
}
