package report

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
	"strings"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Sizes of what a Parquet file is made of. They bound the memory of a writer
// and are part of what makes the bytes of a file: change them and every file
// changes.
const (
	pageRows   = 8192
	pageBytes  = 4 << 20
	groupPages = 8
)

// parquetFile writes a table as Parquet, version 1 data pages with checksums,
// compressed with zstd. Its cells are appended by one goroutine; pages are
// encoded, hashed and written by another.
//
// It writes pages itself, because the tables hold a few hundred thousand rows
// of some twenty columns on the way of every run, and a general writer that
// takes a value at a time needs several times the time.
type parquetFile struct {
	file   *stagedFile
	cols   []column
	page   *page // being filled
	pages  int   // handed over in this row group
	dicts  []dict
	full   chan *page
	free   chan *page
	done   chan error
	failed atomic.Bool
}

// page holds some consecutive rows.
type page struct {
	cols  []pageColumn
	rows  int
	size  int // bytes of plain values, about
	dicts []dict
	last  bool // of its row group
}

// pageColumn holds one column of a page.
type pageColumn struct {
	optional bool
	dict     *dict
	data     []byte   // plain values
	index    []uint32 // instead of data, with a dictionary
	present  []byte   // 0 or 1 a row, if optional
	nulls    int
	few      bool
	kind     kind
	page     *page
}

// dict numbers the values of a column with few different ones, anew for each
// row group.
type dict struct {
	ids    map[string]uint32
	names  []string
	values []byte // plain
	last   uint32
}

func (d *dict) id(s string) uint32 {
	if len(d.names) > 0 && s == d.names[d.last] {
		return d.last
	}
	id, ok := d.ids[s]
	if !ok {
		s = strings.Clone(s)
		id = uint32(len(d.names))
		d.ids[s] = id
		d.names = append(d.names, s)
		d.values = appendText(d.values, s)
	}
	d.last = id
	return id
}

func appendText(b []byte, s string) []byte {
	return append(binary.LittleEndian.AppendUint32(b, uint32(len(s))), s...)
}

func newParquet(f *stagedFile, cols []column) (*parquetFile, error) {
	if _, err := f.Write([]byte("PAR1")); err != nil {
		return nil, err
	}
	enc, err := newEncoder(f, cols)
	if err != nil {
		return nil, err
	}
	p := &parquetFile{file: f, cols: cols, dicts: newDicts(cols),
		full: make(chan *page, 1), free: make(chan *page, 2), done: make(chan error, 1)}
	for range cap(p.free) {
		p.free <- newPage(cols)
	}
	p.take()
	go p.drain(enc)
	return p, nil
}

func newDicts(cols []column) []dict {
	d := make([]dict, len(cols))
	for i := range cols {
		if cols[i].few {
			d[i].ids = make(map[string]uint32)
		}
	}
	return d
}

func newPage(cols []column) *page {
	p := &page{cols: make([]pageColumn, len(cols))}
	for i := range cols {
		p.cols[i] = pageColumn{optional: cols[i].optional, few: cols[i].few, kind: cols[i].kind, page: p}
	}
	return p
}

// take gets an empty page to fill.
func (p *parquetFile) take() {
	g := <-p.free
	g.rows, g.size, g.last, g.dicts = 0, 0, false, nil
	for i := range g.cols {
		c := &g.cols[i]
		c.data, c.index, c.present, c.nulls = c.data[:0], c.index[:0], c.present[:0], 0
		if p.cols[i].few {
			c.dict = &p.dicts[i]
		}
	}
	p.page = g
}

// drain encodes until there is no more; after an error it only takes.
func (p *parquetFile) drain(enc *encoder) {
	var err error
	for g := range p.full {
		if err == nil {
			if err = enc.add(g); err != nil {
				p.failed.Store(true)
			}
		}
		p.free <- g
	}
	if err == nil {
		err = enc.finish()
	}
	p.done <- err
}

// end ends a row.
func (p *parquetFile) end() {
	p.page.rows++
	if p.page.rows >= pageRows || p.page.size >= pageBytes {
		p.pages++
		p.hand(p.pages >= groupPages)
		p.take()
	}
}

