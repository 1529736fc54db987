package parquetio

import (
	"errors"
	"fmt"
	"hash/crc32"
)

// cursor reads one column of one row group, page by page.
type cursor struct {
	file *File
	col  *Column
	win  window
	dec  decompressor
	left int64 // values of the column not yet in a page
	page int   // values of the page not yet handed out

	codec   Codec
	nulls   []bool // scratch
	levels  hybrid // of the page's definition levels
	levelsV []uint32
	values  decoder
	dict    *Dict
	began   bool   // a data page was seen
	out     []byte // the decompressed page
	vec     Vector

	// decoders, kept here so that a page allocates none
	plain   plain
	indexes indexes
	rle     rleBools
	split   splitStream
	ints    deltaInts
	lengths deltaLength
	bytes   deltaBytes
}

// newCursor begins a column of a row group with the buffers of one that is
// done, if there is any.
func newCursor(f *File, group, col int) *cursor {
	ch := f.foot.groups[group].chunks[col]
	c, ok := f.spare.Get().(*cursor)
	if !ok {
		c = new(cursor)
	}
	v := c.vec.Values
	v.Data = nil
	*c = cursor{
		file:  f,
		col:   &f.foot.cols[col],
		win:   window{r: f.r, pos: ch.start, end: ch.end, buf: c.win.buf[:0]},
		left:  ch.values,
		codec: ch.codec,
		dec:   c.dec, nulls: c.nulls, levelsV: c.levelsV, out: c.out,
		vec: Vector{Values: v, Index: c.vec.Index},
	}
	return c
}

func (c *cursor) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read column %q: %w", c.col.Name, err)
}

// avail returns how many values the current page has left, after going on to
// the next when there are none.
func (c *cursor) avail() (int, error) {
	for c.page == 0 {
		if c.left == 0 {
			return 0, fmt.Errorf("%w: a column has fewer values than its row group rows", ErrCorrupt)
		}
		if err := c.load(); err != nil {
			return 0, err
		}
	}
	return c.page, nil
}

// next decodes n values, at most what avail returned.
func (c *cursor) next(n int) error {
	v := &c.vec
	*v = Vector{Values: Values{Ints: v.Ints[:0], Floats: v.Floats[:0], Spans: v.Spans[:0]}, Index: v.Index[:0]}
	c.page -= n
	have := n
	if c.col.Optional && !c.levels.allOnes(n) {
		var err error
		if have, err = c.readLevels(n); err != nil {
			return err
		}
	}
	if err := c.values.decode(v, have); err != nil {
		return err
	}
	if c.page == 0 && c.leftover() {
		return fmt.Errorf("%w: a page holds more than its values", ErrCorrupt)
	}
	if have < n {
		c.spread(have)
	}
	return nil
}

// leftover reports whether bytes of the page were not used: a sign that its
// header, which no checksum covers, is wrong.
func (c *cursor) leftover() bool {
	switch d := c.values.(type) {
	case *plain:
		return d.physical != Boolean && d.off < len(d.b)
	case *deltaLength:
		return d.off < len(d.b)
	case *deltaBytes:
		return d.suffixes.off < len(d.suffixes.b)
	case *splitStream:
		return d.at < d.count
	}
	return false
}

// readLevels fills c.nulls and returns how many values are not null.
func (c *cursor) readLevels(n int) (have int, err error) {
	c.levelsV, c.nulls = grow(c.levelsV, n), grow(c.nulls, n)
	if err := c.levels.next(c.levelsV); err != nil {
		return 0, err
	}
	for i, l := range c.levelsV {
		c.nulls[i] = l == 0
		have += int(l)
	}
	return have, nil
}

// spread gives every row of the batch a slot.
func (c *cursor) spread(have int) {
	v := &c.vec
	v.Nulls = c.nulls
	switch {
	case v.Dict != nil:
		v.Index = spread(v.Index, c.nulls, have)
	case c.col.Physical <= Int96:
		v.Ints = spread(v.Ints, c.nulls, have)
	case c.col.Physical <= Double:
		v.Floats = spread(v.Floats, c.nulls, have)
	default:
		v.Spans = spread(v.Spans, c.nulls, have)
	}
}

