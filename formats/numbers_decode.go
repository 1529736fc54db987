package formats

import (
	"bytes"
	"slices"
	"strings"
	"time"
	"unicode"

	"concord/engine"
	"concord/engine/numbers"
	"concord/formats/dialect"
)

// Why a row of a listing is rejected.
const (
	reasonNumber    = "not a number in E.164"
	reasonControl   = "it holds control characters"
	reasonSIP       = "not a SIP URI"
	reasonInstant   = "not a time in RFC 3339"
	reasonFuture    = "it begins after the listing was made"
	reasonBackwards = "it ends before it begins"
	reasonNoFrom    = "an end needs a beginning, valid_from"
)

// maxFact is the length of the longest text that is kept, in bytes.
const maxFact = 512

// noGUID is how PowerShell writes an id that is not there.
const noGUID = "00000000-0000-0000-0000-000000000000"

// numberDecoder makes assignments of rows.
type numberDecoder struct {
	names    *numberNames
	opts     NumbersOptions
	operator string            // the only one so far, of a file without any that are known
	mixed    bool              // there are several
	texts    map[string]string // short texts that come again and again
	unlisted int64             // rows whose capabilities PowerShell did not write out
	undated  int64             // rows whose acquired_on is no date
}

func newNumberDecoder(names *numberNames, o NumbersOptions) *numberDecoder {
	return &numberDecoder{names: names, opts: o, texts: make(map[string]string)}
}

// decode reads a row, and reports whether it is the carrier's own. A row that
// is somebody else's is not looked at any further.
func (d *numberDecoder) decode(row numberRow, a *numbers.Assignment) (bad *engine.RowError, mine bool) {
	if row.at.Reason != "" {
		return &engine.RowError{Field: row.at.Field, Reason: row.at.Reason}, false
	}
	if !d.owns(row.fields) {
		return nil, false
	}
	raw := d.pick(row.fields, fieldNumber)
	line, reason := lineOf(raw)
	if reason != "" {
		return &engine.RowError{Field: fieldName(fieldNumber), Reason: reason}, true
	}
	a.Line, a.Source = line, d.opts.Source
	if bad := d.facts(row.fields, &a.Facts); bad != nil {
		return bad, true
	}
	return d.interval(row.fields, a), true
}

func (d *numberDecoder) pick(fields [][]byte, field int) []byte { return d.names.pick(fields, field) }

// pick returns the text of a field: that of the first column which has one.
func (n *numberNames) pick(fields [][]byte, field int) []byte {
	for at, f := range n.field {
		if f == field {
			if b := bytes.TrimSpace(fields[at]); len(b) > 0 {
				return b
			}
		}
	}
	return nil
}

// owns reports whether a row is about the carrier.
func (d *numberDecoder) owns(fields [][]byte) bool {
	if c := d.pick(fields, fieldCarrier); len(c) > 0 {
		return d.is(c) || strings.EqualFold(string(c), d.opts.Carrier)
	}
	named := false
	for at, f := range d.names.field {
		if b := bytes.TrimSpace(fields[at]); f == fieldOperator && len(b) > 0 && string(b) != noGUID {
			if d.is(b) {
				return true
			}
			d.meet(string(b), named)
			named = true
		}
	}
	return !d.opts.Shared && (!named || len(d.opts.Operators) == 0)
}

// is reports whether the listing names the carrier.
func (d *numberDecoder) is(b []byte) bool {
	return slices.ContainsFunc(d.opts.Operators, func(o string) bool { return strings.EqualFold(o, string(b)) })
}

// meet notes the operator of a row, its first name, in a file of which nothing
// says who is who: it must be the same in all rows.
func (d *numberDecoder) meet(operator string, named bool) {
	if named || d.opts.Shared || len(d.opts.Operators) > 0 {
		return
	}
	if d.operator == "" {
		d.operator = strings.ToLower(operator)
	}
	d.mixed = d.mixed || !strings.EqualFold(d.operator, operator)
}

// facts reads everything that is said of the line.
func (d *numberDecoder) facts(fields [][]byte, f *numbers.Facts) *engine.RowError {
	for i, to := range f.Fields() {
		b := d.pick(fields, fieldFacts+i)
		if reason := badFact(b); reason != "" {
			return &engine.RowError{Field: fieldName(fieldFacts + i), Reason: reason}
		}
		if string(b) != noGUID {
			*to = d.keep(b)
		}
	}
	for _, word := range []*string{&f.NumberType, &f.ActivationState, &f.AssignmentStatus, &f.TargetType, &f.Usage} {
		*word = lowFirst(*word)
	}
	f.TenantID, f.ISOCountry = strings.ToLower(f.TenantID), strings.ToUpper(f.ISOCountry)
	if f.TenantID == "" {
		f.TenantID = d.opts.Tenant
	}
	if kind, is := strings.CutSuffix(f.AssignmentStatus, "Assigned"); f.TargetType == "" && is {
		f.TargetType = kind
	}
	d.capabilities(f)
	d.acquired(f)
	if f.SIPURI == "" && f.TargetID != "" {
		f.SIPURI = d.opts.Addresses[strings.ToLower(f.TargetID)]
	}
	var ok bool
	if f.SIPURI, ok = sipOf(f.SIPURI); !ok {
		return &engine.RowError{Field: "sip_uri", Reason: reasonSIP}
	}
	return nil
}

