package parquetio

import "fmt"

type pageHeader struct {
	kind         int
	size, packed int // bytes, decompressed and as stored
	crc          uint32
	hasCRC       bool
	values       int
	encoding     int
	// data page v1
	levelEncoding int
	// data page v2
	nulls, rows          int
	defLevels, repLevels int // bytes
	compressed           bool
}

func readPageHeader(t *thrift) pageHeader {
	h := pageHeader{kind: -1, size: -1, packed: -1, values: -1, encoding: -1, compressed: true}
	t.fields(func(id int, typ byte) bool {
		switch {
		case id == 1 && typ == thriftI32:
			h.kind = t.i32()
		case id == 2 && typ == thriftI32:
			h.size = t.i32()
		case id == 3 && typ == thriftI32:
			h.packed = t.i32()
		case id == 4 && typ == thriftI32:
			h.crc, h.hasCRC = uint32(t.i32()), true
		case id == 5 && typ == thriftStruct:
			h.readInts(t, &h.values, &h.encoding, &h.levelEncoding)
		case id == 7 && typ == thriftStruct:
			h.readInts(t, &h.values, &h.encoding)
		case id == 8 && typ == thriftStruct:
			h.readInts(t, &h.values, &h.nulls, &h.rows, &h.encoding, &h.defLevels, &h.repLevels)
		default:
			return false
		}
		return true
	})
	return h
}

// readInts reads a struct whose fields 1, 2, … are the given integers. Field
// 7 of a data page v2 says whether its values are compressed.
func (h *pageHeader) readInts(t *thrift, dst ...*int) {
	t.fields(func(id int, typ byte) bool {
		switch {
		case id >= 1 && id <= len(dst) && typ == thriftI32:
			*dst[id-1] = t.i32()
		case id == 7 && (typ == thriftTrue || typ == thriftFalse):
			h.compressed = typ == thriftTrue
		default:
			return false
		}
		return true
	})
}

// indexed reports whether the page holds positions in a dictionary.
func (h *pageHeader) indexed() bool {
	return h.kind != pageDictionary && (h.encoding == encPlainDictionary || h.encoding == encRLEDictionary)
}

// check compares the header's sizes with the limit before anything is
// allocated. That the stored size lies within the column is checked when the
// page is read.
func (h *pageHeader) check(lim Limits) error {
	if h.size < 0 || h.packed < 0 {
		return fmt.Errorf("%w: a page has no size", ErrCorrupt)
	}
	if int64(h.size) > lim.Page || int64(h.packed) > lim.Page {
		return fmt.Errorf("%w: a page has %d bytes, at most %d are accepted", ErrLimit, max(h.size, h.packed), lim.Page)
	}
	if (h.kind == pageData || h.kind == pageDataV2 || h.kind == pageDictionary) && h.values < 0 {
		return fmt.Errorf("%w: a page has no number of values", ErrCorrupt)
	}
	if h.kind != pageDataV2 {
		return nil
	}
	if h.defLevels < 0 || h.repLevels < 0 || h.defLevels > h.size || h.repLevels > h.size-h.defLevels || h.defLevels+h.repLevels > h.packed {
		return fmt.Errorf("%w: the levels of a page are longer than the page", ErrCorrupt)
	}
	return nil
}
