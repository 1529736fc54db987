package parquetio

import (
	"fmt"
	"math"
)

// chunk is where the values of one column of one row group lie.
type chunk struct {
	start, end int64 // bytes in the file
	values     int64
	codec      Codec
}

type rowGroup struct {
	rows   int64
	chunks []chunk // by leaf; a chunk that is not at the root is zero
}

type footer struct {
	rows    int64
	cols    []Column
	ignored []string
	leaves  int
	groups  []rowGroup
	created string
}

// readFooter parses the footer b of a file whose pages end at dataEnd.
func readFooter(b []byte, dataEnd int64, lim Limits) (*footer, error) {
	f := &footer{rows: -1}
	t := &thrift{b: b}
	var els []element
	var schemaErr error
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 2 && typ == thriftList:
			els = readSchema(t, lim)
			if t.err == nil {
				f.cols, f.ignored, f.leaves, schemaErr = rootColumns(els)
			}
			if schemaErr != nil && t.err == nil {
				t.err = schemaErr
			}
		case id == 3 && typ == thriftI64:
			f.rows = t.varint()
		case id == 4 && typ == thriftList:
			f.readGroups(t, dataEnd, lim)
		case id == 6 && typ == thriftBinary:
			f.created = string(t.bytes())
		case id == 8:
			t.err = fmt.Errorf("%w: encryption", ErrUnsupported)
		default:
			return false
		}
		return true
	})
	if t.err != nil {
		return nil, t.err
	}
	return f, f.check(lim)
}

func readSchema(t *thrift, lim Limits) []element {
	var els []element
	t.each(thriftStruct, func() {
		if len(els) >= lim.Columns {
			t.err = fmt.Errorf("%w: the schema has more than %d elements", ErrLimit, lim.Columns)
			return
		}
		els = append(els, readElement(t))
	})
	return els
}

func (f *footer) readGroups(t *thrift, dataEnd int64, lim Limits) {
	if f.leaves == 0 {
		t.fail("row groups come before the schema")
	}
	t.each(thriftStruct, func() {
		if len(f.groups) >= lim.RowGroups {
			t.err = fmt.Errorf("%w: it has more than %d row groups", ErrLimit, lim.RowGroups)
			return
		}
		g := f.readGroup(t, dataEnd)
		f.groups = append(f.groups, g)
	})
}

// readGroup keeps the chunks of columns at the root only.
func (f *footer) readGroup(t *thrift, dataEnd int64) rowGroup {
	g := rowGroup{rows: -1}
	leaf, next := 0, 0
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftList:
			t.each(thriftStruct, func() {
				c, physical, err := readChunk(t, dataEnd)
				if next < len(f.cols) && f.cols[next].leaf == leaf {
					if err == nil && physical != int(f.cols[next].Physical) {
						err = fmt.Errorf("%w: the type of column %q differs between schema and row group", ErrCorrupt, f.cols[next].Name)
					}
					if err != nil && t.err == nil {
						t.err = err
					}
					g.chunks = append(g.chunks, c)
					next++
				}
				leaf++
			})
		case id == 3 && typ == thriftI64:
			g.rows = t.varint()
		default:
			return false
		}
		return true
	})
	if t.err == nil && leaf != f.leaves {
		t.err = fmt.Errorf("%w: a row group has %d columns, the schema %d", ErrCorrupt, leaf, f.leaves)
	}
	return g
}

func readChunk(t *thrift, dataEnd int64) (c chunk, physical int, err error) {
	m := chunkMeta{typ: -1, codec: -1, values: -1, size: -1, data: -1}
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftBinary:
			if len(t.bytes()) > 0 {
				err = fmt.Errorf("%w: a column lies in another file", ErrUnsupported)
			}
		case id == 3 && typ == thriftStruct:
			m.read(t)
		case id == 8:
			err = fmt.Errorf("%w: encryption", ErrUnsupported)
			return false
		default:
			return false
		}
		return true
	})
	if err != nil {
		return c, m.typ, err
	}
	c, err = m.chunk(dataEnd)
	return c, m.typ, err
}

// chunkMeta is ColumnMetaData as far as it is used.
type chunkMeta struct {
	typ, codec               int
	values, size, data, dict int64
}

func (m *chunkMeta) read(t *thrift) {
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftI32:
			m.typ = t.i32()
		case id == 4 && typ == thriftI32:
			m.codec = t.i32()
		case id == 5 && typ == thriftI64:
			m.values = t.varint()
		case id == 7 && typ == thriftI64:
			m.size = t.varint()
		case id == 9 && typ == thriftI64:
			m.data = t.varint()
		case id == 11 && typ == thriftI64:
			m.dict = t.varint()
		default:
			return false
		}
		return true
	})
}

func (m *chunkMeta) chunk(dataEnd int64) (chunk, error) {
	start := m.data
	if m.dict >= int64(len(magic)) && m.dict < start {
		start = m.dict
	}
	if m.values < 0 || m.codec < 0 || m.codec > math.MaxUint8 {
		return chunk{}, fmt.Errorf("%w: a column lacks its size or codec", ErrCorrupt)
	}
	if start < int64(len(magic)) || m.size < 0 || start > dataEnd || m.size > dataEnd-start {
		return chunk{}, fmt.Errorf("%w: a column lies outside the file", ErrCorrupt)
	}
	return chunk{start: start, end: start + m.size, values: m.values, codec: Codec(m.codec)}, nil
}

// check compares the row counts of footer, row groups and columns.
func (f *footer) check(lim Limits) error {
	if f.leaves == 0 || f.rows < 0 {
		return fmt.Errorf("%w: the footer lacks its schema or row count", ErrCorrupt)
	}
	if f.rows > lim.Rows {
		return fmt.Errorf("%w: it has %d rows, at most %d are accepted", ErrLimit, f.rows, lim.Rows)
	}
	left := f.rows
	for i, g := range f.groups {
		if g.rows < 0 || g.rows > left {
			return fmt.Errorf("%w: row counts are not consistent: row group %d and the footer", ErrCorrupt, i+1)
		}
		left -= g.rows
		for j, c := range g.chunks {
			if c.values != g.rows {
				return fmt.Errorf("%w: row counts are not consistent: row group %d has %d rows, its column %q %d values",
					ErrCorrupt, i+1, g.rows, f.cols[j].Name, c.values)
			}
		}
	}
	if left != 0 {
		return fmt.Errorf("%w: row counts are not consistent: the row groups have %d rows, the footer %d", ErrCorrupt, f.rows-left, f.rows)
	}
	return nil
}
