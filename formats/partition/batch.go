package partition

import (
	"strings"

	"concord/engine"
	"concord/formats"
	"concord/formats/parquetio"
)

// batch is some rows of a part, encoded and dealt out to carriers.
type batch struct {
	shares  []share // by carrier
	got     []int   // the carriers that have rows, in the order of their first
	size    int64   // bytes
	outside int64
	skipped int64
	unknown map[string]int64
	bad     []*engine.RowError
}

// share is a carrier's part of a batch.
type share struct {
	rows, ms int64
	csv      []byte
	cols     []parquetio.Buffer
}

// batchBytes is how large a batch grows.
const batchBytes = 1 << 20

func newBatch(carriers, columns int) *batch {
	b := &batch{shares: make([]share, carriers), unknown: map[string]int64{}}
	for i := range b.shares {
		b.shares[i].cols = make([]parquetio.Buffer, columns)
	}
	return b
}

// reset empties the batch and keeps its memory.
func (b *batch) reset() {
	for _, i := range b.got {
		s := &b.shares[i]
		s.rows, s.ms, s.csv = 0, 0, s.csv[:0]
		for k := range s.cols {
			s.cols[k].Reset()
		}
	}
	b.got, b.size, b.outside, b.skipped, b.bad = b.got[:0], 0, 0, 0, nil
	clear(b.unknown)
}

// dealer puts calls into batches. Each worker has its own.
type dealer struct {
	enc      *formats.CallEncoder
	owners   *owners
	from, to int64
	skip     func(file int, row int64) bool
	file     int    // of the part
	last     string // the carrier's name of the last row, and whose it is
	lastAt   int
}

// deal adds a call to the share of its carrier.
func (d *dealer) deal(b *batch, c *engine.Call) {
	if d.skip != nil && d.skip(d.file, c.Row) {
		b.skipped++
		return
	}
	if c.Start < d.from || c.Start >= d.to {
		b.outside++
		return
	}
	name := c.Carrier
	at, known := d.lastAt, name == d.last && name != ""
	if !known {
		if at, known = d.owners.of(name); !known {
			countUnknown(b.unknown, strings.Clone(name), 1)
			return
		}
		d.last, d.lastAt = strings.Clone(name), at
	}
	s := &b.shares[at]
	if s.rows == 0 {
		b.got = append(b.got, at)
	}
	s.rows++
	s.ms += c.DurationMS
	before := len(s.csv)
	s.csv = d.enc.AppendCSV(s.csv, c)
	d.enc.Append(s.cols, c)
	// As Parquet a row takes about what it takes as text.
	b.size += 2 * int64(len(s.csv)-before)
}
