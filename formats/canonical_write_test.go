package formats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"concord/engine"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// written returns calls as a canonical file.
func written(side engine.Side, format CanonicalFormat, opts CanonicalOptions, calls []engine.Call) ([]byte, error) {
	var b bytes.Buffer
	w, err := NewCanonicalWriter(&b, side, format, opts)
	if err != nil {
		return nil, err
	}
	if err := w.Write(calls); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// readBack reads a whole side with calls of room rows, and returns calls that
// own what they hold.
func readBack(side engine.Side, file []byte, opts Options, room int) (calls []engine.Call, bad []*engine.RowError, info FileInfo, err error) {
	ctx := context.Background()
	f, err := Open(ctx, side, []Input{{Name: "file", R: bytes.NewReader(file), Size: int64(len(file))}}, opts)
	if err != nil {
		return nil, nil, FileInfo{}, err
	}
	defer f.Close()
	for {
		p, err := f.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, nil, FileInfo{}, err
		}
		more, worse, err := readPart(ctx, p, room)
		calls, bad = append(calls, more...), append(bad, worse...)
		if err := errors.Join(err, p.Close()); err != nil {
			return nil, nil, FileInfo{}, err
		}
	}
	if err := f.Finish(ctx); err != nil {
		return calls, bad, f.Info()[0], err
	}
	return calls, bad, f.Info()[0], nil
}

func readPart(ctx context.Context, p engine.Part, room int) (calls []engine.Call, bad []*engine.RowError, err error) {
	dst := make([]engine.Call, room)
	for {
		n, err := p.Read(ctx, dst)
		for i := range dst[:n] {
			calls = append(calls, owned(&dst[i]))
			dst[i] = engine.Call{RecordID: "left over by the test"}
		}
		var row *engine.RowError
		switch {
		case err == io.EOF:
			return calls, bad, nil
		case errors.As(err, &row):
			bad = append(bad, row)
		case err != nil:
			return calls, bad, err
		}
	}
}

// owned copies a call with all that it points to.
func owned(c *engine.Call) engine.Call {
	o := *c
	for _, s := range []*string{&o.RecordID, &o.CorrelationID, &o.TenantID, &o.UserID, &o.CallType, &o.Carrier} {
		*s = strings.Clone(*s)
	}
	o.Caller, o.Callee = ownNumber(o.Caller), ownNumber(o.Callee)
	if o.Details != nil {
		d := *o.Details
		for _, s := range detailTexts(&d) {
			*s = strings.Clone(*s)
		}
		d.Invite, d.End, d.Answered = again(d.Invite), again(d.End), again(d.Answered)
		d.SIPCode, d.SIPSubcode, d.Cause = again(d.SIPCode), again(d.SIPSubcode), again(d.Cause)
		o.Details = &d
	}
	return o
}

