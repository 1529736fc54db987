package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"unsafe"

	"concord/engine"
)

// memorySource serves one side of a world in parts of a few rows.
type memorySource struct {
	files    [][]row
	partRows int
	scatter  int // parts of a file, with every scatter-th row each; 0: runs of rows
	file     int
	row      int
	dealt    int // parts of the file, when they are scattered
	open     int
	finished bool
	mu       sync.Mutex
}

func (s *memorySource) Next(ctx context.Context) (engine.Part, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.file < len(s.files) && s.row == len(s.files[s.file]) {
		s.file, s.row = s.file+1, 0
	}
	if s.file == len(s.files) {
		return nil, io.EOF
	}
	s.open++
	if s.scatter > 0 {
		return s.scattered(), ctx.Err()
	}
	end := min(s.row+s.partRows, len(s.files[s.file]))
	p := &memoryPart{source: s, file: s.file, first: s.row, step: 1, rows: s.files[s.file][s.row:end]}
	p.place = engine.Place{File: s.file, First: int64(s.row + 1), Rows: int64(len(p.rows))}
	s.row = end
	return p, ctx.Err()
}

// scattered returns the part with every scatter-th row from the next one on;
// the last rows come first.
func (s *memorySource) scattered() *memoryPart {
	rows := s.files[s.file]
	p := &memoryPart{source: s, file: s.file, first: s.scatter - 1 - s.dealt, step: s.scatter}
	p.place = engine.Place{File: s.file, First: 1, Rows: int64(len(rows))}
	for i := p.first; i < len(rows); i += s.scatter {
		p.rows = append(p.rows, rows[i])
	}
	if s.dealt++; s.dealt == s.scatter {
		s.row, s.dealt = len(rows), 0
	}
	return p
}

func (s *memorySource) Finish(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.finished || s.open > 0 {
		return errors.New("finish source: called twice, or before every part is closed")
	}
	s.finished = true
	return nil
}

// memoryPart overwrites the strings that it lent out on each Read and on
// Close, so that whoever keeps one is found out.
type memoryPart struct {
	source *memorySource
	file   int
	first  int // of rows in the file, from 0
	step   int // from one of rows to the next
	place  engine.Place
	rows   []row
	next   int
	lent   [][]byte
}

func (p *memoryPart) Place() engine.Place { return p.place }

func (p *memoryPart) Read(_ context.Context, dst []engine.Call) (n int, err error) {
	p.spoil()
	for n < len(dst) && p.next < len(p.rows) {
		r := p.rows[p.next]
		number := int64(p.first + p.next*p.step + 1)
		p.next++
		if r.bad {
			return n, &engine.RowError{File: p.file, Row: number, Line: number + 1, RecordID: r.RecordID, Field: "start", Reason: "is not a time"}
		}
		dst[n] = p.lendCall(r.Call)
		dst[n].Row = number
		n++
	}
	if p.next == len(p.rows) {
		err = io.EOF
	}
	return n, err
}

func (p *memoryPart) lendCall(c engine.Call) engine.Call {
	for _, s := range []*string{&c.RecordID, &c.CorrelationID, &c.TenantID, &c.UserID, &c.CallType} {
		*s = p.lend(*s)
	}
	for _, n := range []*engine.Number{&c.Caller, &c.Callee} {
		if n.E164Digits() == 0 {
			*n = engine.OtherNumber(p.lend(n.Full()))
		}
	}
	return c
}

func (p *memoryPart) lend(s string) string {
	if s == "" {
		return ""
	}
	b := []byte(s)
	p.lent = append(p.lent, b)
	return unsafe.String(&b[0], len(b))
}

func (p *memoryPart) spoil() {
	for _, b := range p.lent {
		for i := range b {
			b[i] = '!'
		}
	}
	p.lent = nil
}

func (p *memoryPart) Close() error {
	p.spoil()
	p.source.mu.Lock()
	defer p.source.mu.Unlock()
	p.source.open--
	return nil
}

// memoryScratch makes scratch files in memory and counts those open.
type memoryScratch struct {
	mu            sync.Mutex
	created, open int
}

func (s *memoryScratch) Create() (engine.ScratchFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.created, s.open = s.created+1, s.open+1
	return &memoryFile{scratch: s}, nil
}

type memoryFile struct {
	scratch *memoryScratch
	mu      sync.Mutex
	data    []byte
	closed  bool
}

func (f *memoryFile) ReadAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if off >= int64(len(f.data)) {
		return 0, io.EOF
	}
	n := copy(b, f.data[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memoryFile) WriteAt(b []byte, off int64) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if need := off + int64(len(b)); need > int64(len(f.data)) {
		f.data = append(f.data, make([]byte, need-int64(len(f.data)))...)
	}
	return copy(f.data[off:], b), nil
}

func (f *memoryFile) Close() error {
	f.scratch.mu.Lock()
	defer f.scratch.mu.Unlock()
	if f.closed {
		return errors.New("close scratch file: closed already")
	}
	f.closed = true
	f.scratch.open--
	return nil
}

// A setup is what must not change an answer.
type setup struct {
	workers  int
	memory   int64
	partRows int
	scatter  int
}

// run lets the engine decide w.
func run(ctx context.Context, w *world, how setup) (*answer, error) {
	scratch := &memoryScratch{}
	task := engine.Task{
		Carrier: "fabrikam", Rules: w.rules, From: w.from, To: w.to, AsOf: w.asOf, NearClock: w.nearClock,
		Memory: how.memory, Workers: how.workers, Scratch: scratch, Verdicts: true, Users: true,
	}
	for side, files := range w.sides {
		task.Sources[side] = &memorySource{files: files, partRows: how.partRows, scatter: how.scatter}
		for f := range files {
			task.Files[side] = append(task.Files[side], fmt.Sprintf("%v-%d.csv", engine.Side(side), f))
		}
	}
	if w.assigned != nil {
		task.Assignments = w.assigned.holders(w)
	}
	res, err := engine.Run(ctx, task)
	if err != nil {
		return nil, err
	}
	a, err := collect(ctx, res)
	err = errors.Join(err, res.Close())
	if a != nil {
		a.scratchFiles = scratch.created
	}
	if scratch.open != 0 {
		err = errors.Join(err, fmt.Errorf("%d scratch files are still open", scratch.open))
	}
	return a, err
}
