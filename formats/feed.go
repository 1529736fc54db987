package formats

import (
	"slices"
	"strings"

	"concord/engine"
	"concord/formats/dialect"
)

// feed is one of Microsoft's own formats: which of its columns is which
// canonical field. Personal names are not in it and so are never read.
type feed struct {
	name    string
	columns []feedColumn
	from    [][]int // by column: places in a row, the first that is not null counts
	unknown []string
}

// feedColumn is one canonical field of a feed.
type feedColumn struct {
	field   string
	names   []string // of the source, the better one first
	convert func(dst, src []byte) []byte
	// all joins every source, else the first that is not null is taken.
	all bool
}

// dropped lists the columns that are known and not wanted: names of people,
// and what repeats other columns.
func dropped() []string {
	return []string{"UPN", "Display Name", "User Display Name", "userPrincipalName", "userDisplayName", "SIP Address"}
}

// pstnCSV is the PSTN usage export of the Teams admin centre.
func pstnCSV() []feedColumn {
	return append(usage(),
		feedColumn{field: "record_id", names: []string{"UsageId", "Call ID"}},
		feedColumn{field: "correlation_id", names: []string{"Call ID"}},
		feedColumn{field: "caller", names: []string{"Caller ID"}},
		feedColumn{field: "callee", names: []string{"Destination Number"}},
		feedColumn{field: "duration_ms", names: []string{"Duration Seconds"}, convert: seconds},
		feedColumn{field: "country_usage", names: []string{"User Location"}},
	)
}

// directRoutingCSV is the Direct Routing usage export of the Teams admin
// centre. It has no id of its own: the correlation id is shared by the legs of
// a call, so the start and the user are put behind it.
func directRoutingCSV() []feedColumn {
	return append(usage(),
		feedColumn{field: "record_id", names: []string{"CorrelationId", "Start time", "Invite time", "AAD ObjectId", "Call type"}, all: true},
		feedColumn{field: "correlation_id", names: []string{"CorrelationId"}},
		feedColumn{field: "caller", names: []string{"Caller Number"}},
		feedColumn{field: "callee", names: []string{"Callee Number"}},
		feedColumn{field: "duration_ms", names: []string{"Duration (seconds)"}, convert: seconds},
		feedColumn{field: "country_usage", names: []string{"User country"}},
		feedColumn{field: "answered", names: []string{"Success"}, convert: lower},
		feedColumn{field: "sip_code", names: []string{"Final SIP code"}},
		feedColumn{field: "sip_subcode", names: []string{"Final Microsoft subcode"}},
	)
}

// usage lists what both exports share. A call that was never answered has no
// start: its invite, else its failure stands for it.
func usage() []feedColumn {
	return []feedColumn{
		{field: "user_id", names: []string{"AAD ObjectId"}},
		{field: "direction", names: []string{"Call Type"}, convert: direction},
		{field: "call_type", names: []string{"Call Type"}},
		{field: "start", names: []string{"Start Time", "Invite time", "Failure time"}, convert: instant},
		{field: "invite", names: []string{"Invite time"}, convert: instant},
		{field: "end", names: []string{"End Time"}, convert: instant},
		{field: "duration_source", names: []string{"Source of Call Duration"}, convert: source},
		{field: "carrier", names: []string{"Operator"}},
		{field: "number_type", names: []string{"Number Type"}},
		{field: "capability", names: []string{"Capability"}},
		{field: "conference_id", names: []string{"Conference ID"}},
		{field: "charge", names: []string{"Charge"}},
		{field: "connection_charge", names: []string{"Connection Fee"}},
		{field: "currency", names: []string{"Currency"}},
	}
}

// graphRows is a row of Graph's getPstnCalls or getDirectRoutingCalls.
func graphRows() []feedColumn {
	return []feedColumn{
		{field: "record_id", names: []string{"id"}},
		{field: "correlation_id", names: []string{"callId", "correlationId"}},
		{field: "tenant_id", names: []string{"tenantId"}}, // of the tenant that was asked; Graph leaves it out
		{field: "user_id", names: []string{"userId"}},
		{field: "direction", names: []string{"callType"}, convert: direction},
		{field: "call_type", names: []string{"callType"}},
		{field: "caller", names: []string{"callerNumber"}},
		{field: "callee", names: []string{"calleeNumber"}},
		{field: "start", names: []string{"startDateTime", "inviteDateTime", "failureDateTime"}, convert: instant},
		{field: "invite", names: []string{"inviteDateTime"}, convert: instant},
		{field: "end", names: []string{"endDateTime"}, convert: instant},
		{field: "duration_ms", names: []string{"duration"}, convert: seconds},
		{field: "duration_source", names: []string{"callDurationSource"}, convert: source},
		{field: "answered", names: []string{"successfulCall"}},
		{field: "sip_code", names: []string{"finalSipCode"}},
		{field: "sip_subcode", names: []string{"callEndSubReason"}},
		{field: "carrier", names: []string{"operator"}},
		{field: "number_type", names: []string{"inventoryType"}},
		{field: "capability", names: []string{"licenseCapability"}},
		{field: "conference_id", names: []string{"conferenceId"}},
		{field: "country_usage", names: []string{"usageCountryCode", "userCountryCode"}},
		{field: "country_tenant", names: []string{"tenantCountryCode"}},
		{field: "charge", names: []string{"charge"}},
		{field: "connection_charge", names: []string{"connectionCharge"}},
		{field: "currency", names: []string{"currency"}},
	}
}

