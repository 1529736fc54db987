package parquetio

import (
	"fmt"
	"math"
)

// element is a node of the schema as the footer lists it: depth first, each
// with the number of its children.
type element struct {
	col      Column
	typ      int // physical type; -1 for a group
	children int
	repeat   int // 0 required, 1 optional, 2 repeated
	conv     int // deprecated converted type; -1 when absent
	logical  bool
}

func readElement(t *thrift) element {
	e := element{typ: -1, conv: -1}
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftI32:
			e.typ = t.i32()
		case id == 2 && typ == thriftI32:
			e.col.Width = t.i32()
		case id == 3 && typ == thriftI32:
			e.repeat = t.i32()
		case id == 4 && typ == thriftBinary:
			e.col.Name = string(t.bytes())
		case id == 5 && typ == thriftI32:
			e.children = t.i32()
		case id == 6 && typ == thriftI32:
			e.conv = t.i32()
		case id == 7 && typ == thriftI32:
			e.col.Scale = t.i32()
		case id == 10 && typ == thriftStruct:
			e.logical = true
			readLogical(t, &e.col)
		default:
			return false
		}
		return true
	})
	return e
}

// readLogical reads the LogicalType union.
func readLogical(t *thrift, c *Column) {
	t.fields(func(id int, typ byte) bool {
		if typ != thriftStruct {
			return false
		}
		switch id {
		case 1, 4, 12:
			c.Logical = String
		case 5:
			c.Logical = Decimal
			readDecimal(t, c)
			return true
		case 6:
			c.Logical = Date
		case 7, 8:
			c.Logical = Time
			if id == 8 {
				c.Logical = Timestamp
			}
			readTime(t, c)
			return true
		case 10:
			readInteger(t, c)
			return true
		case 14:
			c.Logical = UUID
		}
		return false
	})
}

func readDecimal(t *thrift, c *Column) {
	t.fields(func(id int, typ byte) bool {
		if id == 1 && typ == thriftI32 {
			c.Scale = t.i32()
			return true
		}
		return false
	})
}

func readTime(t *thrift, c *Column) {
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && (typ == thriftTrue || typ == thriftFalse):
			c.UTC = typ == thriftTrue
		case id == 2 && typ == thriftStruct:
			t.fields(func(unit int, typ byte) bool {
				if unit >= 1 && unit <= 3 {
					c.Unit = Unit(unit - 1)
				}
				return false
			})
		default:
			return false
		}
		return true
	})
}

func readInteger(t *thrift, c *Column) {
	t.fields(func(id int, typ byte) bool {
		if id == 2 && (typ == thriftTrue || typ == thriftFalse) {
			c.Unsigned = typ == thriftFalse
			return true
		}
		return false
	})
}

// converted applies the deprecated converted type, which older writers use
// alone.
func (e *element) converted() {
	c := &e.col
	switch e.conv {
	case 0, 4, 19:
		c.Logical = String
	case 5:
		c.Logical = Decimal
	case 6:
		c.Logical = Date
	case 7, 8:
		c.Logical, c.Unit = Time, Unit(e.conv-7)
	case 9, 10:
		c.Logical, c.Unit, c.UTC = Timestamp, Unit(e.conv-9), true
	case 11, 12, 13, 14:
		c.Unsigned = true
	}
}

// finish checks a leaf at the root and settles what its values mean.
func (e *element) finish() (Column, error) {
	c := e.col
	if e.typ < 0 || e.typ > int(FixedLen) {
		return c, fmt.Errorf("%w: column %q has an unknown type", ErrCorrupt, c.Name)
	}
	c.Physical = Physical(e.typ)
	c.Optional = e.repeat == 1
	if c.Physical == FixedLen && (c.Width <= 0 || c.Width > math.MaxInt16) {
		return c, fmt.Errorf("%w: column %q has a fixed length of %d", ErrCorrupt, c.Name, c.Width)
	}
	if c.Physical != FixedLen {
		c.Width = 0 // some writers give the bits of a number
	}
	if c.Physical == Int96 {
		c.Logical, c.Unit, c.UTC = Timestamp, Micros, true
	}
	if c.Scale < 0 || c.Scale > 1000 {
		return c, fmt.Errorf("%w: column %q has a scale of %d", ErrCorrupt, c.Name, c.Scale)
	}
	return c, nil
}

// rootColumns walks the schema. It returns the columns at the root, the names
// of what is nested or repeated, and the number of leaves.
func rootColumns(els []element) (cols []Column, ignored []string, leaves int, err error) {
	if len(els) == 0 || els[0].children <= 0 || els[0].children >= len(els) {
		return nil, nil, 0, fmt.Errorf("%w: the schema has no columns", ErrCorrupt)
	}
	pos := 1
	for i := 0; i < els[0].children; i++ {
		if pos >= len(els) {
			return nil, nil, 0, errSchemaShort
		}
		e := &els[pos]
		if e.children == 0 && e.typ >= 0 && e.repeat != 2 {
			c, err := e.withMeaning().finish()
			if err != nil {
				return nil, nil, 0, err
			}
			c.leaf = leaves
			cols = append(cols, c)
			pos, leaves = pos+1, leaves+1
			continue
		}
		ignored = append(ignored, e.col.Name)
		if pos, leaves, err = skipTree(els, pos, leaves); err != nil {
			return nil, nil, 0, err
		}
	}
	if pos != len(els) {
		return nil, nil, 0, fmt.Errorf("%w: the schema has elements without a parent", ErrCorrupt)
	}
	return cols, ignored, leaves, nil
}

var errSchemaShort = fmt.Errorf("%w: the schema names children that are not there", ErrCorrupt)

func (e *element) withMeaning() *element {
	if !e.logical {
		e.converted()
	}
	return e
}

// skipTree passes over the subtree at pos. It counts open children instead of
// recursing, so that depth costs nothing.
func skipTree(els []element, pos, leaves int) (int, int, error) {
	for open := 1; open > 0; open-- {
		if pos >= len(els) || els[pos].children < 0 || els[pos].children > len(els) {
			return 0, 0, errSchemaShort
		}
		if els[pos].children == 0 {
			leaves++
		}
		open += els[pos].children
		pos++
	}
	return pos, leaves, nil
}
