package jobs

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/formats/records"
	"concord/formats/trace"
)

// Redaction puts what stands for a number in the place of the number.
type Redaction struct {
	Number *trace.Number
	Erased engine.Number
}

func (r *Redaction) digits() string { return strconv.FormatUint(r.Erased.E164Digits(), 10) }

// Text returns a text without the number.
func (r *Redaction) Text(s string) string { return r.Number.Replace(s, r.digits()) }

// Call takes the number out of a call, and reports whether it was there. Its own
// ids may hold the number, too.
func (r *Redaction) Call(c *engine.Call) bool {
	own, changed := false, false
	for _, n := range []*engine.Number{&c.Caller, &c.Callee} {
		switch {
		case *n == r.Number.E164():
			*n, own = r.Erased, true
		case n.E164Digits() == 0 && !n.Withheld():
			if t := r.Text(n.Full()); t != n.Full() {
				*n, own = engine.OtherNumber(t), true
			}
		}
	}
	for _, s := range []*string{&c.RecordID, &c.CorrelationID, &c.TenantID, &c.UserID, &c.CallType} {
		t := r.Text(*s)
		if own {
			t = r.Number.ReplaceWithin(*s, r.digits())
		}
		changed = changed || t != *s
		*s = t
	}
	return own || changed
}

// RedactRecords takes a number out of the records at a path, and returns the rows
// that were changed.
func RedactRecords(ctx context.Context, keys *atrest.Keys, path string, side engine.Side, r Redaction) (rows []int64, changed bool, err error) {
	in := &inputs{keys: keys}
	defer func() { err = errors.Join(err, in.close()) }()
	list, err := in.handle([]string{path}, []string{"records"})
	if err != nil {
		return nil, false, err
	}
	return records.Rewrite(ctx, sealedDisk{keys: keys}, path, side, list[0], scratchIn(filepath.Dir(path), keys), records.Rewriting{Call: r.Call, Text: r.Text})
}

// FindInRecords returns how many calls of the records at a path hold a number,
// and on which days they are.
func FindInRecords(ctx context.Context, keys *atrest.Keys, path string, side engine.Side, number *trace.Number) (rows int64, days []string, err error) {
	in := &inputs{keys: keys}
	defer func() { err = errors.Join(err, in.close()) }()
	list, err := in.handle([]string{path}, []string{"records"})
	if err != nil {
		return 0, nil, err
	}
	r := Redaction{Number: number, Erased: engine.ErasedNumber(number.E164(), 0)}
	return records.Find(ctx, side, list[0], func(c *engine.Call) bool { return r.Call(c) })
}
