package report

import (
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// fileMeta returns the footer of a file without rows.
func fileMeta(cols []column) *format.FileMetaData {
	m := &format.FileMetaData{Version: 1, CreatedBy: "concord"}
	m.Schema = append(m.Schema, format.SchemaElement{
		Name: "report", NumChildren: thrift.New(int32(len(cols))),
	})
	for i := range cols {
		m.Schema = append(m.Schema, schemaOf(&cols[i]))
	}
	return m
}

// physical returns how a kind is stored.
func physical(k kind) format.Type {
	switch k {
	case text:
		return format.ByteArray
	case day:
		return format.Int32
	}
	return format.Int64
}

// schemaOf states a column's type: strings, 64-bit counts, microseconds in
// UTC, seconds as DECIMAL(18, 3), calendar days.
func schemaOf(c *column) format.SchemaElement {
	e := format.SchemaElement{Name: c.name, Type: thrift.New(physical(c.kind)), RepetitionType: thrift.New(format.Required)}
	if c.optional {
		e.RepetitionType = thrift.New(format.Optional)
	}
	switch c.kind {
	case text:
		e.ConvertedType = thrift.New(deprecated.UTF8)
		e.LogicalType.Value = &format.StringType{}
	case instant:
		e.ConvertedType = thrift.New(deprecated.TimestampMicros)
		e.LogicalType.Value = &format.TimestampType{IsAdjustedToUTC: true, Unit: format.TimeUnit{Value: &format.MicroSeconds{}}}
	case span:
		e.ConvertedType = thrift.New(deprecated.Decimal)
		e.Scale, e.Precision = thrift.New(int32(3)), thrift.New(int32(18))
		e.LogicalType.Value = &format.DecimalType{Scale: 3, Precision: 18}
	case day:
		e.ConvertedType = thrift.New(deprecated.Date)
		e.LogicalType.Value = &format.DateType{}
	}
	return e
}

// chunkMeta returns the description of one column of a row group, without its
// places and sizes.
func chunkMeta(c *column, rows, nulls int64) format.ColumnMetaData {
	m := format.ColumnMetaData{
		Type: physical(c.kind), Codec: format.Zstd, NumValues: rows,
		Encoding:     []format.Encoding{format.Plain, format.RLE},
		PathInSchema: []string{c.name},
		Statistics:   format.Statistics{NullCount: nulls},
	}
	if c.few {
		m.Encoding = append(m.Encoding, format.RLEDictionary)
	}
	return m
}
