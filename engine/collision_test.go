package engine

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"testing"
)

// oneCall is a side of one call.
type oneCall struct {
	c           Call
	taken, read bool
}

func (s *oneCall) Next(context.Context) (Part, error) {
	if s.taken {
		return nil, io.EOF
	}
	s.taken = true
	return s, nil
}

func (s *oneCall) Finish(context.Context) error { return nil }
func (s *oneCall) Place() Place                 { return Place{First: 1, Rows: 1} }
func (s *oneCall) Close() error                 { return nil }

func (s *oneCall) Read(_ context.Context, dst []Call) (int, error) {
	if s.read {
		return 0, io.EOF
	}
	s.read, dst[0] = true, s.c
	return 1, nil
}

// Two correlation ids that share a hash must end the run before anything is
// reported: their calls are not the same call. Without salt, UUIDs that begin
// with zeros all have one hash.
func TestTwoIDsOfOneHashAreNotOneCall(t *testing.T) {
	call := func(id, correlation string, ms int64) Call {
		return Call{RecordID: id, CorrelationID: correlation, Start: 1, DurationMS: ms, Row: 1}
	}
	for name, want := range map[string]error{
		"00000000-0000-0000-9999-000000000002": ErrCollision,
		"00000000-0000-0000-9999-000000000001": nil,
	} {
		task := &Task{Rules: DefaultRules(), Files: [2][]string{{"m"}, {"c"}}, Sources: [2]Source{
			&oneCall{c: call("m", "00000000-0000-0000-9999-000000000001", 60_000)},
			&oneCall{c: call("c", name, 90_000)},
		}}
		r := newRun(task)
		*r.keys = keys{id: maphash.MakeSeed(), text: maphash.MakeSeed()}
		ctx := t.Context()
		err := errors.Join(r.read(ctx), r.match(ctx))
		if err == nil {
			_, err = r.result(ctx)
		}
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("carrier's id %s: %v, want %v", name, err, want)
		}
		if err := r.close(); err != nil {
			t.Error(err)
		}
	}
}