// hand gives the page away. The dictionaries go with the last page of a row
// group.
func (p *parquetFile) hand(last bool) {
	p.page.last = last
	if last {
		p.page.dicts = p.dicts
		p.pages, p.dicts = 0, newDicts(p.cols)
	}
	for i := range p.page.cols {
		p.page.cols[i].dict = nil
	}
	p.full <- p.page
}

// close hands over the rest and returns the first error of writing.
func (p *parquetFile) close() error {
	p.hand(true)
	close(p.full)
	return <-p.done
}

// null leaves the cell empty.
func (c *pageColumn) null() {
	if c.optional {
		c.present = append(c.present, 0)
		c.nulls++
		return
	}
	switch c.kind {
	case text:
		c.text("")
	case day:
		c.int32(0)
	default:
		c.int64(0)
	}
}

func (c *pageColumn) mark() {
	if c.optional {
		c.present = append(c.present, 1)
	}
}

// text adds a string; an empty one is null where that is allowed.
func (c *pageColumn) text(s string) {
	if s == "" && c.optional {
		c.null()
		return
	}
	c.mark()
	if c.dict != nil {
		c.index = append(c.index, c.dict.id(s))
		return
	}
	c.data = appendText(c.data, s)
	c.page.size += len(s)
}

// bytes adds text that is not empty.
func (c *pageColumn) bytes(b []byte) {
	c.mark()
	c.data = append(binary.LittleEndian.AppendUint32(c.data, uint32(len(b))), b...)
}

func (c *pageColumn) int64(v int64) {
	c.mark()
	c.data = binary.LittleEndian.AppendUint64(c.data, uint64(v))
}

func (c *pageColumn) int32(v int32) {
	c.mark()
	c.data = binary.LittleEndian.AppendUint32(c.data, uint32(v))
}

// encoder makes pages into a file, a row group at a time.
type encoder struct {
	file   *stagedFile
	zstd   *zstd.Encoder
	meta   *format.FileMetaData
	chunks []chunk
	cols   []column
	rows   int64 // of the row group
	body   []byte
	packed []byte
}

// chunk is one column of a row group.
type chunk struct {
	data  []byte // headers and compressed pages
	plain int64  // its size before compression
	nulls int64
}

func newEncoder(f *stagedFile, cols []column) (*encoder, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, err
	}
	return &encoder{file: f, zstd: z, cols: cols, chunks: make([]chunk, len(cols)), meta: fileMeta(cols)}, nil
}

// add encodes one page of every column.
func (e *encoder) add(g *page) error {
	for i := range g.cols {
		if g.rows == 0 {
			break
		}
		if err := e.dataPage(&e.chunks[i], &g.cols[i], g.rows); err != nil {
			return err
		}
	}
	e.rows += int64(g.rows)
	if !g.last || e.rows == 0 {
		return nil
	}
	return e.group(g.dicts)
}

func (e *encoder) dataPage(ch *chunk, c *pageColumn, rows int) error {
	e.body = e.body[:0]
	if c.optional {
		e.body = append(e.body, 0, 0, 0, 0)
		e.body = appendLevels(e.body, c.present, c.nulls)
		binary.LittleEndian.PutUint32(e.body, uint32(len(e.body)-4))
	}
	enc := format.Plain
	if c.few {
		enc = format.RLEDictionary
		e.body = appendIndexes(e.body, c.index)
	} else {
		e.body = append(e.body, c.data...)
	}
	ch.nulls += int64(c.nulls)
	return e.page(ch, format.PageHeader{Type: format.DataPage, DataPageHeader: thrift.New(format.DataPageHeader{
		NumValues: int32(rows), Encoding: enc,
		DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		Statistics: format.Statistics{NullCount: int64(c.nulls)},
	})})
}

// page compresses the body and appends it with its header to the chunk.
func (e *encoder) page(ch *chunk, h format.PageHeader) error {
	e.packed = e.zstd.EncodeAll(e.body, e.packed[:0])
	h.UncompressedPageSize = int32(len(e.body))
	h.CompressedPageSize = int32(len(e.packed))
	h.CRC = int32(crc32.ChecksumIEEE(e.packed))
	head, err := thrift.Marshal(new(thrift.CompactProtocol), &h)
	if err != nil {
		return err
	}
	ch.data = append(append(ch.data, head...), e.packed...)
	ch.plain += int64(len(head) + len(e.body))
	return nil
}