// csvFeedOf recognises one of the exports by its header; nil when it is none.
func csvFeedOf(header []string) *feed {
	has := func(names ...string) bool {
		return !slices.ContainsFunc(names, func(n string) bool { return indexName(header, n) < 0 })
	}
	switch {
	case has("Call ID", "Duration Seconds", "Start Time"), has("UsageId", "Duration Seconds", "Start Time"):
		return newFeed("teams-pstn-csv", pstnCSV(), header)
	case has("CorrelationId", "Duration (seconds)", "Start time"):
		return newFeed("teams-direct-routing-csv", directRoutingCSV(), header)
	}
	return nil
}

// newFeed binds columns to the names of a file.
func newFeed(name string, columns []feedColumn, names []string) *feed {
	f := &feed{name: name}
	asked := make([]bool, len(names))
	for _, n := range dropped() {
		if i := indexName(names, n); i >= 0 {
			asked[i] = true
		}
	}
	for _, c := range columns {
		var from []int
		for _, n := range c.names {
			if i := indexName(names, n); i >= 0 {
				from = append(from, i)
				asked[i] = true
			}
		}
		if len(from) > 0 {
			f.columns, f.from = append(f.columns, c), append(f.from, from)
		}
	}
	for i, n := range names {
		if !asked[i] {
			f.unknown = append(f.unknown, n)
		}
	}
	f.unknown = showNames(f.unknown)
	return f
}

// indexName finds a name whatever its case, spaces and punctuation.
func indexName(names []string, want string) int {
	want = bareName(want)
	return slices.IndexFunc(names, func(n string) bool { return bareName(n) == want })
}

func bareName(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, s)
}

// plan binds the canonical fields that the feed makes.
func (f *feed) plan(j *job) (*dialect.Plan, error) {
	names := make([]string, len(f.columns))
	for i, c := range f.columns {
		names[i] = c.field
	}
	p, err := dialect.Canonical().Bind(engine.Microsoft, names, j.bindOptions()...)
	if err != nil {
		return nil, j.errorf("", "%v", err)
	}
	p.Carrier = j.carrier(p.Carrier)
	return p, nil
}

// feedWork holds what one worker needs to read rows of a feed.
type feedWork struct {
	buf    []byte
	picked [][]byte
}

// pick makes the fields that the decoder wants of a row.
func (w *feedWork) pick(f *feed, columns []int, fields [][]byte) [][]byte {
	w.buf, w.picked = w.buf[:0], w.picked[:0]
	for _, at := range columns {
		w.picked = append(w.picked, w.value(&f.columns[at], f.from[at], fields))
	}
	return w.picked
}

// value makes one canonical field. What is converted is only read before the
// next row; text that lasts is not converted.
func (w *feedWork) value(c *feedColumn, from []int, fields [][]byte) []byte {
	if c.all {
		return joined(from, fields)
	}
	for _, i := range from {
		v := fields[i]
		if c.convert != nil {
			at := len(w.buf)
			w.buf = c.convert(w.buf, v)
			v = w.buf[at:len(w.buf):len(w.buf)]
		}
		if len(v) > 0 {
			return v
		}
	}
	return nil
}

// joined puts the fields that are not null behind each other.
func joined(from []int, fields [][]byte) []byte {
	var b []byte
	for _, i := range from {
		if len(fields[i]) > 0 {
			if b != nil {
				b = append(b, '/')
			}
			b = append(b, fields[i]...)
		}
	}
	return b
}

func (w *csvWork) decodeFeed(r *csvReader, fields [][]byte, c *engine.Call) (*engine.RowError, bool) {
	return decodeRow(w.dec, w.feed.pick(r.feed, r.plan.Columns(), fields), c)
}

// decodeRow tells a row that the profile leaves out from a bad one.
func decodeRow(d *dialect.Decoder, fields [][]byte, c *engine.Call) (bad *engine.RowError, keep bool) {
	switch e := d.Decode(fields, c); e {
	case nil:
		return nil, true
	case dialect.Filtered:
		return nil, false
	default:
		return e, false
	}
}