func badFact(b []byte) string {
	if reason := badText(b, maxFact); reason != "" {
		return reason
	}
	if bytes.ContainsFunc(b, unicode.IsControl) {
		return reasonControl
	}
	return ""
}

// keep copies a text, one that comes often only once.
func (d *numberDecoder) keep(b []byte) string {
	const short, most = 40, 10_000
	if s, is := d.texts[string(b)]; is {
		return s
	}
	s := string(b)
	if len(s) <= short && len(d.texts) < most {
		d.texts[s] = s
	}
	return s
}

// lowFirst writes DirectRouting, as PowerShell has it, like Graph's
// directRouting: a change of the form is no change of the number.
func lowFirst(s string) string {
	if s == "" || s[0] < 'A' || s[0] > 'Z' || len(s) > 1 && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return string(s[0]+'a'-'A') + s[1:]
}

// capabilities sorts a list of words, however it is written: as JSON, in
// braces, between commas, semicolons or spaces. Export-Csv writes the name of a
// type for a list; then they are unknown.
func (d *numberDecoder) capabilities(f *numbers.Facts) {
	if strings.HasPrefix(f.Capabilities, "System.") {
		d.unlisted++
		f.Capabilities = ""
		return
	}
	words := strings.FieldsFunc(f.Capabilities, func(r rune) bool { return strings.ContainsRune(`[]{}",; `, r) })
	for i, w := range words {
		words[i] = lowFirst(w)
	}
	slices.Sort(words)
	f.Capabilities = d.keep([]byte(strings.Join(slices.Compact(words), " ")))
}

// acquired keeps a date or an instant, and nothing that depends on where it was
// exported.
func (d *numberDecoder) acquired(f *numbers.Facts) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if _, err := time.Parse(layout, f.AcquiredOn); err == nil || f.AcquiredOn == "" {
			return
		}
	}
	d.undated++
	f.AcquiredOn = ""
}

// sipOf returns a SIP URI with its scheme.
func sipOf(s string) (uri string, ok bool) {
	if s == "" {
		return "", true
	}
	scheme, rest, has := strings.Cut(s, ":")
	if low := strings.ToLower(scheme); has && (low == "sip" || low == "sips") {
		s = low + ":" + rest
	} else {
		s, rest = "sip:"+s, s
	}
	user, host, _ := strings.Cut(rest, "@")
	return s, user != "" && host != "" && !strings.ContainsAny(rest, " <>\"'")
}

// lineOf normalises a number as Microsoft writes it: with or without tel: and
// the plus, perhaps with what makes it easier to read, perhaps with an
// extension.
func lineOf(b []byte) (numbers.Line, string) {
	s := string(b)
	if s == "" {
		return numbers.Line{}, dialect.ReasonEmpty
	}
	if len(s) > 4 && strings.EqualFold(s[:4], "tel:") {
		s = s[4:]
	}
	number, ext, has := strings.Cut(strings.ToLower(s), ";ext=")
	if !has {
		number, ext, has = strings.Cut(number, "x")
	}
	number = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()", r) {
			return -1
		}
		return r
	}, number)
	if !strings.HasPrefix(number, "+") {
		number = "+" + number
	}
	if has {
		number += ";ext=" + strings.TrimSpace(ext)
	}
	line, ok := numbers.ParseLine(number)
	if !ok {
		return numbers.Line{}, reasonNumber
	}
	return line, ""
}

// interval reads from when to when the assignment is valid.
func (d *numberDecoder) interval(fields [][]byte, a *numbers.Assignment) *engine.RowError {
	from, to := d.pick(fields, fieldFrom), d.pick(fields, fieldTo)
	a.From, a.To = numbers.Unsaid, numbers.Open
	for _, x := range []struct {
		text  []byte
		to    *int64
		field int
	}{{from, &a.From, fieldFrom}, {to, &a.To, fieldTo}} {
		if len(x.text) == 0 {
			continue
		}
		t, err := time.Parse(time.RFC3339Nano, string(x.text))
		if err != nil {
			return &engine.RowError{Field: fieldName(x.field), Reason: reasonInstant}
		}
		if *x.to = t.UnixMicro(); *x.to < engine.MinStart || *x.to >= engine.MaxStart || t.Year() < 1900 || t.Year() > 2261 {
			return &engine.RowError{Field: fieldName(x.field), Reason: dialect.ReasonYears}
		}
	}
	switch {
	case len(from) == 0 && len(to) > 0:
		return &engine.RowError{Field: fieldName(fieldTo), Reason: reasonNoFrom}
	case a.From > d.opts.AsOf:
		return &engine.RowError{Field: fieldName(fieldFrom), Reason: reasonFuture}
	case a.To <= a.From:
		return &engine.RowError{Field: fieldName(fieldTo), Reason: reasonBackwards}
	}
	return nil
}

// notes are what a person should know of the rows that were read.
func (d *numberDecoder) notes() (list []string) {
	if d.unlisted > 0 {
		list = append(list, numberNote(d.unlisted, "the export names a type where the capabilities should be; they are unknown. Export them with @{n='Capability';e={$_.Capability -join ' '}}"))
	}
	if d.undated > 0 {
		list = append(list, numberNote(d.undated, "acquired_on is no date of ISO 8601; it is unknown"))
	}
	return list
}
