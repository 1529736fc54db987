package report

import (
	"encoding/binary"
	"strings"
	"sync/atomic"
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
