package dialect

import (
	"testing"

	"concord/engine"

	"pgregory.net/rapid"
)

// german are the rules of the example in PROFILES.md.
func german() numberRules {
	return numberRules{country: "DE", code: "49", national: "0", international: []string{"00"}, keepShort: true, set: true}
}

func TestNumbersBecomeE164(t *testing.T) {
	us := numberRules{country: "US", code: "1", national: "1", international: []string{"011"}, set: true}
	es := numberRules{country: "ES", code: "34", international: []string{"000", "00"}, set: true}
	worldwide := numberRules{bare: bareInternational, set: true}
	stripped := german()
	stripped.strip = []string{"isup:", "b"}
	cases := []struct {
		name  string
		rules numberRules
		text  string
		want  string // "" is withheld
	}{
		{"plain E.164", german(), "+493012345678", "+493012345678"},
		{"an international prefix", german(), "00442079460000", "+442079460000"},
		{"a national number", german(), "03012345678", "+493012345678"},
		{"a bare national number", german(), "3012345678", "+493012345678"},
		{"a bare number with its country", german(), "493012345678", "+493012345678"},
		{"a bare number of another country", german(), "12125551234", "+12125551234"},
		{"marks for the eye", german(), "+49 (30) 1234-5678", "+493012345678"},
		{"a zero in brackets", german(), "+49 (0)30 12345678", "+493012345678"},
		{"a slash", german(), "030/12345678", "+493012345678"},
		{"a short code", german(), "110", "110"},
		{"a long short code", german(), "115000", "115000"},
		{"a short code with marks", german(), "11 0", "110"},
		{"tel:", german(), "tel:+493012345678", "+493012345678"},
		{"tel: with a parameter", german(), "tel:030-12345678;phone-context=+49", "+493012345678"},
		{"a SIP address", german(), "sip:+493012345678@sbc.example.com;user=phone", "+493012345678"},
		{"a SIP address with a name", german(), `"Sales" <sips:03012345678@sbc.example.com>`, "+493012345678"},
		{"a SIP user", german(), "sip:reception@sbc.example.com", "reception"},
		{"a prefix of the profile", stripped, "ISUP:03012345678", "+493012345678"},
		{"masked E.164", german(), "+4930123****", "+4930123****"},
		{"masked with x", german(), "+4930123xxxx", "+4930123****"},
		{"masked national", german(), "030123XXXX", "+4930123****"},
		{"masked international", german(), "004930123****", "+4930123****"},
		{"all of it masked", german(), "**********", ""},
		{"withheld", german(), "Anonymous", ""},
		{"withheld in a SIP address", german(), "sip:anonymous@anonymous.invalid", ""},
		{"too long to be a number", german(), "+1234567890123456", "+1234567890123456"},
		{"a plus before a zero", german(), "+0301234567", "+0301234567"},
		{"a service code", german(), "*31#03012345678", "*31#03012345678"},
		{"a name", german(), "Empfang", "Empfang"},
		{"American with its prefix", us, "12125551234", "+12125551234"},
		{"American without", us, "2125551234", "+12125551234"},
		{"American abroad", us, "011442079460000", "+442079460000"},
		{"one number, with 00", es, "0034688886392", "+34688886392"},
		{"one number, with a plus", es, "+34688886392", "+34688886392"},
		{"one number, bare", es, "34688886392", "+34688886392"},
		{"one number, with 000", es, "00034688886392", "+34688886392"},
		{"one number, national", es, "688886392", "+34688886392"},
		{"bare is international", worldwide, "44650355212", "+44650355212"},
		{"bare and impossible", worldwide, "0650355212", "0650355212"},
		{"nobody knows", numberRules{set: true}, "0650355212", "0650355212"},
		{"canonical keeps what it gets", numberRules{}, "030 123", "030 123"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := newNumberReader(c.rules)
			for range 2 { // the second time from the cache
				if n := r.read([]byte(c.text)); n.Full() != c.want {
					t.Fatalf("%q: got %q, want %q", c.text, n.Full(), c.want)
				}
			}
		})
	}
}

func TestHowANumberIsWrittenChangesNothing(t *testing.T) {
	r := newNumberReader(german())
	rapid.Check(t, func(t *rapid.T) {
		rest := rapid.StringMatching(`[1-9][0-9]{7,10}`).Draw(t, "rest")
		want := engine.ParseNumber("+49" + rest)
		for _, form := range []string{"+49", "0049", "0", "tel:+49", "sip:0049", "+49 (0)", "+49-"} {
			if got := r.read([]byte(form + rest)); got != want {
				t.Fatalf("%s: got %q", form, got.Full())
			}
		}
	})
}

func TestProfileSaysHowNumbersAreWritten(t *testing.T) {
	p := mustProfile(t, minimal+`numbers: {country: US, national_prefix: "", international_prefix: ["00", "011"], strip: ["P:"], bare: national}`+"\n")
	got := newNumberReader(p.numbers)
	for text, want := range map[string]string{
		"2125551234": "+12125551234", "011442079460000": "+442079460000", "00442079460000": "+442079460000", "p:2125551234": "+12125551234",
	} {
		if n := got.read([]byte(text)); n.Full() != want {
			t.Errorf("%s: got %s, want %s", text, n.Full(), want)
		}
	}
}

func TestNumberCacheIsBounded(t *testing.T) {
	r := newNumberReader(german())
	r.country = "" // the library would take its time
	text := []byte("x00000000y")
	for i := range 3 * maxNumbers {
		for j, v := 8, i; j > 0; j, v = j-1, v/10 {
			text[j] = byte('0' + v%10)
		}
		r.read(text)
	}
	if len(r.cache) > maxNumbers {
		t.Errorf("the cache holds %d numbers", len(r.cache))
	}
}

func BenchmarkNumber(b *testing.B) {
	for _, c := range []struct{ name, text string }{
		{"E.164", "+493012345678"}, {"national", "03012345678"}, {"cached", "030/12345678"},
	} {
		b.Run(c.name, func(b *testing.B) {
			r := newNumberReader(german())
			text := []byte(c.text)
			for b.Loop() {
				r.read(text)
			}
		})
	}
}
