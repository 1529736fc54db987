package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"concord/engine"
)

func TestParseNumber(t *testing.T) {
	const plain, masked, withheld = "plain", "masked", "withheld"
	for _, c := range []struct {
		name, in string
		kind     string
		e164     uint64
		full     string
	}{
		{"a national number with its country", "+49301234567", plain, 49301234567, "+49301234567"},
		{"the longest there is", "+123456789012345", plain, 123456789012345, "+123456789012345"},
		{"one digit more is no E.164", "+1234567890123456", plain, 0, "+1234567890123456"},
		{"a zero after the plus is no E.164", "+0301234567", plain, 0, "+0301234567"},
		{"a short code", "110", plain, 0, "110"},
		{"a SIP user", "reception@example.com", plain, 0, "reception@example.com"},
		{"a letter among digits", "+4930x", plain, 0, "+4930x"},
		{"a lone plus", "+", plain, 0, "+"},
		{"hidden digits", "+4930123****", masked, 0, "+4930123****"},
		{"everything hidden", "****", masked, 0, "****"},
		{"nothing", "", withheld, 0, ""},
		{"only space", "  ", withheld, 0, ""},
		{"anonymous", "anonymous", withheld, 0, ""},
		{"unknown", "Unknown", withheld, 0, ""},
		{"private", "PRIVATE", withheld, 0, ""},
		{"restricted", " restricted ", withheld, 0, ""},
		{"unavailable", "unavailable", withheld, 0, ""},
		{"withheld", "withheld", withheld, 0, ""},
		{"a word that only begins like one", "privateer", plain, 0, "privateer"},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := engine.ParseNumber(c.in)
			got := map[string]bool{plain: n.Plain(), masked: n.Masked(), withheld: n.Withheld()}
			for kind, is := range got {
				if is != (kind == c.kind) {
					t.Errorf("%s: %v", kind, is)
				}
			}
			if n.E164Digits() != c.e164 || n.Full() != c.full {
				t.Errorf("digits %d, full %q", n.E164Digits(), n.Full())
			}
			if b := n.AppendFull([]byte("x")); string(b) != "x"+c.full {
				t.Errorf("appended %q", b)
			}
			if again := engine.ParseNumber(n.Full()); again != n {
				t.Errorf("read again it is another number")
			}
		})
	}
}

func TestSameNumber(t *testing.T) {
	if engine.E164(4930123) != engine.ParseNumber("+4930123") {
		t.Error("a number from digits and one from text differ")
	}
	if engine.ParseNumber("+4930123") == engine.ParseNumber("+4930124") {
		t.Error("two numbers are the same")
	}
	if engine.ParseNumber("4930123") == engine.ParseNumber("+4930123") {
		t.Error("digits without a plus are not E.164")
	}
	if engine.ParseNumber("anonymous") != (engine.Number{}) || engine.E164(0) != (engine.Number{}) {
		t.Error("a withheld number is not the zero value")
	}
	if !engine.E164(1_000_000_000_000_000).Withheld() {
		t.Error("sixteen digits make an E.164 number")
	}
}

// A log that prints a number, in whatever way, must not give it away.
func TestNumbersPrintThemselvesHidden(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"+49301234567", "+4930123****"},
		{"reception", "recep****"},
		{"110", "***"},
		{"+491", "****"},
		{"", "withheld"},
		{"+4930123****", "+4930123****"},
	} {
		n := engine.ParseNumber(c.in)
		if got := n.String(); got != c.want {
			t.Errorf("%q prints as %q, want %q", c.in, got, c.want)
		}
		printed := fmt.Sprintf("%v %s %+v", n, n, struct{ N engine.Number }{n})
		if len(c.in) > 4 && !strings.HasSuffix(c.in, "*") && strings.Contains(printed, c.in) {
			t.Errorf("%q is given away in %q", c.in, printed)
		}
	}
}
