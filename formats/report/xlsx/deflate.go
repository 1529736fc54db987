package xlsx

import (
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
)

// level is the effort of compression. It is part of what makes the bytes of a
// file: change it and every file changes.
const level = 1

// writers are kept for other parts and workbooks: each has a megabyte of tables,
// and most parts are of a few kilobytes. What one writes does not depend on what
// it wrote before.
var writers sync.Pool

// deflater gives its writer back when it is closed.
type deflater struct{ *flate.Writer }

func compressor(w io.Writer) (io.WriteCloser, error) {
	if f, ok := writers.Get().(*flate.Writer); ok {
		f.Reset(w)
		return &deflater{f}, nil
	}
	f, err := flate.NewWriter(w, level)
	return &deflater{f}, err
}

// Close implements io.Closer.
func (d *deflater) Close() error {
	err := d.Writer.Close()
	if err == nil {
		writers.Put(d.Writer)
	}
	return err
}
