package engine

import (
	"cmp"
	"context"
	"slices"
	"sync/atomic"
)

// findRepeats applies the rules of repeats to one side: it sets the state of
// every row that does not stay.
func (r *run) findRepeats(ctx context.Context, d *sideData) error {
	d.repeats = newStates(d.rows)
	var next atomic.Int64
	return r.parallel(ctx, func(ctx context.Context, _ int) error {
		f := repeatFinder{d: d, files: d.bases, wide: wideReader{w: d.wide}}
		for {
			p := int(next.Add(1)) - 1
			if p >= d.clues.Partitions() {
				return nil
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := f.partition(p); err != nil {
				return err
			}
		}
	})
}

// repeatFinder looks for repeats in one partition after another.
type repeatFinder struct {
	d     *sideData
	files []int64
	wide  wideReader
	clues []clue
	seen  []uint64
	again []uint64
}

// partition finds the rows whose hashes repeat, then compares them for real.
func (f *repeatFinder) partition(p int) (err error) {
	if f.clues, err = f.d.clues.Load(p, f.clues[:0]); err != nil {
		return err
	}
	suspects := f.suspects()
	slices.Sort(suspects)
	for len(suspects) > 1 {
		n := 1
		for n < len(suspects) && suspects[n].hash() == suspects[0].hash() {
			n++
		}
		if n > 1 {
			if err := f.resolve(suspects[:n]); err != nil {
				return err
			}
		}
		suspects = suspects[n:]
	}
	return nil
}

// suspects returns the clues that share a slot with another: all repeats, and
// a few that are none.
func (f *repeatFinder) suspects() []clue {
	bits := 10
	for 1<<bits < 8*len(f.clues) {
		bits++
	}
	words := 1 << bits / 64
	if len(f.seen) < words {
		f.seen, f.again = make([]uint64, words), make([]uint64, words)
	}
	seen, again := f.seen[:words], f.again[:words]
	clear(seen)
	clear(again)
	shift := 64 - bits
	for _, c := range f.clues {
		slot := uint64(c) >> shift
		bit := uint64(1) << (slot % 64)
		again[slot/64] |= seen[slot/64] & bit
		seen[slot/64] |= bit
	}
	out := f.clues[:0]
	for _, c := range f.clues {
		slot := uint64(c) >> shift
		if again[slot/64]>>(slot%64)&1 != 0 {
			out = append(out, c)
		}
	}
	return out
}

// repeated is a row that may repeat another.
type repeated struct {
	ord uint32
	row wideRow
}

// resolve compares rows whose hashes are equal by what they really hold. The
// clues are in the order received.
func (f *repeatFinder) resolve(clues []clue) error {
	rows := make([]repeated, len(clues))
	for i, c := range clues {
		w, err := f.wide.get(c.ord())
		if err != nil {
			return err
		}
		rows[i] = repeated{c.ord(), w}
	}
	slices.SortStableFunc(rows, func(a, b repeated) int {
		return cmp.Or(cmp.Compare(a.row.recordID, b.row.recordID), f.withoutID(a, b))
	})
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].row.recordID == rows[0].row.recordID && f.withoutID(rows[0], rows[n]) == 0 {
			n++
		}
		f.judge(rows[:n])
		rows = rows[n:]
	}
	return nil
}

// withoutID orders rows that have no record id by their business fields.
func (f *repeatFinder) withoutID(a, b repeated) int {
	if a.row.recordID != "" {
		return 0
	}
	return slices.Compare(a.row.business[:], b.row.business[:])
}

// judge decides which of the rows with one identity stays.
func (f *repeatFinder) judge(rows []repeated) {
	stays := rows[0]
	for _, r := range rows[1:] {
		switch {
		case r.row.business == stays.row.business:
			f.d.repeats.set(r.ord, isDuplicate)
		case r.row.hasRevision && stays.row.hasRevision && r.row.revision != stays.row.revision:
			if r.row.revision < stays.row.revision {
				f.d.repeats.set(r.ord, isSuperseded)
				continue
			}
			f.d.repeats.set(stays.ord, isSuperseded)
			stays = r
		case f.file(r.ord) == f.file(stays.ord):
			f.d.repeats.set(r.ord, isConflicting)
		default:
			f.d.repeats.set(stays.ord, isSuperseded)
			stays = r
		}
	}
}

// file returns the index of the file that a row stands in.
func (f *repeatFinder) file(ord uint32) int { return fileOf(f.files, ord) }

func fileOf(bases []int64, ord uint32) int {
	i, found := slices.BinarySearch(bases, int64(ord))
	if !found {
		return i - 1
	}
	// Files without rows share their base with the next one.
	for i+1 < len(bases) && bases[i+1] == int64(ord) {
		i++
	}
	return i
}
