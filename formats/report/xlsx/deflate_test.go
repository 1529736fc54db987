package xlsx

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/flate"
)

// A writer that was used before writes the bytes of a new one.
func TestUsedWritersWriteWhatNewOnesDo(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		var text []byte
		for range r.IntN(1 << (r.IntN(7) + 6)) {
			text = fmt.Appendf(text, `<c r="A%d"><v>%d</v></c>`, r.IntN(99), r.IntN(1<<(r.IntN(30)+1)))
		}
		var used, fresh bytes.Buffer
		w, err := compressor(&used)
		if err != nil {
			t.Fatal(err)
		}
		f, err := flate.NewWriter(&fresh, level)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []io.WriteCloser{w, f} {
			if _, err := w.Write(text[:len(text)/3]); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(text[len(text)/3:]); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(used.Bytes(), fresh.Bytes()) {
			t.Fatalf("part %d of %d bytes: %d bytes, not the %d of a new writer", i, len(text), used.Len(), fresh.Len())
		}
	}
}