// load reads the next data page, and the dictionary before it.
func (c *cursor) load() error {
	h, err := c.win.header()
	if err != nil {
		return err
	}
	if err := h.check(c.file.lim); err != nil {
		return err
	}
	switch h.kind {
	case pageData, pageDataV2:
		return c.loadData(&h)
	case pageDictionary:
		return c.loadDict(&h)
	}
	c.win.skip(int64(h.packed))
	return nil
}

// stored returns the page's bytes as stored, with their checksum verified.
func (c *cursor) stored(h *pageHeader) ([]byte, error) {
	b, err := c.win.peek(h.packed)
	if err != nil {
		return nil, err
	}
	c.win.skip(int64(h.packed))
	switch {
	case len(b) == 0: // nothing can be wrong with it
		return b, nil
	case !h.hasCRC:
		c.file.unchecked.Add(1)
		return b, nil
	case crc32.ChecksumIEEE(b) != h.crc:
		return nil, fmt.Errorf("%w: the checksum of a page does not agree", ErrCorrupt)
	}
	c.file.checked.Add(1)
	return b, nil
}

// unpack decompresses b to size bytes in *buf, or returns b when it is not
// compressed.
func (c *cursor) unpack(b []byte, size int, buf *[]byte, compressed bool) ([]byte, error) {
	if c.codec == Uncompressed || !compressed {
		if len(b) != size {
			return nil, fmt.Errorf("%w: a page has another size than it says", ErrCorrupt)
		}
		return b, nil
	}
	*buf = grow(*buf, size)
	return *buf, c.dec.into(*buf, b, c.codec)
}

func (c *cursor) loadDict(h *pageHeader) error {
	if c.dict != nil || c.began {
		return fmt.Errorf("%w: a dictionary is not where it belongs", ErrCorrupt)
	}
	if h.encoding != encPlain && h.encoding != encPlainDictionary {
		return fmt.Errorf("%w: encoding %d of a dictionary", ErrUnsupported, h.encoding)
	}
	b, err := c.stored(h)
	if err != nil {
		return err
	}
	var buf []byte
	if b, err = c.unpack(b, h.size, &buf, true); err != nil {
		return err
	}
	if buf == nil {
		b = append(buf, b...) // the window moves on
	}
	p := newPlain(c.col, b)
	if width := max(p.width, 1); c.col.Physical != Boolean && h.values > len(b)/width {
		return errLevelsShort
	}
	var v Vector
	if err := p.decode(&v, h.values); err != nil {
		return err
	}
	c.dict = &Dict{Values: v.Values, N: h.values}
	return nil
}

func (c *cursor) loadData(h *pageHeader) error {
	c.began = true
	if int64(h.values) > c.left {
		return fmt.Errorf("%w: a column has more values than its row group rows", ErrCorrupt)
	}
	b, err := c.stored(h)
	if err != nil {
		return err
	}
	if h.kind == pageDataV2 {
		b, err = c.splitV2(h, b)
	} else {
		b, err = c.splitV1(h, b)
	}
	if err != nil {
		return err
	}
	c.left -= int64(h.values)
	c.page = h.values
	return c.decoderFor(h.encoding, b)
}

// splitV1 takes the definition levels off a page.
func (c *cursor) splitV1(h *pageHeader, b []byte) ([]byte, error) {
	b, err := c.unpack(b, h.size, &c.out, true)
	if err != nil || !c.col.Optional {
		return b, err
	}
	if h.levelEncoding != encRLE {
		return nil, fmt.Errorf("%w: encoding %d of levels", ErrUnsupported, h.levelEncoding)
	}
	l, err := lengthPrefixed(b)
	if err != nil {
		return nil, err
	}
	return b[4+len(l):], c.levels.reset(l, 1)
}

