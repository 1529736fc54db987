package engine

import (
	"strings"
	"testing"
)

func TestAnErasedNumberKeepsItsCountryAndIsNobodys(t *testing.T) {
	for _, s := range []string{"+4930199988877", "+12065550100", "+14165550100", "+18005550100", "+442071234567", "+390612345678", "+3780549123456", "+77012345678", "+8821612345", "+35312345678", "+499", "+999999999999999"} {
		n := ParseNumber(s)
		e := ErasedNumber(n, 1234567890123)
		if !e.Erased() || !e.Plain() || CountryOf(e) != CountryOf(n) || len(e.Full()) != 16 || e == n {
			t.Errorf("%s becomes %s of %q, not of %q", s, e.Full(), CountryOf(e), CountryOf(n))
		}
		if ErasedNumber(n, 1234567890123) != e || ErasedNumber(n, 1234567890124) == e || ErasedNumber(e, 5).Full()[:4] != e.Full()[:4] {
			t.Errorf("%s: not told by its code alone", s)
		}
		if n.Erased() {
			t.Errorf("%s is taken for an erased number", s)
		}
	}
	for _, n := range []Number{{}, OtherNumber("112"), OtherNumber("+49301****")} {
		if !ErasedNumber(n, 7).Withheld() || n.Erased() {
			t.Errorf("%v is no number that can be erased", n)
		}
	}
}

// A record that hides digits of the number stays beside the one whose number
// was erased, and those of other countries do not come.
func TestAMaskedNumberMayBeAnErasedOne(t *testing.T) {
	e := ErasedNumber(ParseNumber("+4930199988877"), 99)
	for text, may := range map[string]bool{"+49301999****": true, "+49*": true, "+4420712****": false, "+4930199988877": false, "+4": false, "0301999****": false} {
		masked := ParseNumber(text)
		if maskedCompatible(e, masked) != may || maskedCompatible(masked, e) != may {
			t.Errorf("%s beside an erased German number: %v", text, !may)
		}
	}
	if strings.Contains(e.Full(), "199988877") {
		t.Error("it holds the number")
	}
}
