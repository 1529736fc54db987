package parquetio

import "unsafe"

// Span locates a byte string in a Vector's Data.
type Span struct{ Off, Len uint32 }

// In returns the string of data that s locates, without a copy.
func (s Span) In(data []byte) string {
	return unsafe.String(unsafe.SliceData(data[s.Off:][:s.Len]), int(s.Len))
}

// Values are decoded values of one column, in the form of its physical type:
// Ints for Boolean (0 and 1), Int32, Int64 and Int96 (microseconds since
// 1970; a value beyond the years that a microsecond clock can name is the
// lowest or highest int64); Floats for Float and Double; Spans into Data for
// ByteArray and FixedLen.
type Values struct {
	Ints   []int64
	Floats []float64
	Spans  []Span
	Data   []byte
}

// Dict is the dictionary of a column in one row group.
type Dict struct {
	Values
	N int
}

// Vector holds a column's values for the rows of one batch, one slot a row.
// With a Dict the value of row i is the dictionary's value Index[i]; else it
// stands in Values. The slot of a null holds a zero and must not be used.
type Vector struct {
	Values
	Dict  *Dict
	Index []uint32
	Nulls []bool // nil when the batch has no null
}

// grow returns s with length n, keeping its memory when that is enough.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/8) // the next page may be a little longer
	}
	return s[:n]
}

// spread copies values to the rows that are not null, in the memory of *work,
// and leaves zeros in the others.
func spread[T any](work *[]T, values []T, nulls []bool) []T {
	*work = grow(*work, len(nulls))
	s, have := *work, len(values)
	var zero T
	for i := len(nulls) - 1; i >= 0; i-- { // backwards: values may lie in s
		if nulls[i] {
			s[i] = zero
			continue
		}
		have--
		s[i] = values[have]
	}
	return s
}