// splitV2 takes the levels, which are never compressed, off a page.
func (c *cursor) splitV2(h *pageHeader, b []byte) ([]byte, error) {
	levels := h.defLevels + h.repLevels
	if c.col.Optional {
		if err := c.levels.reset(b[h.repLevels:levels], 1); err != nil {
			return nil, err
		}
	}
	// the levels stay in the window, which does not move while the page is read
	return c.unpack(b[levels:], h.size-levels, &c.out, h.compressed)
}

// decoderFor begins the values of a page.
func (c *cursor) decoderFor(encoding int, b []byte) (err error) {
	switch encoding {
	case encPlain:
		c.plain = newPlain(c.col, b)
		c.values = &c.plain
	case encPlainDictionary, encRLEDictionary:
		c.indexes, err = newIndexes(b, c.dict)
		c.values = &c.indexes
	case encRLE:
		c.rle, err = newRLEBools(b)
		c.values = &c.rle
	case encByteStreamSplit:
		c.split, err = newSplitStream(c.col, b)
		c.values = &c.split
	default:
		err = c.deltaFor(encoding, b)
	}
	if err == nil && encoding == encRLE && c.col.Physical != Boolean {
		err = fmt.Errorf("%w: encoding %d of this type", ErrUnsupported, encoding)
	}
	return err
}

func (c *cursor) deltaFor(encoding int, b []byte) (err error) {
	bytesLike := c.col.Physical == ByteArray || c.col.Physical == FixedLen
	switch {
	case encoding == encDeltaBinary && (c.col.Physical == Int32 || c.col.Physical == Int64):
		c.ints = deltaInts{narrow: c.col.Physical == Int32, signed: !c.col.Unsigned}
		c.ints.d, err = newDelta(b)
		c.values = &c.ints
	case encoding == encDeltaLength && c.col.Physical == ByteArray:
		c.lengths, err = newDeltaLength(b)
		c.values = &c.lengths
	case encoding == encDeltaByteArray && bytesLike:
		c.bytes, err = newDeltaBytes(b)
		c.values = &c.bytes
	default:
		err = fmt.Errorf("%w: encoding %d of this type", ErrUnsupported, encoding)
	}
	return err
}

// skip passes over n values. Pages that lie in them as a whole are not
// decoded.
func (c *cursor) skip(n int64) error {
	for n > 0 {
		if c.page == 0 {
			passed, err := c.skipPage(n)
			if n -= passed; err != nil {
				return err
			}
			continue
		}
		k := int(min(n, int64(c.page), 4096))
		if err := c.next(k); err != nil {
			return err
		}
		n -= int64(k)
	}
	return nil
}

// skipPage passes over the next page if it has at most n values, and else
// loads it. It returns how many values it passed over.
func (c *cursor) skipPage(n int64) (int64, error) {
	at := c.win.pos
	h, err := c.win.header()
	if err == nil {
		err = h.check(c.file.lim)
	}
	if err != nil {
		return 0, err
	}
	if h.kind == pageDictionary || int64(h.values) > n {
		c.win.pos = at
		return 0, c.load()
	}
	if int64(h.packed) > c.win.end-c.win.pos || int64(h.values) > c.left {
		return 0, fmt.Errorf("%w: a page ends beyond its column", ErrCorrupt)
	}
	c.win.skip(int64(h.packed))
	if h.kind != pageData && h.kind != pageDataV2 {
		return 0, nil
	}
	c.began = true
	c.left -= int64(h.values)
	return int64(h.values), nil
}

// finish checks that the column has no more values than its row group rows.
func (c *cursor) finish() error {
	if c.page > 0 || c.left > 0 {
		return fmt.Errorf("%w: a column has more values than were read", ErrCorrupt)
	}
	for c.win.pos < c.win.end {
		h, err := c.win.header()
		if errors.Is(err, ErrCorrupt) {
			return nil // padding
		}
		if err != nil {
			return err
		}
		if (h.kind == pageData || h.kind == pageDataV2) && h.values > 0 {
			return fmt.Errorf("%w: a column has more values than its row group rows", ErrCorrupt)
		}
		c.win.skip(int64(max(h.packed, 0)))
	}
	return nil
}
