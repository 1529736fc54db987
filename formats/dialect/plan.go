package dialect

import (
	"slices"
	"time"

	"concord/engine"
)

// A Plan is a profile compiled against the columns of one file. Details,
// Carrier and the typed columns are set before the first Decoder is made;
// from then on a Plan is not changed and may be shared.
type Plan struct {
	// Carrier is given to records that name none.
	Carrier string

	details bool
	side    engine.Side
	profile *Profile
	columns []int    // indexes into the file's columns
	names   []string // of columns
	unknown []string
	steps   []step
	filters []filter
	typed   []TypedTime // by field
}

// step fills one canonical field.
type step struct {
	field Field
	kind  Kind
	expr  *expr
	from  []int // indexes into Decode's fields; empty for a constant
	or    int   // -1: none
	nulls []string
}

// filter is a condition on one of Decode's fields.
type filter struct {
	at     int
	values []string
	except bool
}

// TypedTime says that a column holds times and not their text, as Parquet
// columns may, so that its layout does not apply.
type TypedTime uint8

// What Decode is given for a column of typed times.
const (
	NotTyped     TypedTime = iota
	TypedInstant           // RFC 3339 with an offset or Z
	TypedLocal             // 2006-01-02T15:04:05.999999, read in the zone of the profile
)

// Use is one canonical field that a column takes part in.
type Use struct {
	Field Field
	Kind  Kind
	// Canonical says that the column holds exactly the canonical field: a
	// typed value may be stored as it is. Times are instants, durations are
	// milliseconds, and numbers are read by engine.ParseNumber.
	Canonical bool
	// Zone is where times without an offset are local; nil when not given.
	Zone *time.Location
}

// Spec describes one column that a plan reads.
type Spec struct {
	Column int    // index into the columns given to Bind
	Name   string // of the column
	Uses   []Use  // empty for a column that only a row filter reads
}

// Columns returns the indexes of the columns that the plan reads. The fields
// of Decode are in this order.
func (pl *Plan) Columns() []int { return pl.columns }

// Unknown returns the columns of the file that nobody asked for, in file
// order.
func (pl *Plan) Unknown() []string { return pl.unknown }

// SetTyped says that field i of Decode comes from a column of typed times.
func (pl *Plan) SetTyped(i int, t TypedTime) { pl.typed[i] = t }

// Plain reports whether every column is one canonical field as it is, and
// there is nothing else: no field made otherwise, no row left out.
func (pl *Plan) Plain() bool {
	return len(pl.filters) == 0 && len(pl.steps) == len(pl.columns) &&
		!slices.ContainsFunc(pl.Specs(), func(s Spec) bool { return len(s.Uses) != 1 || !s.Uses[0].Canonical })
}

// Specs describes the columns of Columns, in the same order.
func (pl *Plan) Specs() []Spec {
	specs := make([]Spec, len(pl.columns))
	for i, col := range pl.columns {
		specs[i] = Spec{Column: col, Name: pl.names[i], Uses: pl.uses(i)}
	}
	return specs
}

// uses lists the fields that read field i of Decode.
func (pl *Plan) uses(i int) []Use {
	var uses []Use
	for _, s := range pl.steps {
		if s.reads(i) {
			uses = append(uses, Use{Field: s.field, Kind: s.kind, Zone: pl.zoneOf(s.expr), Canonical: pl.canonical(&s)})
		}
	}
	return uses
}

// zoneOf returns the zone in which times of the expression are local.
func (pl *Plan) zoneOf(e *expr) *time.Location {
	if e.zone != nil {
		return e.zone
	}
	return pl.profile.zone
}

// canonical reports whether a step takes its column as it is.
func (pl *Plan) canonical(s *step) bool {
	if !s.expr.plain() || len(s.nulls) > 0 {
		return false
	}
	switch s.kind {
	case KindNumber:
		return pl.profile.numbers.canonical()
	case KindDuration:
		return s.expr.unit == unitMS
	case KindTime:
		return len(s.expr.layouts) == 1 && s.expr.layouts[0] == layoutRFC3339
	}
	return true
}

// reads reports whether the step reads field i of Decode.
func (s *step) reads(i int) bool {
	for _, at := range s.from {
		if at == i {
			return true
		}
	}
	return s.or == i
}
