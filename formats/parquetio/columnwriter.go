package parquetio

import (
	"encoding/binary"
	"hash/crc32"
	"math"
	"math/bits"
	"unsafe"
)

// ColumnWriter takes the values of one column, one a row.
type ColumnWriter struct {
	w      *Writer
	col    Column
	dict   *dictWriter // nil when the column has none
	values []byte      // of the page: PLAIN values, or one byte a Boolean
	index  []uint32    // of the page, while the dictionary lasts
	levels []byte      // of the page: 1 for a value, 0 for a null
	nulls  int         // of the page
	inPage int         // rows of the page
	rows   int         // of the row group
	pages  []byte      // of the row group, ready to be written
	plain  int64       // bytes of pages before compression
	tmp    []byte
	num    []byte
	head   thriftWriter
}

// Null adds a null to an optional column.
func (c *ColumnWriter) Null() {
	c.levels = append(c.levels, 0)
	c.nulls++
	c.added()
}

// Int adds a value to an Int32, Int64 or (0 and 1) Boolean column.
func (c *ColumnWriter) Int(v int64) {
	c.present()
	switch {
	case c.dict != nil && c.dict.open:
		c.num = binary.LittleEndian.AppendUint64(c.num[:0], uint64(v))
		b := c.num[:plainWidth[c.col.Physical]] // the low bytes come first
		c.index = append(c.index, c.dict.add(unsafe.String(&b[0], len(b))))
	case c.col.Physical == Boolean:
		c.values = append(c.values, byte(v))
	case c.col.Physical == Int32:
		c.values = binary.LittleEndian.AppendUint32(c.values, uint32(v))
	default:
		c.values = binary.LittleEndian.AppendUint64(c.values, uint64(v))
	}
	c.added()
}

// Float adds a value to a Double column.
func (c *ColumnWriter) Float(v float64) {
	c.present()
	c.values = binary.LittleEndian.AppendUint64(c.values, math.Float64bits(v))
	c.added()
}

// String adds a value to a ByteArray column.
func (c *ColumnWriter) String(s string) {
	c.present()
	if c.dict != nil && c.dict.open {
		c.index = append(c.index, c.dict.add(s))
	} else {
		c.values = binary.LittleEndian.AppendUint32(c.values, uint32(len(s)))
		c.values = append(c.values, s...)
	}
	c.added()
}

func (c *ColumnWriter) present() {
	if c.col.Optional {
		c.levels = append(c.levels, 1)
	}
}

// added ends a row, and a page when it is full.
func (c *ColumnWriter) added() {
	c.rows++
	c.inPage++
	if len(c.values) < c.w.opt.PageBytes && c.inPage < maxPageRows && (c.dict == nil || c.dict.fits()) {
		return
	}
	c.endPage()
	if c.dict != nil && !c.dict.fits() {
		c.dict.open = false
	}
}

// endPage encodes the page and adds it to the row group.
func (c *ColumnWriter) endPage() {
	if c.inPage == 0 {
		return
	}
	b, encoding := c.appendLevels(c.tmp[:0]), encPlain
	switch {
	case c.dict != nil && c.dict.open && c.dict.n > 0:
		width := bits.Len(uint(max(c.dict.n, 1) - 1))
		b = appendHybrid(append(b, byte(width)), c.index, width)
		encoding = encRLEDictionary
	case c.col.Physical == Boolean:
		b = appendBits(b, c.values)
	default:
		b = append(b, c.values...)
	}
	c.tmp = b
	c.pages = c.page(c.pages, b, func(t *thriftWriter) {
		t.inner(5, func() {
			t.i32(1, c.inPage)
			t.i32(2, encoding)
			t.i32(3, encRLE)
			t.i32(4, encRLE)
		})
	}, pageData)
	c.values, c.index, c.levels = c.values[:0], c.index[:0], c.levels[:0]
	c.inPage, c.nulls = 0, 0
}

// appendLevels writes the definition levels of a page in the hybrid encoding,
// with their length before them.
func (c *ColumnWriter) appendLevels(b []byte) []byte {
	if !c.col.Optional {
		return b
	}
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	switch c.nulls {
	case 0, c.inPage:
		b = binary.AppendUvarint(b, uint64(c.inPage)<<1)
		b = append(b, c.levels[0])
	default:
		b = binary.AppendUvarint(b, uint64(c.inPage+7)/8<<1|1)
		b = appendBits(b, c.levels)
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}

// page appends a page, its header first, to dst.
func (c *ColumnWriter) page(dst, b []byte, header func(*thriftWriter), kind int) []byte {
	packed := c.w.packer.pack(b)
	t := &c.head
	t.b = t.b[:0]
	t.begin()
	t.i32(1, kind)
	t.i32(2, len(b))
	t.i32(3, len(packed))
	t.i32(4, int(int32(crc32.ChecksumIEEE(packed))))
	header(t)
	t.end()
	c.plain += int64(len(t.b) + len(b))
	return append(append(dst, t.b...), packed...)
}

// flush writes the column's part of the row group and begins the next.
func (c *ColumnWriter) flush() writtenChunk {
	c.endPage()
	at := writtenChunk{start: c.w.at}
	if c.dict != nil && c.dict.n > 0 {
		at.dict = c.w.at
		c.w.write(c.page(nil, c.dict.values, func(t *thriftWriter) {
			t.inner(7, func() {
				t.i32(1, c.dict.n)
				t.i32(2, encPlain)
			})
		}, pageDictionary))
	}
	at.data = c.w.at
	c.w.write(c.pages)
	at.size, at.unpacked = c.w.at-at.start, c.plain
	c.pages, c.plain, c.rows = c.pages[:0], 0, 0
	if c.dict != nil {
		c.dict.reset()
	}
	return at
}

// appendHybrid writes values as one repeated run when they are all the same,
// else bit-packed.
func appendHybrid(b []byte, values []uint32, width int) []byte {
	if len(values) == 0 {
		return b
	}
	if same(values) {
		b = binary.AppendUvarint(b, uint64(len(values))<<1)
		for v, n := values[0], width; n > 0; n -= 8 {
			b = append(b, byte(v))
			v >>= 8
		}
		return b
	}
	groups := (len(values) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	end := len(b) + groups*width
	var acc uint64
	var n int
	for _, v := range values {
		acc |= uint64(v) << n
		for n += width; n >= 8; n -= 8 {
			b = append(b, byte(acc))
			acc >>= 8
		}
	}
	if n > 0 {
		b = append(b, byte(acc))
	}
	for len(b) < end {
		b = append(b, 0)
	}
	return b
}

func same(values []uint32) bool {
	for _, v := range values {
		if v != values[0] {
			return false
		}
	}
	return true
}

// appendBits packs bytes of 0 and 1 into bits.
func appendBits(b, values []byte) []byte {
	for len(values) >= 8 {
		v := binary.LittleEndian.Uint64(values)
		b = append(b, byte(v*0x0102040810204080>>56))
		values = values[8:]
	}
	var last byte
	for i, v := range values {
		last |= v << i
	}
	if len(values) > 0 {
		b = append(b, last)
	}
	return b
}
