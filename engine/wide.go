package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"concord/engine/spill"
)

// wide keeps, for one side, what reports show of a record and matching rarely
// needs: its ids and the numbers that a code does not hold. Rows are written
// once, in blocks of consecutive rows, and read again for the few that a
// report names. UUIDs take 16 bytes.
type wide struct {
	blobs  *spill.Blobs
	mu     sync.Mutex
	blocks []wideBlock // sorted by first once writing is over
}

// wideBlock holds rows first to first+rows-1: rows+1 offsets of four
// bytes, then the rows. A row that was rejected is empty.
type wideBlock struct {
	first, rows uint32
	ref         spill.Ref
}

// kinds of an id in a row
const (
	idNone = iota
	idUUID
	idText
)

const (
	wideCorrShift  = 2
	wideRevision   = 1 << 4
	wideCallerText = 1 << 5
	wideCalleeText = 1 << 6
	wideSameID     = 1 << 7 // the correlation id equals the record id
)

func newWide(b *spill.Budget, s spill.Scratch) *wide { return &wide{blobs: spill.NewBlobs(b, s)} }

// sortBlocks ends writing.
func (w *wide) sortBlocks() {
	slices.SortFunc(w.blocks, func(a, b wideBlock) int { return int(int64(a.first) - int64(b.first)) })
}

// wideWriter encodes the rows of one worker.
type wideWriter struct {
	w     *wide
	first uint32
	offs  []uint32
	data  []byte
	out   []byte
}

const (
	wideBlockRows  = 1024
	wideBlockBytes = 1 << 20
)

// wideInput is a row to write.
type wideInput struct {
	ord      uint32
	c        *Call
	r        *rec
	k        *keys
	id, corr ident
	business uint64
}

// add appends a row; ords grow within a part.
func (w *wideWriter) add(in *wideInput) error {
	if len(w.offs) > 0 && (in.ord-w.first >= wideBlockRows || len(w.data) >= wideBlockBytes) {
		if err := w.flush(); err != nil {
			return err
		}
	}
	if len(w.offs) == 0 {
		w.first = in.ord
	}
	for uint32(len(w.offs)) <= in.ord-w.first {
		w.offs = append(w.offs, uint32(len(w.data)))
	}
	w.data = appendWide(w.data, in)
	return nil
}

func appendWide(b []byte, in *wideInput) []byte {
	head := len(b)
	b = append(b, 0)
	flags := in.id.kind
	b = appendID(b, in.c.RecordID, &in.id)
	if in.corr.hash != 0 && in.c.CorrelationID == in.c.RecordID {
		flags |= wideSameID
	} else {
		flags |= in.corr.kind << wideCorrShift
		b = appendID(b, in.c.CorrelationID, &in.corr)
	}
	b = binary.LittleEndian.AppendUint64(b, in.business)
	if in.id.kind == idNone {
		b = binary.LittleEndian.AppendUint64(b, in.k.businessAgain(in.r))
	}
	if in.c.HasRevision {
		flags |= wideRevision
		b = binary.LittleEndian.AppendUint32(b, uint32(in.c.Revision))
	}
	if isText(in.r.callerCode()) {
		flags |= wideCallerText
		b = appendText(b, in.c.Caller.text)
	}
	if isText(in.r.calleeCode()) {
		flags |= wideCalleeText
		b = appendText(b, in.c.Callee.text)
	}
	b[head] = flags
	return b
}

func appendID(b []byte, s string, id *ident) []byte {
	switch id.kind {
	case idUUID:
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, id.hi), id.lo)
	case idText:
		return appendText(b, s)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func (w *wideWriter) flush() error {
	if len(w.offs) == 0 {
		return nil
	}
	w.out = w.out[:0]
	for _, o := range w.offs {
		w.out = binary.LittleEndian.AppendUint32(w.out, o)
	}
	w.out = binary.LittleEndian.AppendUint32(w.out, uint32(len(w.data)))
	w.out = append(w.out, w.data...)
	ref, err := w.w.blobs.Put(w.out)
	if err != nil {
		return err
	}
	w.w.mu.Lock()
	w.w.blocks = append(w.w.blocks, wideBlock{w.first, uint32(len(w.offs)), ref})
	w.w.mu.Unlock()
	w.offs, w.data = w.offs[:0], w.data[:0]
	return nil
}

// wideRow is a decoded row. Its strings are its own.
type wideRow struct {
	recordID, correlationID string
	business                [2]uint64 // the second only of rows without a record id
	revision                int32
	hasRevision             bool
	caller, callee          string // only of numbers that their code does not hold
}

// wideReader finds rows. Rows near to each other are read a block at a time,
// a lone one by itself. It is not safe for concurrent use.
type wideReader struct {
	w      *wide
	cache  [wideCached]cachedBlock
	clock  uint64
	missed [64]uint32 // index plus one of blocks that a lone row was read from
	small  []byte     // memory for a lone row; never what a Get returned
}

const wideCached = 16

