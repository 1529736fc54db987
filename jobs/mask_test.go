package jobs

import "testing"

func TestMask(t *testing.T) {
	for text, want := range map[string]string{
		"+4930199988877":                           "…8877",
		"cdr_4930199988877.csv":                    "cdr_…8877.csv",
		"4930199988877":                            "…8877",
		"a4930199988877b":                          "a…8877b",
		"get +49 (30) 1999-88877 now":              "get …8877 now",
		"sip:+4930199988877@example.com":           "sip:…8877@example.com",
		"4930199988877-442071234567.csv":           "…8877-…4567.csv",
		"/v1/files/%2B4930199988877":               "/v1/files/%2B…8877",
		"FAB_000123_20261001.csv":                  "FAB_000123_20261001.csv",
		"cdr-20261001235959.csv.gz":                "cdr-20261001235959.csv.gz",
		"cdr_202610012359.csv":                     "cdr_202610012359.csv",
		"cdr_202610012460.csv":                     "cdr_…2460.csv", // no time
		"201012112359":                             "…2359",         // a mobile phone in Egypt
		"19a0fe3-0000-7000-8000-123456789012":      "19a0fe3-0000-7000-8000-…9012",
		"019a0fe3-0000-7000-8000-123456789012":     "019a0fe3-0000-7000-8000-123456789012",
		"x 019a0fe3-0000-7000-8000-123456789012 y": "x 019a0fe3-0000-7000-8000-123456789012 y",
		"123456789012345678901234567890123456789012345678901234567890abcd": "123456789012345678901234567890123456789012345678901234567890abcd",
		"12345678 rows, 99 of them":                                        "12345678 rows, 99 of them",
		"2026-10-01T10:00:00.123456Z":                                      "2026-10-01T10:00:00.123456Z",
		"":                                                                 "",
	} {
		if got := Mask(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add("cdr_4930199988877.csv")
	f.Fuzz(func(t *testing.T, s string) {
		if m := Mask(s); Mask(m) != m {
			t.Errorf("%q: %q, then %q", s, m, Mask(m))
		}
	})
}
