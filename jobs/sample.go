package jobs

import (
	"concord/engine"
	"concord/formats/dialect"
)

// Sampled is an accepted row as it was read. It holds numbers in full: mask them
// before they are shown.
type Sampled struct {
	Row           int64  `json:"row"`
	Start         int64  `json:"start"` // microseconds since 1970
	DurationMS    int64  `json:"duration_ms"`
	Direction     string `json:"direction"`
	Caller        string `json:"caller"`
	Callee        string `json:"callee"`
	RecordID      string `json:"record_id,omitempty"`
	CorrelationID string `json:"correlation_id,omitempty"`
	// ClockUntrusted says that the local time of the row was there twice or not
	// at all.
	ClockUntrusted bool `json:"clock_untrusted,omitempty"`
}

// sample takes down the first rows, if somebody wants them.
func (x *inspector) sample(calls []engine.Call) {
	for i := range calls {
		if len(x.found.Sample) >= x.opts.Sample {
			return
		}
		c := &calls[i]
		x.found.Sample = append(x.found.Sample, Sampled{
			Row: c.Row, Start: c.Start, DurationMS: c.DurationMS, Direction: c.Direction.String(), Caller: c.Caller.Full(), Callee: c.Callee.Full(),
			RecordID: c.RecordID, CorrelationID: c.CorrelationID, ClockUntrusted: c.ClockUntrusted,
		})
	}
}

// CheckProfile returns what is wrong with a profile, a line each, and the
// carrier that it names.
func CheckProfile(text []byte) (carrier string, faults []string) {
	p, err := dialect.Parse("profile", text)
	if err != nil {
		return "", Explain(usage(err)).Messages
	}
	return p.Carrier, nil
}
