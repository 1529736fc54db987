package inert_test

import (
	"strings"
	"testing"

	"concord/formats/inert"

	"pgregory.net/rapid"
)

// A tenant whose id was neutralised in the report of a day is the same tenant in
// the usage of its month.
func TestWhatIsNeutralisedIsReadAsItWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.StringMatching("[=+@;|\\t\\n\"ab-]{0,8}").Draw(t, "text")
		if got := inert.Original(inert.Text(in)); got != in {
			t.Fatalf("%q became %q, and %q is read", in, inert.Text(in), got)
		}
		if again := inert.Text(inert.Text(in)); again != inert.Text(in) {
			t.Fatalf("%q is changed again, to %q", inert.Text(in), again)
		}
	})
}

// A file of nothing but apostrophes must not keep the usage of a month busy for
// hours: what is done is as long as the text, not as its square.
func BenchmarkOriginal(b *testing.B) {
	text := strings.Repeat("'", 64<<10)
	for b.Loop() {
		inert.Original(text)
	}
}
