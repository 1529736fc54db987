// Package parquetio turns Parquet files into typed columns and typed columns
// into Parquet files.
//
// Pages are decoded and encoded by parquet-go. What stands before it guards
// against files that a stranger sent, because parquet-go believes them: it
// would allocate what a few bytes claim, or hand out fewer values than the
// file says without an error. So it never sees the sender's Thrift: the footer
// and the page headers are walked here, with their nesting bounded and every
// size compared with the bytes that are there and with Limits, and written
// anew with what was accepted. Pages are decompressed into no more than their
// size; their checksums are verified when present; their runs, counts and
// lengths are looked over before they are decoded, and the values counted
// against the row group's and the footer's figures after it. A file that fails
// any of it gives an error that wraps ErrNotParquet, ErrTruncated, ErrCorrupt,
// ErrLimit or ErrUnsupported; a panic of a decoder becomes ErrCorrupt.
//
// Only columns at the root of the schema are read; nested and repeated ones
// are listed in File.Ignored. Values are exposed without copies and are valid
// until the next call of Reader.Next. A File may be read by several Readers
// at once, a Reader by one goroutine.
package parquetio

import "errors"

// What can be wrong with a file. Errors of this package wrap one of these.
var (
	ErrNotParquet  = errors.New("not a Parquet file")
	ErrTruncated   = errors.New("the Parquet file is cut short")
	ErrCorrupt     = errors.New("the Parquet file is broken")
	ErrLimit       = errors.New("the Parquet file is beyond the limits")
	ErrUnsupported = errors.New("the Parquet file uses what this reader does not know")
)

// Limits bound what a file may ask for. A zero field has the default.
type Limits struct {
	Footer    int64 // bytes of the footer [16 MiB]
	Page      int64 // bytes of one page, before or after decompression [64 MiB]
	Columns   int   // schema elements [10,000]
	RowGroups int   // [100,000]
	Rows      int64 // of the file [2,000,000,000]
}

func (l Limits) withDefaults() Limits {
	if l.Footer == 0 {
		l.Footer = 16 << 20
	}
	if l.Page == 0 {
		l.Page = 64 << 20
	}
	if l.Columns == 0 {
		l.Columns = 10_000
	}
	if l.RowGroups == 0 {
		l.RowGroups = 100_000
	}
	if l.Rows == 0 {
		l.Rows = 2_000_000_000
	}
	return l
}

// Physical is how a column's values are stored.
type Physical uint8

// Physical types, by their numbers in the format.
const (
	Boolean Physical = iota
	Int32
	Int64
	Int96
	Float
	Double
	ByteArray
	FixedLen
)

// Logical is what a column's values mean.
type Logical uint8

// Logical types. What is not listed reads as None.
const (
	None Logical = iota
	String
	UUID
	Decimal
	Date
	Time
	Timestamp
)

// Unit is the unit of a Time or Timestamp column.
type Unit uint8

// Units.
const (
	Millis Unit = iota
	Micros
	Nanos
)

// Column describes one column at the root of the schema.
type Column struct {
	Name     string
	Physical Physical
	Width    int // bytes of a FixedLen value
	Optional bool
	Logical  Logical
	Unit     Unit // of Time and Timestamp; Int96 is handed out in Micros
	UTC      bool // of Timestamp: instants, not local times
	Scale    int  // of Decimal
	Unsigned bool // Int32 is handed out widened; Int64 needs a conversion

	leaf int // position among all leaves
}

// Codec compresses pages.
type Codec uint8

// Codecs, by their numbers in the format.
const (
	Uncompressed Codec = 0
	Snappy       Codec = 1
	Gzip         Codec = 2
	Brotli       Codec = 4
	Zstd         Codec = 6
	LZ4Raw       Codec = 7
)

// encodings, by their numbers in the format
const (
	encPlain           = 0
	encPlainDictionary = 2
	encRLE             = 3
	encDeltaBinary     = 5
	encDeltaLength     = 6
	encDeltaByteArray  = 7
	encRLEDictionary   = 8
	encByteStreamSplit = 9
	pageData           = 0
	pageDictionary     = 2
	pageDataV2         = 3
	julianEpoch        = 2440588 // the Julian day of 1970-01-01
	microsPerDay       = 86400_000_000
	nanosPerDay        = 86400_000_000_000
	magic              = "PAR1"
	magicEncrypted     = "PARE"
)