type cachedBlock struct {
	index int // into blocks, plus one
	used  uint64
	data  []byte // where the rows are now
	buf   []byte // memory to read into
}

var errWide = errors.New("a record's details are not where they were put")

// get returns the row of a record. Blocks of parts whose rows lie between each
// other's overlap; in all but one of them the row is empty.
func (r *wideReader) get(ord uint32) (wideRow, error) {
	i, found := slices.BinarySearchFunc(r.w.blocks, ord, func(b wideBlock, ord uint32) int {
		return int(int64(b.first) - int64(ord))
	})
	if !found {
		i--
	}
	err := errWide
	for ; i >= 0 && ord-r.w.blocks[i].first < wideBlockRows; i-- {
		if ord-r.w.blocks[i].first >= r.w.blocks[i].rows {
			continue
		}
		row, failed := r.row(i, int(ord-r.w.blocks[i].first))
		if failed != nil {
			return wideRow{}, fmt.Errorf("read details: %w", failed)
		}
		if len(row) > 0 {
			return decodeWide(row), nil
		}
		err = nil
	}
	return wideRow{}, err
}

// row returns the n-th row of a block.
func (r *wideReader) row(i, n int) ([]byte, error) {
	data := r.cached(i)
	if m := &r.missed[i%len(r.missed)]; data == nil && *m != uint32(i+1) {
		*m = uint32(i + 1)
		return r.lone(i, n)
	}
	if data == nil {
		var err error
		if data, err = r.load(i); err != nil {
			return nil, err
		}
	}
	from, to := rowAt(data[n*4:])
	rows := data[int(r.w.blocks[i].rows+1)*4:]
	return rows[from:to], nil
}

func rowAt(b []byte) (from, to int) {
	return int(binary.LittleEndian.Uint32(b)), int(binary.LittleEndian.Uint32(b[4:]))
}

// lone reads one row and no more.
func (r *wideReader) lone(i, n int) ([]byte, error) {
	if r.small == nil {
		r.small = make([]byte, 512)
	}
	block := &r.w.blocks[i]
	ends, err := r.w.blobs.GetPart(block.ref, n*4, 8, r.small)
	if err != nil {
		return nil, err
	}
	from, to := rowAt(ends)
	return r.w.blobs.GetPart(block.ref, int(block.rows+1)*4+from, to-from, r.small)
}

// cached returns a block that is at hand, else nil.
func (r *wideReader) cached(i int) []byte {
	for j := range r.cache {
		if c := &r.cache[j]; c.index == i+1 {
			r.clock++
			c.used = r.clock
			return c.data
		}
	}
	return nil
}

// load reads a block in place of the one not used for longest.
func (r *wideReader) load(i int) ([]byte, error) {
	oldest := &r.cache[0]
	for j := range r.cache {
		if c := &r.cache[j]; c.used < oldest.used {
			oldest = c
		}
	}
	data, err := r.w.blobs.Get(r.w.blocks[i].ref, oldest.buf)
	if err != nil {
		return nil, err
	}
	if !r.w.blobs.InMemory(r.w.blocks[i].ref) {
		oldest.buf = data[:cap(data)]
	}
	r.clock++
	oldest.index, oldest.used, oldest.data = i+1, r.clock, data
	return data, nil
}

func decodeWide(b []byte) wideRow {
	if len(b) == 0 {
		return wideRow{}
	}
	var w wideRow
	flags := b[0]
	b = b[1:]
	w.recordID, b = takeID(b, flags&3)
	w.correlationID, b = takeID(b, flags>>wideCorrShift&3)
	if flags&wideSameID != 0 {
		w.correlationID = w.recordID
	}
	w.business[0] = binary.LittleEndian.Uint64(b)
	b = b[8:]
	if flags&3 == idNone {
		w.business[1] = binary.LittleEndian.Uint64(b)
		b = b[8:]
	}
	if flags&wideRevision != 0 {
		w.revision, w.hasRevision = int32(binary.LittleEndian.Uint32(b)), true
		b = b[4:]
	}
	if flags&wideCallerText != 0 {
		w.caller, b = takeText(b)
	}
	if flags&wideCalleeText != 0 {
		w.callee, _ = takeText(b)
	}
	return w
}

func takeID(b []byte, kind byte) (string, []byte) {
	switch kind {
	case idUUID:
		return unpackUUID(b), b[16:]
	case idText:
		return takeText(b)
	}
	return "", b
}

func takeText(b []byte) (string, []byte) {
	n, k := binary.Uvarint(b)
	return string(b[k : k+int(n)]), b[k+int(n):]
}

// numberOf rebuilds a number from its code and, when the code does not hold
// it, its text.
func numberOf(code uint64, text string) Number {
	switch code >> tagShift & 3 {
	case tagE164:
		return Number{e164: code}
	case tagDigits:
		return Number{text: strconv.FormatUint(code&(1<<tagShift-1), 10)[1:]}
	}
	return Number{text: text}
}
