package partition

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"concord/engine"
	"concord/engine/spill"
)

// Superseded are the rows of several files of calls for which another row of
// the same record counts. It holds a bit a row.
type Superseded struct {
	Rows  int64
	files []bits
}

// Has reports whether a row, as in engine.Place and engine.Call, does not
// count. Several goroutines may ask.
func (s *Superseded) Has(file int, row int64) bool {
	return file < len(s.files) && s.files[file].has(row)
}

func (s *Superseded) add(file int, row int64) {
	if need := file + 1; need > len(s.files) {
		s.files = append(s.files, make([]bits, need-len(s.files))...)
	}
	s.files[file].add(row)
	s.Rows++
}

// FindSuperseded reads calls to their end and finds the rows that do not
// count, whatever period and carrier they name: a call that has moved to
// another one must not stay in the first. Which row counts is said in
// engine/MATCHING.md under repeats. Where two rows differ in nothing that it
// looks at, the one of the later file counts, for it may know more of the
// rest. What does not fit in memory, in bytes, goes to scratch.
func FindSuperseded(ctx context.Context, src engine.Source, scratch spill.Scratch, memory int) (_ *Superseded, err error) {
	sorter := spill.NewSorter(scratch, memory)
	defer func() { err = errors.Join(err, sorter.Close()) }()
	dst := make([]engine.Call, batchCalls)
	for {
		p, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := errors.Join(sortVersions(ctx, sorter, p, dst), p.Close()); err != nil {
			return nil, err
		}
	}
	found := new(Superseded)
	return found, found.settle(ctx, sorter)
}

// sortVersions adds the rows of a part to the sorter, by record and then in the
// order received.
func sortVersions(ctx context.Context, sorter *spill.Sorter, p engine.Part, dst []engine.Call) error {
	file := p.Place().File
	var key, val []byte
	for {
		n, err := p.Read(ctx, dst)
		for i := range dst[:n] {
			c := &dst[i]
			id := hashOf([][]byte{[]byte(c.RecordID)}, nil)
			key = binary.BigEndian.AppendUint32(append(key[:0], id[:]...), uint32(file))
			key = binary.BigEndian.AppendUint64(key, uint64(c.Row))
			val = appendBusiness(val[:0], c)
			if err := sorter.Add(key, val); err != nil {
				return fmt.Errorf("sort records: %w", err)
			}
		}
		_, isRow := errors.AsType[*engine.RowError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !isRow:
			return err
		}
	}
}

// revisionSize is how much of a value is the revision.
const revisionSize = 5

// appendBusiness appends the revision of a call and a hash of what tells two
// versions of it apart.
func appendBusiness(b []byte, c *engine.Call) []byte {
	b = append(b, 0)
	if c.HasRevision {
		b[0] = 1
	}
	b = binary.BigEndian.AppendUint32(b, uint32(c.Revision))
	var times [16]byte
	binary.BigEndian.PutUint64(times[:], uint64(c.Start))
	binary.BigEndian.PutUint64(times[8:], uint64(c.DurationMS))
	sum := hashOf([][]byte{c.Caller.AppendFull(nil), c.Callee.AppendFull(nil), times[:], []byte(c.CorrelationID)}, nil)
	return append(b, sum[:]...)
}

// version is the row of a record that has stayed so far.
type version struct {
	id      [hashSize]byte
	file    int    // of the row that decided
	val     []byte // as appendBusiness has it
	atFile  int    // of the row that counts
	atRow   int64
	started bool
}

// settle walks the rows record by record.
func (s *Superseded) settle(ctx context.Context, sorter *spill.Sorter) error {
	var now version
	for e, err := range spill.Sorted(sorter) {
		if err == nil {
			err = stopped(ctx)
		}
		if err != nil {
			return fmt.Errorf("sort records: %w", err)
		}
		file, row := int(binary.BigEndian.Uint32(e.Key[hashSize:])), int64(binary.BigEndian.Uint64(e.Key[hashSize+4:]))
		if now.started && bytes.Equal(now.id[:], e.Key[:hashSize]) {
			now.meet(s, file, row, e.Val)
			continue
		}
		now = version{file: file, val: append(now.val[:0], e.Val...), atFile: file, atRow: row, started: true}
		copy(now.id[:], e.Key)
	}
	return nil
}

// meet compares the version that has stayed with the next row of the record.
func (v *version) meet(s *Superseded, file int, row int64, val []byte) {
	revised := v.val[0] == 1 && val[0] == 1
	order := bytes.Compare(val[1:revisionSize], v.val[1:revisionSize])
	switch same := bytes.Equal(v.val[revisionSize:], val[revisionSize:]); {
	case same && file != v.atFile: // a duplicate that may know more of the rest
		s.add(v.atFile, v.atRow)
		v.atFile, v.atRow = file, row
	case same, revised && order < 0, !(revised && order > 0) && file == v.file:
		s.add(file, row)
	default:
		s.add(v.atFile, v.atRow)
		v.file, v.atFile, v.atRow = file, file, row
		v.val = append(v.val[:0], val...)
	}
}
