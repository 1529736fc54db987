package dialect

// Limits bound what one file may ask for. They hold before memory is taken. A
// zero field has the default.
type Limits struct {
	Field        int     // bytes of one field [64 KiB]
	Record       int     // bytes of one record [1 MiB]
	Columns      int     // fields in one record [1000]
	Decompressed int64   // bytes of one file after decompression [64 GiB]
	Ratio        int64   // bytes out for a byte in, past the first 16 MiB [500]
	Rows         int64   // data rows of one file [2^40-1]
	Entries      int     // files in one zip [100]
	Footer       int64   // bytes of a Parquet footer [16 MiB]
	Page         int64   // bytes of a Parquet page after decompression [16 MiB]
	MaxRejected  float64 // share of a file's rows that may be bad [0.05]
}

// DefaultLimits returns the defaults in brackets above.
func DefaultLimits() Limits {
	return Limits{
		Field:        64 << 10,
		Record:       1 << 20,
		Columns:      1000,
		Decompressed: 64 << 30,
		Ratio:        500,
		Rows:         1<<40 - 1,
		Entries:      100,
		Footer:       16 << 20,
		Page:         16 << 20,
		MaxRejected:  0.05,
	}
}

// Or returns the limits, with those of d where one is zero.
func (l Limits) Or(d Limits) Limits {
	set(&l.Field, d.Field)
	set(&l.Record, d.Record)
	set(&l.Columns, d.Columns)
	set(&l.Decompressed, d.Decompressed)
	set(&l.Ratio, d.Ratio)
	set(&l.Rows, d.Rows)
	set(&l.Entries, d.Entries)
	set(&l.Footer, d.Footer)
	set(&l.Page, d.Page)
	set(&l.MaxRejected, d.MaxRejected)
	return l
}

func set[T int | int64 | float64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}
