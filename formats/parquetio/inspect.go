package parquetio

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/parquet-go/parquet-go/encoding/delta"
)

// Before a page goes to parquet-go its decompressed bytes are looked over: the
// runs of levels and dictionary indexes, the counts of delta encodings and the
// length of plain values must give as many values as the page's header says.
// Otherwise parquet-go would allocate by a claim, or hand out fewer or other
// values without an error.

var errCounts = fmt.Errorf("%w: a page holds another number of values than it says", ErrCorrupt)

// pageBody splits a page's bytes into levels and values, and says how many
// values are not null.
func (h *pageHeader) pageBody(c *Column, b []byte) (values []byte, present int, err error) {
	levels := []byte(nil)
	switch {
	case h.kind == pageDataV2:
		levels, b = b[h.repLevels:h.repLevels+h.defLevels], b[h.repLevels+h.defLevels:]
	case c.Optional:
		if h.levelEncoding != encRLE {
			return nil, 0, fmt.Errorf("%w: encoding %d of levels", ErrUnsupported, h.levelEncoding)
		}
		if levels, err = lengthPrefixed(b); err != nil {
			return nil, 0, err
		}
		b = b[4+len(levels):]
	}
	if !c.Optional {
		if h.nulls != 0 {
			err = errCounts
		}
		return b, h.values, err
	}
	present, err = runs(levels, 1, h.values)
	if err == nil && h.kind == pageDataV2 && present != h.values-h.nulls {
		err = errCounts
	}
	return b, present, err
}

func lengthPrefixed(b []byte) ([]byte, error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return nil, errShort
	}
	return b[4:][:binary.LittleEndian.Uint32(b)], nil
}

var errShort = fmt.Errorf("%w: a page ends before its values", ErrCorrupt)

// maxPadding is how many values the last bit-packed run may have too many:
// writers fill its groups of eight, and some all groups that one byte counts.
// A repeated value may stand for up to seven of the last group's.
const maxPadding = 63 * 8

// runs walks the hybrid of run lengths and bit-packed values of b and checks
// that it gives n values. Of values of one bit it counts the ones.
func runs(b []byte, width, n int) (ones int, err error) {
	for left := n; len(b) > 0 || left > 0; {
		h, k := binary.Uvarint(b)
		if k <= 0 {
			return 0, errShort
		}
		b = b[k:]
		if h>>1 == 0 {
			continue // parquet-go goes on with what follows the header
		}
		count, size, padding := h>>1, (width+7)/8, 7
		if h&1 != 0 {
			if count > uint64(left+maxPadding)/8 {
				return 0, errCounts
			}
			count, size, padding = 8*count, int(count)*width, maxPadding
		}
		if left <= 0 || count > uint64(max(left, 0)+padding) {
			return 0, errCounts
		}
		if size > len(b) {
			return 0, errShort
		}
		if width == 1 {
			if h&1 == 0 && b[0] > 1 {
				return 0, fmt.Errorf("%w: a level or index of one bit is %d", ErrCorrupt, b[0])
			}
			ones += countOnes(b[:size], h&1 == 0, min(int(count), left))
		}
		b, left = b[size:], left-int(count)
	}
	return ones, nil
}

// countOnes counts the ones among the first n values of one bit of a run.
func countOnes(b []byte, repeated bool, n int) (ones int) {
	if repeated {
		return n * int(b[0]&1)
	}
	for ; n >= 64; n -= 64 {
		ones += bits.OnesCount64(binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for i := range n {
		ones += int(b[i/8]>>(i%8)) & 1
	}
	return ones
}

// inspect checks that b, the values of a page, are n values in the given
// encoding, and that they do not grow beyond most bytes.
func inspect(c *Column, encoding int, b []byte, n int, most int64) error {
	switch encoding {
	case encPlain, encByteStreamSplit:
		return inspectPlain(c, b, n)
	case encPlainDictionary, encRLEDictionary:
		return inspectIndexes(b, n)
	case encRLE:
		if n == 0 {
			return nil
		}
		l, err := lengthPrefixed(b)
		if err == nil {
			_, err = runs(l, 1, n)
		}
		return err
	case encDeltaByteArray:
		if err := inspectDelta(b, n); err != nil {
			return err
		}
		return inspectPrefixes(b, most)
	case encDeltaBinary, encDeltaLength:
		return inspectDelta(b, n)
	}
	return nil
}

func inspectPlain(c *Column, b []byte, n int) error {
	switch c.Physical {
	case ByteArray:
		return nil // counted when decoded
	case Boolean:
		if (n+7)/8 != len(b) {
			return errCounts
		}
	default:
		if n*c.width() != len(b) {
			return errCounts
		}
	}
	return nil
}

// width returns the bytes of a plain value.
func (c *Column) width() int {
	switch c.Physical {
	case Int32, Float:
		return 4
	case Int64, Double:
		return 8
	case Int96:
		return 12
	case FixedLen:
		return c.Width
	}
	return 0
}

func inspectIndexes(b []byte, n int) error {
	if len(b) == 0 {
		if n > 0 {
			return errShort
		}
		return nil
	}
	if b[0] > 32 {
		return fmt.Errorf("%w: dictionary indexes of %d bits", ErrCorrupt, b[0])
	}
	_, err := runs(b[1:], int(b[0]), n)
	return err
}

// inspectDelta checks the header of a delta encoding.
func inspectDelta(b []byte, n int) error {
	var head [3]uint64 // block size, miniblocks of a block, values
	for i := range head {
		v, k := binary.Uvarint(b)
		if k <= 0 {
			if n == 0 && i == 0 && len(b) == 0 {
				return nil
			}
			return errShort
		}
		head[i], b = v, b[k:]
	}
	const maxBlock = 1 << 16
	if head[0] > maxBlock || head[1] > maxBlock {
		return fmt.Errorf("%w: a delta encoding in blocks of %d values", ErrCorrupt, head[0])
	}
	if head[2] != uint64(n) {
		return errCounts
	}
	return nil
}

// inspectPrefixes checks how many bytes the values of b share with the ones
// before them: a page of a few bytes could ask for any number of gigabytes.
func inspectPrefixes(b []byte, most int64) error {
	shared, err := new(delta.BinaryPackedEncoding).DecodeInt32(nil, b)
	if err != nil {
		return fmt.Errorf("%w: decode page: %w", ErrCorrupt, err)
	}
	var sum int64
	for _, n := range shared {
		sum += int64(n)
	}
	if sum > most {
		return fmt.Errorf("%w: a page has %d bytes, at most %d are accepted", ErrLimit, sum, most)
	}
	return nil
}

// checkEncoding reports whether parquet-go can decode the encoding for the
// column's type, and can be trusted to: it writes beyond its memory when
// values of a fixed length in DELTA_BYTE_ARRAY have another one.
func checkEncoding(c *Column, encoding int) error {
	var ok bool
	p := c.Physical
	switch encoding {
	case encPlain, encPlainDictionary, encRLEDictionary:
		ok = true
	case encRLE:
		ok = p == Boolean
	case encDeltaBinary:
		ok = p == Int32 || p == Int64
	case encDeltaLength, encDeltaByteArray:
		ok = p == ByteArray
	case encByteStreamSplit:
		ok = p != Boolean && p != ByteArray && p != Int96
	}
	if !ok {
		return fmt.Errorf("%w: encoding %d of this type", ErrUnsupported, encoding)
	}
	return nil
}
