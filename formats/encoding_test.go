package formats

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/text/encoding/charmap"
)

// A carrier's umlauts must survive wherever a buffer happens to end.
func TestEveryCharacterFitsAnyBuffer(t *testing.T) {
	sent := bytes.Repeat([]byte("M\xfcnchen \x80 5;"), 50)
	want := strings.Repeat("München € 5;", 50)
	for _, size := range []int{1, 2, 3, 4, 5, 4096} {
		var got strings.Builder
		buf := make([]byte, size)
		r := newCharmapReader(iotest.OneByteReader(bytes.NewReader(sent)), charmap.Windows1252)
		for {
			n, err := r.Read(buf)
			got.Write(buf[:n])
			if err == io.EOF {
				break
			}
			if err != nil || n == 0 {
				t.Fatalf("buffer of %d: read %d bytes, %v", size, n, err)
			}
		}
		if got.String() != want {
			t.Fatalf("buffer of %d: %q", size, got.String())
		}
	}
}
