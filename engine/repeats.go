package engine

import (
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

// repeated is a row that stays so far.
type repeated struct {
	ord uint32
	row wideRow
}

// identity is what makes two rows the same report: the record id, or without
// one the business fields.
type identity struct {
	recordID string
	business [2]uint64
}

func identityOf(row *wideRow) identity {
	if row.recordID != "" {
		return identity{recordID: row.recordID}
	}
	return identity{business: row.business}
}

// resolve compares rows whose hashes are equal by what they really hold. The
// clues are in the order received.
func (f *repeatFinder) resolve(clues []clue) error {
	stays := map[identity]repeated{}
	for _, c := range clues {
		row, err := f.wide.get(c.ord())
		if err != nil {
			return err
		}
		r := repeated{c.ord(), row}
		k := identityOf(&row)
		if before, ok := stays[k]; ok {
			r = f.judge(before, r)
		}
		stays[k] = r
	}
	return nil
}

// judge decides which of two rows with one identity stays.
func (f *repeatFinder) judge(stays, r repeated) repeated {
	switch {
	case r.row.business == stays.row.business:
		f.d.repeats.set(r.ord, isDuplicate)
	case r.row.hasRevision && stays.row.hasRevision && r.row.revision != stays.row.revision:
		if r.row.revision > stays.row.revision {
			stays, r = r, stays
		}
		f.d.repeats.set(r.ord, isSuperseded)
	case f.file(r.ord) == f.file(stays.ord):
		f.d.repeats.set(r.ord, isConflicting)
	default:
		f.d.repeats.set(stays.ord, isSuperseded)
		return r
	}
	return stays
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
