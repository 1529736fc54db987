package engine

import (
	"context"
	"encoding/binary"
	"iter"

	"concord/engine/spill"
)

// reject keeps a bad row. There are few: a file with many is refused whole.
func (s *scanner) reject(e *RowError) error {
	key, val := encodeReject(e)
	s.d.rejMu.Lock()
	defer s.d.rejMu.Unlock()
	return s.d.rejects.Add(key, val)
}

func encodeReject(e *RowError) (key, val []byte) {
	key = binary.BigEndian.AppendUint32(nil, uint32(e.File))
	key = binary.BigEndian.AppendUint64(key, uint64(e.Row))
	val = binary.BigEndian.AppendUint64(nil, uint64(e.Line))
	val = binary.BigEndian.AppendUint32(val, uint32(e.RowGroup))
	for _, text := range []string{e.RecordID, e.Field, e.Reason} {
		val = appendText(val, text)
	}
	return key, val
}

func decodeReject(e spill.Entry) *RowError {
	r := &RowError{
		File:     int(binary.BigEndian.Uint32(e.Key)),
		Row:      int64(binary.BigEndian.Uint64(e.Key[4:])),
		Line:     int64(binary.BigEndian.Uint64(e.Val)),
		RowGroup: int(binary.BigEndian.Uint32(e.Val[8:])),
	}
	rest := e.Val[12:]
	for _, text := range []*string{&r.RecordID, &r.Field, &r.Reason} {
		*text, rest = takeText(rest)
	}
	return r
}

// allRejects yields the bad rows of a side in order.
func (d *sideData) allRejects(ctx context.Context) iter.Seq2[*RowError, error] {
	return func(yield func(*RowError, error) bool) {
		for e, err := range spill.Sorted(d.rejects) {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			if !yield(decodeReject(e), nil) {
				return
			}
		}
	}
}
