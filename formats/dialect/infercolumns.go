package dialect

import (
	"slices"
	"strings"
)

// inference is what a sample seems to say.
type inference struct {
	*sample
	names    []string
	column   map[string]int    // field -> index of its column
	layouts  map[string]string // field -> its layout
	unit     string
	comma    bool
	minus    bool // the duration is end - start
	dateTime bool // the start is two columns, date and time
	country  string
	national string
	intl     []string
	bare     string
	trailer  *Trailer
}

// inferredFields lists the fields that are looked for, in the order in which
// they are written.
func inferredFields() []string {
	return []string{
		"record_id", "correlation_id", "tenant_id", "direction", "call_type", "caller", "callee", "start", "date", "time", "end",
		"duration", "cause", "revision", "charge", "currency",
	}
}

func infer(s *sample) *inference {
	in := &inference{sample: s, column: make(map[string]int), layouts: make(map[string]string)}
	in.nameColumns()
	in.byName()
	in.findTimes()
	in.findNumbers()
	in.findDuration()
	in.findUnit()
	in.findWords()
	in.numberStyle()
	in.findTrailer()
	return in
}

// nameColumns gives columns without a name one of their own.
func (in *inference) nameColumns() {
	if in.names = in.header; in.names != nil {
		return
	}
	for i := range in.rows[0] {
		in.names = append(in.names, "col"+itoa(i+1))
	}
}

// byName takes columns by what they are called.
func (in *inference) byName() {
	also := make(map[string][]string)
	for i, name := range in.header {
		field := fieldByName(name)
		at, taken := in.column[field]
		switch {
		case field == "":
		case !taken:
			in.column[field] = i
		case field == "duration" && billed(name) && !billed(in.names[at]):
			also[field] = append(also[field], in.names[at])
			in.column[field] = i
		default:
			also[field] = append(also[field], name)
		}
	}
	for _, field := range inferredFields() {
		if len(also[field]) > 0 {
			in.doubt("columns.%s: %q was taken, but %s could be it, too", field, in.names[in.column[field]], quoteList(also[field]))
		}
	}
	for i, name := range in.header {
		if strings.TrimSpace(name) == "" {
			in.doubt("column %d has no name", i+1)
		}
	}
}

func billed(name string) bool { return strings.Contains(strings.ToLower(name), "bill") }

// values returns what a column holds, less what is empty.
func (in *inference) values(at int) []string {
	var out []string
	for _, r := range in.rows {
		if r[at] != "" {
			out = append(out, r[at])
		}
	}
	return out
}

// free reports whether no field is in a column.
func (in *inference) free(at int) bool {
	for _, c := range in.column {
		if c == at {
			return false
		}
	}
	return true
}

// findTimes settles where the start and the end are, and their layouts.
func (in *inference) findTimes() {
	in.halves()
	if _, ok := in.column["start"]; !ok && !in.dateTime {
		in.timesByContent()
	}
	for _, field := range []string{"start", "end"} {
		at, ok := in.column[field]
		if !ok || field == "start" && in.dateTime {
			continue
		}
		if l := in.settle(field, in.values(at)); l != "" {
			in.layouts[field] = l
		} else {
			in.unknownLayout(field, at)
		}
	}
}

// unknownLayout leaves out an end that cannot be read. A start has to be
// there: a person must write its layout.
func (in *inference) unknownLayout(field string, at int) {
	if field == "end" {
		delete(in.column, "end")
		in.doubt("columns.end: the layout of %q is not known, so it was left out", in.names[at])
		return
	}
	in.layouts[field] = layoutRFC3339
	in.doubt("columns.start.layout: the layout of %q is not known; write it in place of rfc3339", in.names[at])
}

// halves takes a date and a time of day for the start.
func (in *inference) halves() {
	d, okDate := in.column["date"]
	t, okTime := in.column["time"]
	_, okStart := in.column["start"]
	delete(in.column, "date")
	delete(in.column, "time")
	switch {
	case okStart:
	case okDate && okTime:
		var both []string
		for _, r := range in.rows {
			if r[d] != "" && r[t] != "" {
				both = append(both, r[d]+" "+r[t])
			}
		}
		if l := in.settle("start", both); l != "" {
			in.column["date"], in.column["time"] = d, t
			in.dateTime, in.layouts["start"] = true, l
		}
	case okDate:
		in.column["start"] = d
	case okTime:
		in.column["start"] = t
	}
}

