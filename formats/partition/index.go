package partition

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
)

// An index remembers what was delivered: 32 bytes a record, the hash of its id
// and of its content, in the order of the ids, between a magic and a tail of
// their number and checksum. It holds no number and no name.
const (
	indexMagic = "CCDIDX1\n"
	indexTail  = 12 // a count of 8 bytes and a CRC-32C of 4
	entrySize  = 2 * hashSize
)

// ErrDamagedIndex says that an index is not as it was written. Without it
// every record counts as added.
var ErrDamagedIndex = errors.New("the index of the delivery before is damaged")

func newSum() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

// indexWriter writes an index.
type indexWriter struct {
	w   *bufio.Writer
	sum hash.Hash32
	n   uint64
}

func newIndexWriter(w io.Writer) *indexWriter {
	x := &indexWriter{w: bufio.NewWriterSize(w, 64<<10), sum: newSum()}
	_, _ = x.w.WriteString(indexMagic) // an error is kept until Flush
	return x
}

func (x *indexWriter) add(e entry) error {
	var b [entrySize]byte
	copy(b[:], e.id[:])
	copy(b[hashSize:], e.content[:])
	x.sum.Write(b[:])
	x.n++
	_, err := x.w.Write(b[:])
	return err
}

func (x *indexWriter) close() error {
	tail := binary.LittleEndian.AppendUint64(nil, x.n)
	tail = binary.LittleEndian.AppendUint32(tail, x.sum.Sum32())
	_, _ = x.w.Write(tail)
	return x.w.Flush()
}

// indexReader reads an index; one of nothing has no entries.
type indexReader struct {
	r    *bufio.Reader // nil once it is at its end
	sum  hash.Hash32
	n    uint64
	head entry
	have bool // head was read and is not used yet
	err  error
}

func newIndexReader(r io.Reader) *indexReader {
	x := &indexReader{sum: newSum()}
	if r == nil {
		return x
	}
	x.r = bufio.NewReaderSize(r, 64<<10)
	magic := make([]byte, len(indexMagic))
	if _, err := io.ReadFull(x.r, magic); err != nil || string(magic) != indexMagic {
		x.err = damaged(err)
	}
	return x
}

func damaged(err error) error {
	if err == nil || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDamagedIndex
	}
	return fmt.Errorf("read the index of the delivery before: %w", err)
}

// peek makes head the next entry; io.EOF after the last.
func (x *indexReader) peek() error {
	if x.err != nil || x.have {
		return x.err
	}
	if x.r == nil {
		return io.EOF
	}
	rest, err := x.r.Peek(entrySize + 1)
	switch {
	case err == nil, errors.Is(err, io.EOF) && len(rest) == entrySize+1:
	case errors.Is(err, io.EOF) && len(rest) == indexTail:
		if binary.LittleEndian.Uint64(rest) != x.n || binary.LittleEndian.Uint32(rest[8:]) != x.sum.Sum32() {
			err = ErrDamagedIndex
		}
		x.err = err
		return err
	default:
		x.err = damaged(err)
		return x.err
	}
	last := x.head
	x.head = entryOf(rest[:hashSize], rest[hashSize:])
	if x.n > 0 && !last.less(x.head.id) {
		x.err = ErrDamagedIndex
		return x.err
	}
	x.sum.Write(rest[:entrySize])
	_, _ = x.r.Discard(entrySize) // it was peeked
	x.n++
	x.have = true
	return nil
}

// next passes over one entry and reports whether there was one.
func (x *indexReader) next() (bool, error) {
	if err := x.peek(); err != nil {
		return false, err
	}
	x.have = false
	return true, nil
}

// find passes over the entries before id, which it adds to gone, and returns
// the content of id's own. Ids are asked for in ascending order.
func (x *indexReader) find(id [hashSize]byte, gone *int64) (content [hashSize]byte, known bool, err error) {
	for {
		err := x.peek()
		switch {
		case errors.Is(err, io.EOF):
			return content, false, nil
		case err != nil:
			return content, false, err
		case x.head.id == id:
			x.have = false
			return x.head.content, true, nil
		case !x.head.less(id):
			return content, false, nil
		}
		x.have = false
		*gone++
	}
}