// group writes the row group that was gathered.
func (e *encoder) group(dicts []dict) error {
	rg := format.RowGroup{NumRows: e.rows, FileOffset: e.file.size, Ordinal: int16(len(e.meta.RowGroups))}
	for i := range e.chunks {
		m, err := e.writeChunk(i, &dicts[i])
		if err != nil {
			return err
		}
		rg.Columns = append(rg.Columns, m)
		rg.TotalByteSize += m.MetaData.TotalUncompressedSize
		rg.TotalCompressedSize += m.MetaData.TotalCompressedSize
		e.chunks[i] = chunk{data: e.chunks[i].data[:0]}
	}
	e.meta.RowGroups = append(e.meta.RowGroups, rg)
	e.meta.NumRows += e.rows
	e.rows = 0
	return nil
}

// writeChunk writes a column's dictionary, if it has one, and its pages.
func (e *encoder) writeChunk(i int, d *dict) (format.ColumnChunk, error) {
	ch, start := &e.chunks[i], e.file.size
	m := chunkMeta(&e.cols[i], e.rows, ch.nulls)
	m.DataPageOffset = start
	if e.cols[i].few {
		var dc chunk
		e.body = append(e.body[:0], d.values...)
		err := e.page(&dc, format.PageHeader{Type: format.DictionaryPage, DictionaryPageHeader: thrift.New(
			format.DictionaryPageHeader{NumValues: int32(len(d.ids)), Encoding: format.Plain})})
		if err != nil {
			return format.ColumnChunk{}, err
		}
		if _, err := e.file.Write(dc.data); err != nil {
			return format.ColumnChunk{}, err
		}
		m.DictionaryPageOffset = start
		m.DataPageOffset = e.file.size
		ch.plain += dc.plain
	}
	if _, err := e.file.Write(ch.data); err != nil {
		return format.ColumnChunk{}, err
	}
	m.TotalCompressedSize = e.file.size - start
	m.TotalUncompressedSize = ch.plain
	return format.ColumnChunk{MetaData: m}, nil
}

// finish writes the footer.
func (e *encoder) finish() error {
	foot, err := thrift.Marshal(new(thrift.CompactProtocol), e.meta)
	if err != nil {
		return err
	}
	foot = binary.LittleEndian.AppendUint32(foot, uint32(len(foot)))
	_, err = e.file.Write(append(foot, "PAR1"...))
	return err
}

// appendLevels appends the definition levels of rows in the RLE/bit-packed
// hybrid encoding, one bit each.
func appendLevels(b, present []byte, nulls int) []byte {
	switch nulls {
	case 0:
		return append(binary.AppendUvarint(b, uint64(len(present))<<1), 1)
	case len(present):
		return append(binary.AppendUvarint(b, uint64(len(present))<<1), 0)
	}
	groups := (len(present) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	for i := range groups {
		var v byte
		for j, p := range present[i*8 : min(i*8+8, len(present))] {
			v |= p << j
		}
		b = append(b, v)
	}
	return b
}

// appendIndexes appends dictionary indexes in the RLE/bit-packed hybrid
// encoding, after their width in bits.
func appendIndexes(b []byte, index []uint32) []byte {
	var top uint32
	same := true
	for _, v := range index {
		top = max(top, v)
		same = same && v == index[0]
	}
	width := max(bits.Len32(top), 1)
	b = append(b, byte(width))
	if len(index) == 0 {
		return b
	}
	if same {
		b = binary.AppendUvarint(b, uint64(len(index))<<1)
		for v, n := index[0], (width+7)/8; n > 0; n-- {
			b = append(b, byte(v))
			v >>= 8
		}
		return b
	}
	return appendPacked(b, index, width)
}

func appendPacked(b []byte, index []uint32, width int) []byte {
	groups := (len(index) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	want := len(b) + groups*width
	var acc uint64
	var n int
	for _, v := range index {
		acc |= uint64(v) << n
		for n += width; n >= 8; n -= 8 {
			b = append(b, byte(acc))
			acc >>= 8
		}
	}
	for ; len(b) < want; acc >>= 8 {
		b = append(b, byte(acc))
	}
	return b
}
