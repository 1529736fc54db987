package report

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

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