// timesByContent takes the first column of times for the start, and the last
// of the same layout for the end.
func (in *inference) timesByContent() {
	var found []int
	layout := ""
	for i := range in.names {
		v := in.values(i)
		if !in.free(i) || len(v) == 0 || !plausibleTimes(v) {
			continue
		}
		if l := layoutsOf(v)[0]; layout == "" || l == layout {
			found, layout = append(found, i), l
		}
	}
	if len(found) == 0 {
		return
	}
	in.column["start"] = found[0]
	in.doubt("columns.start: %q was taken because it holds times", in.names[found[0]])
	if _, ok := in.column["end"]; !ok && len(found) > 1 {
		last := found[len(found)-1]
		in.column["end"] = last
		in.doubt("columns.end: %q was taken because it holds times, too", in.names[last])
	}
}

// plausibleTimes reports whether values are times of our days: digits that
// could be a telephone number are not enough.
func plausibleTimes(values []string) bool {
	fit := layoutsOf(values)
	if len(fit) == 0 {
		return false
	}
	r := newTimeReader(fit[:1], utc())
	for _, v := range values {
		us, _, reason := r.read([]byte(v))
		if reason == "" && (us < 946684800_000000 || us > 2208988800_000000) {
			return false
		}
	}
	return true
}

// settle picks the layout of values and says what is unsure about it.
func (in *inference) settle(field string, values []string) string {
	if len(values) == 0 {
		in.doubt("columns.%s.layout: the sample has no times, so rfc3339 is only a guess", field)
		return layoutRFC3339
	}
	fit := layoutsOf(values)
	if len(fit) == 0 {
		return ""
	}
	if n := len(values) - countRead(fit[0], values, 0); n > 0 {
		in.doubt("columns.%s.layout: %d of %d times of the sample are of another layout than %q", field, n, len(values), fit[0])
	}
	if other := rivals(fit, values); len(other) > 0 {
		in.doubt("columns.%s.layout: %q was taken, but %s reads the sample as well (day and month cannot be told apart); ask the carrier",
			field, fit[0], quoteList(other))
	}
	if c := compileLayout(fit[0]); !c.offset && !c.isEpoch() {
		in.doubt("columns.%s.zone: the times say no offset; UTC was written, ask the carrier where its clock hangs", field)
	}
	return fit[0]
}

// findNumbers takes the first two columns of telephone numbers for the caller
// and the callee when their names do not tell.
func (in *inference) findNumbers() {
	for _, field := range []string{"caller", "callee"} {
		if _, ok := in.column[field]; ok {
			continue
		}
		for i := range in.names {
			if in.free(i) && looksLikeNumbers(in.values(i)) {
				in.column[field] = i
				in.doubt("columns.%s: %q was taken because it holds telephone numbers", field, in.names[i])
				break
			}
		}
		if _, ok := in.column[field]; !ok {
			in.doubt("columns.%s: no column looks like it; without numbers only ids can match", field)
		}
	}
}

func looksLikeNumbers(values []string) bool {
	good := 0
	for _, v := range values {
		digits, _, ok := compact(v, false)
		if ok && len(digits) >= 7 && len(digits) <= 17 && !strings.ContainsAny(v, ".:") {
			good++
		}
	}
	return good > 0 && good*10 >= len(values)*6 && !plausibleTimes(values)
}

// findDuration takes a column of small numbers when no name tells.
func (in *inference) findDuration() {
	if _, ok := in.column["duration"]; ok {
		return
	}
	for i := range in.names {
		if in.free(i) && looksLikeDurations(in.values(i)) {
			in.column["duration"] = i
			in.doubt("columns.duration: %q was taken because it holds small numbers that vary", in.names[i])
			return
		}
	}
	if _, ok := in.column["end"]; ok {
		in.minus = true
		in.doubt("columns.duration: no column looks like it, so it is computed from end and start")
	}
}

func looksLikeDurations(values []string) bool {
	var distinct []string
	for _, v := range values {
		whole := strings.Trim(v, "0123456789:") == ""
		if !whole || len(v) > 8 {
			return false
		}
		if !slices.Contains(distinct, v) && len(distinct) < 3 {
			distinct = append(distinct, v)
		}
	}
	return len(distinct) == 3
}
