package parquetio

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/parquet-go/parquet-go/compress"
)

// Group encodes row groups. It may be used again after its row group was
// written; its memory is kept. It is not safe for concurrent use.
type Group struct {
	out  []byte // pages with their headers
	rows int64
	meta wroteGroup

	codec   compress.Codec
	raw     []byte // of a page
	packed  []byte
	head    thriftWriter
	dict    map[string]uint32
	words   []byte   // the dictionary, PLAIN
	indexes []uint32 // of values
}

const (
	// groupPageRows and groupPageBytes are where a page ends, whichever is
	// first; bytes before compression.
	groupPageRows  = 20_000
	groupPageBytes = 256 << 10
)

// Encode makes a row group of one buffer a column, all of the same number of
// rows. A null in a column that is not optional is an error.
func (g *Group) Encode(cols []WriteColumn, bufs []Buffer, codec Codec) (err error) {
	if g.codec, err = compressor(codec); err != nil {
		return err
	}
	g.out, g.meta.chunks = g.out[:0], g.meta.chunks[:0]
	g.rows = int64(bufs[0].rows)
	for i := range bufs {
		b, c := &bufs[i], &cols[i]
		switch {
		case int64(b.rows) != g.rows:
			return fmt.Errorf("write column %q: %d values in %d rows", c.Name, b.rows, g.rows)
		case b.nulls > 0 && !c.Optional:
			return fmt.Errorf("write column %q: a null in a column that has none", c.Name)
		}
		if err := g.column(c, b); err != nil {
			return fmt.Errorf("write column %q: %w", c.Name, err)
		}
	}
	return nil
}

// column appends the pages of a column.
func (g *Group) column(c *WriteColumn, b *Buffer) error {
	m := wroteChunk{values: int64(b.rows)}
	from := len(g.out)
	m.hasDict = c.Dictionary && c.Physical == ByteArray && g.learn(b)
	if m.hasDict {
		m.dict = int64(len(g.out))
		if err := g.page(&m, g.words, pageDictionary, len(g.dict), encPlain); err != nil {
			return err
		}
	}
	m.data = int64(len(g.out))
	m.plain = !m.hasDict
	p := pages{b: b, c: c, dict: m.hasDict}
	for p.row < b.rows {
		if err := g.data(&m, &p); err != nil {
			return err
		}
	}
	m.written = int64(len(g.out) - from)
	g.meta.chunks = append(g.meta.chunks, m)
	return nil
}

// pages is where the writing of a column has come to.
type pages struct {
	b          *Buffer
	c          *WriteColumn
	dict       bool
	row, value int
	off        int // of the value in b.data
}

// cut returns how many rows and values the next page has, and where in data
// it ends.
func (p *pages) cut() (rows, values, end int) {
	end = p.off
	most := min(p.b.rows-p.row, groupPageRows)
	width := widthOf(p.c.Physical)
	mixed := p.b.mixed()
	for rows < most && (p.dict || end-p.off < groupPageBytes) {
		null := p.b.nulls > 0 && (!mixed || p.b.valid[p.row+rows] == 0)
		rows++
		if null {
			continue
		}
		values++
		if width == 0 {
			end += 4 + int(binary.LittleEndian.Uint32(p.b.data[end:]))
		} else {
			end += width
		}
	}
	return rows, values, end
}

// widthOf returns the bytes of a value in a Buffer; 0 says that it varies.
func widthOf(p Physical) int {
	switch p {
	case Boolean:
		return 1
	case Int32:
		return 4
	case ByteArray:
		return 0
	}
	return 8
}

// data appends one data page.
func (g *Group) data(m *wroteChunk, p *pages) error {
	rows, values, end := p.cut()
	g.raw = g.raw[:0]
	if p.c.Optional {
		g.raw = append(g.raw, 0, 0, 0, 0)
		g.raw = appendLevels(g.raw, p.b, p.row, rows)
		binary.LittleEndian.PutUint32(g.raw, uint32(len(g.raw)-4))
	}
	encoding := encPlain
	switch {
	case p.dict:
		encoding = encRLEDictionary
		g.raw = appendIndexes(g.raw, g.indexes[p.value:p.value+values], len(g.dict))
	case p.c.Physical == Boolean:
		g.raw = appendBits(g.raw, p.b.data[p.off:end])
	default:
		g.raw = append(g.raw, p.b.data[p.off:end]...)
	}
	p.row, p.value, p.off = p.row+rows, p.value+values, end
	return g.page(m, g.raw, pageData, rows, encoding)
}

