package report

import (
	"strings"

	"concord/engine"
)

var discrepancyColumns = []column{
	{name: "case_id"},
	{name: "carrier", few: true, optional: true},
	{name: "class", few: true},
	{name: "action", few: true},
	{name: "flags", few: true, optional: true},
	{name: "microsoft_record_id", optional: true},
	{name: "carrier_record_ids", optional: true},
	{name: "correlation_id", optional: true},
	{name: "tenant_id", few: true, optional: true},
	{name: "direction", few: true},
	{name: "caller", optional: true},
	{name: "callee", optional: true},
	{name: "microsoft_start_utc", kind: instant, optional: true},
	{name: "carrier_start_utc", kind: instant, optional: true},
	{name: "microsoft_seconds", kind: span, optional: true},
	{name: "carrier_seconds", kind: span, optional: true},
	{name: "difference_seconds", kind: span, optional: true},
	{name: "rule", few: true},
	{name: "microsoft_file", few: true, optional: true},
	{name: "microsoft_row", kind: count, optional: true},
	{name: "carrier_file", few: true, optional: true},
	{name: "carrier_row", kind: count, optional: true},
}

var usageColumns = []column{
	{name: "carrier", few: true, optional: true},
	{name: "tenant_id", few: true, optional: true},
	{name: "date", kind: day},
	{name: "direction", few: true},
	{name: "call_type", few: true, optional: true},
	{name: "country", few: true, optional: true},
	{name: "calls", kind: count},
	{name: "microsoft_seconds", kind: span},
	{name: "carrier_seconds", kind: span},
	{name: "used_seconds", kind: span},
	{name: "operator_sourced_calls", kind: count},
}

// userColumns are written as CSV only.
var userColumns = []column{
	{name: "carrier"}, {name: "tenant_id"}, {name: "user_id"}, {name: "month"},
	{name: "direction"}, {name: "call_type"}, {name: "country"}, {name: "calls"},
	{name: "microsoft_seconds"}, {name: "carrier_seconds"}, {name: "used_seconds"},
	{name: "operator_sourced_calls"},
}

// rejectedColumns are written as CSV only.
var rejectedColumns = []column{
	{name: "side"}, {name: "file"}, {name: "line"}, {name: "row_group"}, {name: "row"}, {name: "field"}, {name: "reason"},
}

var verdictColumns = []column{
	{name: "side", few: true},
	{name: "file", few: true},
	{name: "row", kind: count},
	{name: "record_id", optional: true},
	{name: "class", few: true},
	{name: "case_id", optional: true},
	{name: "pass", few: true},
	{name: "partner_file", few: true, optional: true},
	{name: "partner_row", kind: count, optional: true},
}

// caseRows writes discrepancies.
type caseRows struct {
	w    *writer
	rule string
}

// write adds the row of one case.
func (r *caseRows) write(t *table, c *engine.Case) {
	m, k := c.Microsoft, firstLeg(c)
	lead := m
	if lead == nil {
		lead = k
	}
	if lead == nil {
		lead = &engine.Leg{}
	}
	t.own(c.ID)
	t.outside(r.w.sum.Carrier)
	t.own(c.Class.String())
	t.own(c.Class.Action())
	t.own(c.Flags.String())
	writeIDs(t, c, lead)
	t.outside(lead.TenantID)
	t.own(lead.Direction.String())
	writeNumbers(t, m, k)
	writeFigures(t, c)
	t.outside(r.rule)
	r.place(t, engine.Microsoft, m)
	r.place(t, engine.Carrier, k)
}

func firstLeg(c *engine.Case) *engine.Leg {
	if len(c.Carrier) == 0 {
		return nil
	}
	return &c.Carrier[0]
}

func writeIDs(t *table, c *engine.Case, lead *engine.Leg) {
	if c.Microsoft != nil {
		t.outside(c.Microsoft.RecordID)
	} else {
		t.null()
	}
	switch len(c.Carrier) {
	case 0:
		t.null()
	case 1:
		t.outside(c.Carrier[0].RecordID)
	default:
		t.outside(joinedIDs(c.Carrier))
	}
	id := lead.CorrelationID
	if id == "" && len(c.Carrier) > 0 {
		id = c.Carrier[0].CorrelationID
	}
	t.outside(id)
}

func joinedIDs(legs []engine.Leg) string {
	ids := make([]string, 0, len(legs))
	for i := range legs {
		if id := legs[i].RecordID; id != "" {
			ids = append(ids, id)
		}
	}
	return strings.Join(ids, " ")
}

func writeNumbers(t *table, m, k *engine.Leg) {
	caller, callee := bothNumbers(m, k)
	t.number(caller)
	t.number(callee)
}

// bothNumbers are Microsoft's numbers, or the carrier's where only the carrier
// knows the whole one.
func bothNumbers(m, k *engine.Leg) (caller, callee engine.Number) {
	var none engine.Leg
	if m == nil {
		m = &none
	}
	if k == nil {
		k = &none
	}
	return better(m.Caller, k.Caller), better(m.Callee, k.Callee)
}

func better(m, k engine.Number) engine.Number {
	if m.Plain() || k.Withheld() || m.Masked() && !k.Plain() {
		return m
	}
	return k
}

// writeFigures adds the times and durations; an invalid row has none.
func writeFigures(t *table, c *engine.Case) {
	hasM, hasK := c.Microsoft != nil && c.Reject == nil, len(c.Carrier) > 0 && c.Reject == nil
	var billed int64
	for i := range c.Carrier {
		billed += c.Carrier[i].DurationMS
	}
	if hasM {
		t.utc(c.Microsoft.Start)
	} else {
		t.null()
	}
	if hasK {
		t.utc(c.Carrier[0].Start)
	} else {
		t.null()
	}
	if hasM {
		t.seconds(c.Microsoft.DurationMS)
	} else {
		t.null()
	}
	if hasK {
		t.seconds(billed)
	} else {
		t.null()
	}
	if hasM && hasK {
		t.seconds(billed - c.Microsoft.DurationMS)
	} else {
		t.null()
	}
}

func (r *caseRows) place(t *table, side engine.Side, leg *engine.Leg) {
	if leg == nil {
		t.null()
		t.null()
		return
	}
	t.outside(r.w.file(side, leg.File))
	t.countOr(leg.Row)
}

func writeUsage(t *table, carrier string, u *engine.UsageRow, users bool) {
	t.outside(carrier)
	t.outside(u.TenantID)
	if users {
		t.outside(u.UserID)
	}
	t.date(u.Date)
	t.own(u.Direction.String())
	t.outside(u.CallType)
	t.outside(u.Country)
	t.count(u.Calls)
	t.seconds(u.MicrosoftMS)
	t.seconds(u.CarrierMS)
	t.seconds(u.UsedMS)
	t.count(u.OperatorSourcedCalls)
}

func (w *writer) writeReject(t *table, side engine.Side, e *engine.RowError) {
	t.own(side.String())
	t.outside(w.file(side, e.File))
	t.countOr(e.Line)
	t.countOr(int64(e.RowGroup))
	t.countOr(e.Row)
	t.outside(e.Field)
	t.outside(e.Reason)
}

func (w *writer) writeVerdict(t *table, v *engine.Verdict) {
	t.own(v.Side.String())
	t.outside(w.file(v.Side, v.File))
	t.count(v.Row)
	t.outside(v.RecordID)
	t.own(v.Class.String())
	t.own(v.CaseID)
	t.own(v.Pass.String())
	if !v.HasPartner {
		t.null()
		t.null()
		return
	}
	t.outside(w.file(1-v.Side, v.PartnerFile))
	t.count(v.PartnerRow)
}
