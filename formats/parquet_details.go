package formats

import (
	"concord/engine"
	"concord/formats/dialect"
)

// blankDetails gives calls, of which the first is row at of the batch, empty
// details, if they are wanted.
func (p *typedPart) blankDetails(dst []engine.Call, at int) {
	if p.details == nil {
		return
	}
	rows := p.details[at:][:len(dst)]
	for i := range rows {
		rows[i] = detailRow{}
		dst[i].Carrier, dst[i].Details = p.r.plan.Carrier, &rows[i].Details
	}
}

// setDetailTime sets the invite or the end of row i of the block that begins
// with row at of the batch; noEnd is null.
func (p *typedPart) setDetailTime(f dialect.Field, us int64, i, at int) {
	if f == dialect.FieldEnd {
		p.ends[i] = us
	}
	if p.details == nil || us == noEnd {
		return
	}
	d := &p.details[at+i]
	if f == dialect.FieldEnd {
		d.end, d.End = us, &d.end
	} else {
		d.invite, d.Invite = us, &d.invite
	}
}

// setInt sets a whole number or a flag that belongs to the details.
func (d *detailRow) setInt(f dialect.Field, x int64) {
	switch f {
	case dialect.FieldAnswered:
		d.answered, d.Answered = x != 0, &d.answered
	case dialect.FieldSIPCode:
		d.sipCode, d.SIPCode = int32(x), &d.sipCode
	case dialect.FieldSIPSubcode:
		d.sipSub, d.SIPSubcode = int32(x), &d.sipSub
	case dialect.FieldCause:
		d.q850, d.Cause = int32(x), &d.q850
	}
}

// setRaw keeps the text of a number where its normalised form differs, unless
// the file has a column for that which says otherwise.
func setRaw(f dialect.Field, n engine.Number, text string, d *engine.Details) {
	if n.E164Digits() != 0 || n.Full() == text {
		return
	}
	raw := &d.CalleeRaw
	if f == dialect.FieldCaller {
		raw = &d.CallerRaw
	}
	if *raw == "" {
		*raw = text
	}
}
