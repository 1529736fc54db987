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

// An index remembers what was delivered: of each record the hash of its id and
// of its content, and the id itself, to be told when it is gone. Entries are in
// the order of the hashes, each behind a mark, between a magic and a tail of
// their number and checksum. It holds no number.
const (
	indexMagic = "CCDIDX2\n"
	indexTail  = 12 // a count of 8 bytes and a CRC-32C of 4
	markEntry  = 1
	markTail   = 0
	// mostKey bounds the fields that name a record, in bytes.
	mostKey = 1 << 20
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
	buf []byte
}

func newIndexWriter(w io.Writer) *indexWriter {
	x := &indexWriter{w: bufio.NewWriterSize(w, 64<<10), sum: newSum()}
	_, _ = x.w.WriteString(indexMagic) // an error is kept until Flush
	return x
}

func (x *indexWriter) add(e *entry) error {
	b := append(x.buf[:0], markEntry)
	b = append(append(b, e.id[:]...), e.content[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(e.key)))
	x.buf = append(b, e.key...)
	x.sum.Write(x.buf)
	x.n++
	_, err := x.w.Write(x.buf)
	return err
}

func (x *indexWriter) close() error {
	tail := binary.LittleEndian.AppendUint64([]byte{markTail}, x.n)
	tail = binary.LittleEndian.AppendUint32(tail, x.sum.Sum32())
	_, _ = x.w.Write(tail)
	return x.w.Flush()
}

// indexReader reads an index; one of nothing has no entries.
type indexReader struct {
	r    *bufio.Reader // nil: there is nothing
	gone func(key []byte) error
	sum  hash.Hash32
	n    uint64
	head entry
	have bool // head was read and is not used yet
	err  error
	buf  []byte
}

// newIndexReader reads an index. gone is told the keys of entries that were
// passed over.
func newIndexReader(r io.Reader, gone func(key []byte) error) *indexReader {
	x := &indexReader{sum: newSum(), gone: gone}
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

// CheckIndex reads an index to its end; ErrDamagedIndex.
func CheckIndex(r io.Reader) error {
	x := newIndexReader(r, func([]byte) error { return nil })
	for {
		if err := x.pass(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// peek makes head the next entry; io.EOF after the last.
func (x *indexReader) peek() error {
	if x.err != nil || x.have {
		return x.err
	}
	if x.r == nil {
		return io.EOF
	}
	mark, err := x.r.ReadByte()
	switch {
	case err != nil:
		x.err = damaged(err)
	case mark == markEntry:
		x.err = x.entry()
	default:
		x.err = x.tail(mark)
	}
	return x.err
}

// entry reads the next entry behind its mark.
func (x *indexReader) entry() error {
	const fixed = 2*hashSize + 4
	last := x.head.id
	b := append(x.buf[:0], make([]byte, 1+fixed)...)
	b[0] = markEntry
	if _, err := io.ReadFull(x.r, b[1:]); err != nil {
		return damaged(err)
	}
	n := binary.LittleEndian.Uint32(b[1+2*hashSize:])
	if n > mostKey {
		return ErrDamagedIndex
	}
	b = append(b, make([]byte, n)...)
	if _, err := io.ReadFull(x.r, b[1+fixed:]); err != nil {
		return damaged(err)
	}
	x.buf = b
	copy(x.head.id[:], b[1:])
	copy(x.head.content[:], b[1+hashSize:])
	x.head.key = append(x.head.key[:0], b[1+fixed:]...)
	if before := (entry{id: last}); x.n > 0 && !before.less(x.head.id) {
		return ErrDamagedIndex
	}
	x.sum.Write(b)
	x.n++
	x.have = true
	return nil
}

// tail reads the end behind its mark, and returns io.EOF when all agrees.
func (x *indexReader) tail(mark byte) error {
	var rest [indexTail + 1]byte
	n, err := io.ReadFull(x.r, rest[:])
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
	default:
		return damaged(err)
	}
	if mark != markTail || n != indexTail || binary.LittleEndian.Uint64(rest[:]) != x.n || binary.LittleEndian.Uint32(rest[8:]) != x.sum.Sum32() {
		return ErrDamagedIndex
	}
	return io.EOF
}

// pass passes over one entry; io.EOF after the last.
func (x *indexReader) pass() error {
	if err := x.peek(); err != nil {
		return err
	}
	x.have = false
	return x.gone(x.head.key)
}

// find passes over the entries before id and returns the content of id's own.
// Ids are asked for in ascending order.
func (x *indexReader) find(id [hashSize]byte) (content [hashSize]byte, known bool, err error) {
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
		if err := x.pass(); err != nil {
			return content, false, err
		}
	}
}