// page compresses a page and appends it with its header.
func (g *Group) page(m *wroteChunk, raw []byte, kind, values, encoding int) (err error) {
	if g.packed, err = g.codec.Encode(g.packed[:0], raw); err != nil {
		return err
	}
	t := &g.head
	t.b, t.last = t.b[:0], t.last[:0]
	t.begin()
	t.i32(1, kind)
	t.i32(2, len(raw))
	t.i32(3, len(g.packed))
	t.i32(4, int(int32(crc32.ChecksumIEEE(g.packed))))
	if kind == pageDictionary {
		t.inner(7, func() { t.i32(1, values); t.i32(2, encoding) })
	} else {
		t.inner(5, func() { t.i32(1, values); t.i32(2, encoding); t.i32(3, encRLE); t.i32(4, encRLE) })
	}
	t.end()
	g.out = append(append(g.out, t.b...), g.packed...)
	m.raw += int64(len(t.b) + len(raw))
	return nil
}

// learn makes a dictionary of the texts of b. It reports false when that does
// not pay.
func (g *Group) learn(b *Buffer) bool {
	n := b.rows - b.nulls
	if n == 0 {
		return false
	}
	if g.dict == nil {
		g.dict = make(map[string]uint32)
	}
	clear(g.dict)
	g.words, g.indexes = g.words[:0], g.indexes[:0]
	most := max(n/2, 1)
	last, index := []byte(nil), uint32(0)
	for at := 0; at < len(b.data); {
		end := at + 4 + int(binary.LittleEndian.Uint32(b.data[at:]))
		word := b.data[at:end]
		if last == nil || string(word) != string(last) {
			var known bool
			if index, known = g.dict[string(word)]; !known {
				index = uint32(len(g.dict))
				if len(g.dict) >= most || len(g.words)+len(word) > maxDictBytes {
					return false
				}
				g.dict[string(word)] = index
				g.words = append(g.words, word...)
			}
			last = word
		}
		g.indexes = append(g.indexes, index)
		at = end
	}
	return true
}

// appendLevels appends the definition levels of rows as runs.
func appendLevels(dst []byte, b *Buffer, from, rows int) []byte {
	if !b.mixed() {
		level := byte(1)
		if b.nulls > 0 {
			level = 0
		}
		return append(binary.AppendUvarint(dst, uint64(rows)<<1), level)
	}
	dst = binary.AppendUvarint(dst, uint64((rows+7)/8)<<1|1)
	return appendBits(dst, b.valid[from:from+rows])
}

// appendBits packs bytes of 0 and 1 into bits, the first the lowest.
func appendBits(dst, bools []byte) []byte {
	for len(bools) >= 8 {
		x := binary.LittleEndian.Uint64(bools) // one bit a byte, gathered by a multiplication
		dst = append(dst, byte(x*0x0102040810204080>>56))
		bools = bools[8:]
	}
	if len(bools) > 0 {
		var x byte
		for i, v := range bools {
			x |= v << i
		}
		dst = append(dst, x)
	}
	return dst
}

// appendIndexes appends the width of n dictionary indexes and the indexes, as
// one run when they are all the same, else packed.
func appendIndexes(dst []byte, indexes []uint32, n int) []byte {
	width := max(bits.Len(uint(n-1)), 1)
	dst = append(dst, byte(width))
	same := true
	for _, x := range indexes {
		same = same && x == indexes[0]
	}
	if same && len(indexes) > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(indexes))<<1)
		for x, i := indexes[0], 0; i < (width+7)/8; i++ {
			dst = append(dst, byte(x))
			x >>= 8
		}
		return dst
	}
	if len(indexes) == 0 {
		return dst
	}
	groups := (len(indexes) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	var hold uint64
	have := 0
	for i := range 8 * groups {
		if i < len(indexes) {
			hold |= uint64(indexes[i]) << have
		}
		for have += width; have >= 8; have -= 8 {
			dst = append(dst, byte(hold))
			hold >>= 8
		}
	}
	return dst
}
