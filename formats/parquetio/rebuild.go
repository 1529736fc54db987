package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/parquet-go/parquet-go"
	wire "github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// headerBuffer is how many bytes parquet-go reads ahead: headers only, so that
// the bytes of a page go straight to where it decodes them.
const headerBuffer = 64

// rebuild opens with parquet-go a footer that says of the file what was
// checked, and nothing else: the types of the columns at the root, and one row
// group, whose pages come from a stream. parquet-go never sees Thrift that
// the file's sender wrote, and holds nothing for each row group.
func rebuild(cols []Column) ([]*parquet.FileColumnChunk, error) {
	b, err := wire.Marshal(new(wire.CompactProtocol), footerOf(cols))
	if err != nil {
		return nil, fmt.Errorf("rebuild the footer: %w", err)
	}
	n := uint32(len(b))
	b = append([]byte(magic), b...)
	b = append(binary.LittleEndian.AppendUint32(b, n), magic...)
	f, err := parquet.OpenFile(bytes.NewReader(b), int64(len(b)), parquet.SkipPageIndex(true),
		parquet.SkipBloomFilters(true), parquet.ReadBufferSize(headerBuffer), parquet.FileReadMode(parquet.ReadModeSync))
	if err != nil {
		return nil, fmt.Errorf("%w: open the rebuilt footer: %w", ErrUnsupported, err)
	}
	chunks := make([]*parquet.FileColumnChunk, len(cols))
	for i, c := range f.RowGroups()[0].ColumnChunks() {
		chunks[i] = c.(*parquet.FileColumnChunk)
	}
	return chunks, nil
}

func footerOf(cols []Column) *format.FileMetaData {
	m := &format.FileMetaData{
		Version: 1, NumRows: 1, RowGroups: []format.RowGroup{{NumRows: 1}},
		Schema: []format.SchemaElement{{Name: "root", NumChildren: wire.New(int32(len(cols)))}},
	}
	for i := range cols {
		name := "c" + strconv.Itoa(i)
		m.Schema = append(m.Schema, elementOf(name, &cols[i]))
		m.RowGroups[0].Columns = append(m.RowGroups[0].Columns, format.ColumnChunk{MetaData: format.ColumnMetaData{
			Type: format.Type(cols[i].Physical), Codec: format.Uncompressed, PathInSchema: []string{name},
			TotalCompressedSize: math.MaxInt64, // a stream ends by itself
		}})
	}
	return m
}

func elementOf(name string, c *Column) format.SchemaElement {
	e := format.SchemaElement{
		Name: name, Type: wire.New(format.Type(c.Physical)), RepetitionType: wire.New(format.Required),
	}
	if c.Optional {
		e.RepetitionType = wire.New(format.Optional)
	}
	if c.Physical == FixedLen {
		e.TypeLength = wire.New(int32(c.Width))
	}
	return e
}

// appendHeader appends a page header that says what h says of a page after
// its decompression.
func appendHeader(b []byte, h *pageHeader) ([]byte, error) {
	p := format.PageHeader{
		Type: format.PageType(h.kind), UncompressedPageSize: int32(h.size), CompressedPageSize: int32(h.size),
	}
	switch h.kind {
	case pageDictionary:
		p.DictionaryPageHeader = wire.New(format.DictionaryPageHeader{NumValues: int32(h.values), Encoding: format.Plain})
	case pageData:
		p.DataPageHeader = wire.New(format.DataPageHeader{
			NumValues: int32(h.values), Encoding: format.Encoding(h.encoding),
			DefinitionLevelEncoding: format.RLE, RepetitionLevelEncoding: format.RLE,
		})
	default:
		p.DataPageHeaderV2 = wire.New(format.DataPageHeaderV2{
			NumValues: int32(h.values), NumNulls: int32(h.nulls), NumRows: int32(h.values),
			Encoding: format.Encoding(h.encoding), DefinitionLevelsByteLength: int32(h.defLevels),
			RepetitionLevelsByteLength: int32(h.repLevels), IsCompressed: wire.New(false),
		})
	}
	head, err := wire.Marshal(new(wire.CompactProtocol), &p)
	return append(b, head...), err
}
