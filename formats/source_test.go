package formats

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"concord/engine"
)

func textInput(name, text string) Input {
	return Input{Name: name, R: strings.NewReader(text), Size: int64(len(text))}
}

func bytesInput(name string, b []byte) Input {
	return Input{Name: name, R: bytes.NewReader(b), Size: int64(len(b))}
}

// read is what one side gave.
type read struct {
	calls []engine.Call
	bad   []engine.RowError
	infos []FileInfo
	err   error
}

// readSide reads every file with one goroutine, dst calls at a time.
func readSide(t testing.TB, side engine.Side, opts Options, dst int, inputs ...Input) (r read) {
	t.Helper()
	ctx := context.Background()
	f, err := Open(ctx, side, inputs, opts)
	if err != nil {
		return read{err: err}
	}
	defer func() { r.err = errors.Join(r.err, f.Close()) }()
	for {
		p, err := f.Next(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			r.err = err
			return r
		}
		if err := r.part(ctx, p, dst); err != nil {
			t.Fatal(err)
		}
	}
	r.err = f.Finish(ctx)
	r.infos = f.Info()
	return r
}

func (r *read) part(ctx context.Context, p engine.Part, size int) error {
	dst := make([]engine.Call, size)
	rows := int64(0)
	for {
		n, err := p.Read(ctx, dst)
		for i := range dst[:n] {
			r.calls = append(r.calls, keepCall(&dst[i]))
		}
		rows += int64(n)
		var bad *engine.RowError
		switch {
		case errors.As(err, &bad):
			r.bad = append(r.bad, *bad)
			rows++
		case err == io.EOF:
			return p.Close()
		case err != nil:
			return err
		}
	}
}

// keepCall copies a call out of its reader's buffers.
func keepCall(c *engine.Call) engine.Call {
	k := *c
	for _, s := range []*string{&k.RecordID, &k.CorrelationID, &k.TenantID, &k.UserID, &k.CallType, &k.Carrier} {
		*s = strings.Clone(*s)
	}
	k.Caller = engine.ParseNumber(c.Caller.Full())
	k.Callee = engine.ParseNumber(c.Callee.Full())
	return k
}

func TestCanonicalCSV(t *testing.T) {
	r := readSide(t, engine.Carrier, Options{}, 2, textInput("a.csv",
		"start,duration_ms,caller,callee,extra\n"+
			"2026-10-01T10:00:00Z,60000,+493012345678,+442071234567,x\n"+
			"2026-10-01T10:00:0,60000,+493012345678,+442071234567,x\n"+
			"2026-10-01T12:00:01.5+02:00,1500,,+442071234567,\n"))
	if r.err != nil || len(r.calls) != 2 || len(r.bad) != 1 {
		t.Fatalf("%+v", r)
	}
	if c := r.calls[1]; c.Start != 1790848801500000 || c.DurationMS != 1500 || c.Row != 3 || !c.Caller.Withheld() {
		t.Errorf("%+v", c)
	}
	if b := r.bad[0]; b.Row != 2 || b.Line != 3 || b.Field != "start" {
		t.Errorf("%+v", b)
	}
	t.Logf("%+v", r.infos)
}