// again points to a copy.
func again[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

func ownNumber(n engine.Number) engine.Number {
	if n.E164Digits() > 0 {
		return n
	}
	return engine.OtherNumber(strings.Clone(n.Full()))
}

func detailTexts(d *engine.Details) []*string {
	return []*string{
		&d.CallerRaw, &d.CalleeRaw, &d.NumberType, &d.Capability, &d.ConferenceID,
		&d.CountryUsage, &d.CountryTenant, &d.Charge, &d.ConnectionCharge, &d.Currency,
	}
}

func drawText() *rapid.Generator[string] {
	return rapid.SampledFrom([]string{"", "", "a", "0", "null", "semi;colon", "com,ma", `quo"te`, "two\nlines", " space ", "#note", "é", "7f2c0d3e-9a1b-4c55-8e0f-0123456789ab"})
}

func drawNumber() *rapid.Generator[engine.Number] {
	return rapid.Custom(func(t *rapid.T) engine.Number {
		switch rapid.IntRange(0, 3).Draw(t, "sort of number") {
		case 0:
			return engine.Number{}
		case 1:
			return engine.OtherNumber(rapid.SampledFrom([]string{"+49301234***", "118", "sip user, 2", "0800-1"}).Draw(t, "other"))
		}
		return engine.E164(rapid.Uint64Range(1, 999_999_999_999_999).Draw(t, "digits"))
	})
}

func maybe[T any](t *rapid.T, g *rapid.Generator[T]) *T {
	if rapid.Bool().Draw(t, "null") {
		return nil
	}
	v := g.Draw(t, "value")
	return &v
}

func drawTime() *rapid.Generator[int64] {
	return rapid.OneOf(rapid.Int64Range(engine.MinStart, engine.MaxStart-1), rapid.SampledFrom([]int64{0, -1, 1_700_000_000_000_000, 1_700_000_000_120_000}))
}

func drawCall(t *rapid.T, row int64) engine.Call {
	code := rapid.SampledFrom([]int32{0, 16, -1, 603})
	c := engine.Call{
		RecordID: fmt.Sprintf("id-%d", row), CorrelationID: drawText().Draw(t, "correlation"),
		TenantID: drawText().Draw(t, "tenant"), UserID: drawText().Draw(t, "user"), CallType: drawText().Draw(t, "type"), Carrier: drawText().Draw(t, "carrier"),
		Caller: drawNumber().Draw(t, "caller"), Callee: drawNumber().Draw(t, "callee"),
		Start: drawTime().Draw(t, "start"), DurationMS: rapid.SampledFrom([]int64{0, 1, 1000, engine.MaxDuration}).Draw(t, "duration"),
		Row: row, HasRevision: rapid.Bool().Draw(t, "has revision"),
		Direction:      engine.Direction(rapid.IntRange(0, 2).Draw(t, "direction")),
		Source:         engine.DurationSource(rapid.IntRange(0, 2).Draw(t, "source")),
		ClockUntrusted: rapid.Bool().Draw(t, "untrusted"),
	}
	if c.HasRevision {
		c.Revision = code.Draw(t, "revision")
	}
	d := &engine.Details{
		Invite: maybe(t, drawTime()), Answered: maybe(t, rapid.Bool()),
		SIPCode: maybe(t, code), SIPSubcode: maybe(t, code), Cause: maybe(t, code),
	}
	for _, s := range detailTexts(d) {
		*s = drawText().Draw(t, "detail")
	}
	d.Charge = rapid.SampledFrom([]string{"", "0", "0.00", "-1.50", "12345678901234567.891"}).Draw(t, "charge")
	d.ConnectionCharge = rapid.SampledFrom([]string{"", "0.10"}).Draw(t, "connection charge")
	if rapid.Bool().Draw(t, "has end") {
		end := rapid.Int64Range(c.Start, engine.MaxStart-1).Draw(t, "end")
		d.End = &end
	}
	c.Details = d
	return c
}

// Everything a reader can produce is written and read back without loss:
// zeros stay zeros, nulls stay nulls, hidden digits stay hidden.
func TestCanonicalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		side := rapid.SampledFrom([]engine.Side{engine.Microsoft, engine.Carrier}).Draw(t, "side")
		format := rapid.SampledFrom([]CanonicalFormat{CanonicalCSV, CanonicalParquet}).Draw(t, "format")
		opts := CanonicalOptions{Zstd: rapid.Bool().Draw(t, "zstd"), RowGroupRows: rapid.SampledFrom([]int{0, 1, 7}).Draw(t, "group")}
		var calls []engine.Call
		for row := range rapid.IntRange(0, 20).Draw(t, "rows") {
			calls = append(calls, drawCall(t, int64(row+1)))
		}
		file, err := written(side, format, opts, calls)
		if err != nil {
			t.Fatal(err)
		}
		got, bad, info, err := readBack(side, file, Options{Details: true}, rapid.IntRange(1, 30).Draw(t, "room"))
		if err != nil || len(bad) > 0 {
			t.Fatal(err, bad)
		}
		if d := cmp.Diff(calls, got, cmp.Comparer(func(a, b engine.Number) bool { return a == b })); d != "" {
			t.Fatal(d)
		}
		if info.Accepted != int64(len(calls)) || info.IntegrityVerified != (format == CanonicalParquet && len(calls) > 0) {
			t.Fatalf("%+v", info)
		}
		sameWithoutDetails(t, side, file, calls)
	})
}

// sameWithoutDetails reads the file as matching does, which for Parquet is
// another path through the program.
func sameWithoutDetails(t *rapid.T, side engine.Side, file []byte, calls []engine.Call) {
	got, bad, _, err := readBack(side, file, Options{}, rapid.IntRange(1, 30).Draw(t, "room"))
	if err != nil || len(bad) > 0 {
		t.Fatal(err, bad)
	}
	for i := range calls {
		calls[i].Details = nil
		if side == engine.Carrier {
			calls[i].Carrier = "" // whose file it is says that
		}
	}
	if d := cmp.Diff(calls, got, cmp.Comparer(func(a, b engine.Number) bool { return a == b })); d != "" {
		t.Fatal(d)
	}
}
