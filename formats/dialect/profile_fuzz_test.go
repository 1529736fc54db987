package dialect

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"concord/engine"
)

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(fabrikam))
	f.Add([]byte(broken))
	f.Add([]byte("columns: {start: {columns: [A, B], layout: [unix, rfc3339]}, duration: end - start, end: E}\n"))
	f.Add([]byte("? [a\n: &x *x\n<<: {}\n- !!t"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse("p", data)
		if (p == nil) == (err == nil) {
			t.Fatal("a profile and an error, or neither")
		}
		if err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				if strings.TrimSpace(line) == "" {
					t.Fatalf("an empty line in %q", err)
				}
			}
			return
		}
		if err := p.Rules().Validate(); err != nil {
			t.Fatal(err)
		}
	})
}

// fuzzProfiles are the dialects that FuzzDecode reads rows in.
func fuzzProfiles(t testing.TB) []*Profile {
	return []*Profile{
		Canonical(),
		mustProfile(t, fabrikam),
		mustProfile(t, `columns:
  record_id: {columns: [CDR_ID, DAUER], join: "-"}
  caller: {column: A_NUMMER, or: B_NUMMER}
  start: {column: BEGINN, layout: [unix, "2006-01-02 15:04:05.000", "Jan 2 2006 3:04 PM"], zone: America/New_York}
  end: {column: BEGINN, layout: unix_ms}
  duration: {column: DAUER, unit: "hh:mm:ss", default: "0:00:00"}
numbers: {country: US, national_prefix: "1", international_prefix: ["011", "00"], strip: ["p:"]}
rows: {except: {CDR_ID: drop}}
`),
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("1|030 1234567|0049301234567|25.10.2026 02:30:00|61"))
	f.Add([]byte("drop|+4930|**|1790856000.5|-1:02:03"))
	f.Add([]byte("r|+493012345678||2026-10-01T12:00:00Z|1000"))
	columns := []string{"CDR_ID", "A_NUMMER", "B_NUMMER", "BEGINN", "DAUER"}
	profiles := fuzzProfiles(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fields := bytes.SplitN(data, []byte("|"), len(columns))
		for i, p := range profiles {
			names := columns
			if i == 0 {
				names = []string{"record_id", "caller", "callee", "start", "duration_ms"}
			}
			pl, err := p.Bind(engine.Carrier, names, WithDetails)
			if err != nil {
				t.Fatal(err)
			}
			row := make([][]byte, len(pl.Columns()))
			for i, at := range pl.Columns() {
				if at < len(fields) {
					row[i] = fields[at]
				}
			}
			checkDecoded(t, pl, row)
		}
	})
}

func checkDecoded(t *testing.T, pl *Plan, row [][]byte) {
	t.Helper()
	var c engine.Call
	rowErr := pl.Decoder().Decode(row, &c)
	switch {
	case rowErr == Filtered:
	case rowErr != nil:
		if _, ok := fieldNamed(rowErr.Field); !ok || rowErr.Reason == "" {
			t.Fatalf("got %+v", rowErr)
		}
	case c.Start < engine.MinStart || c.Start >= engine.MaxStart || c.DurationMS < 0 || c.DurationMS > engine.MaxDuration:
		t.Fatalf("beyond the limits: %+v", c)
	}
}

func FuzzTimes(f *testing.F) {
	for _, s := range []string{"2026-10-01T12:00:00Z", "2026-10-01T12:00:00.5+02:00", "25.10.2026 02:30:00", "1790856000.25", "-1.5"} {
		f.Add(s)
	}
	de := berlin(f)
	f.Fuzz(func(t *testing.T, s string) {
		if us, ok := parseRFC3339([]byte(s)); ok {
			want, err := time.Parse(time.RFC3339Nano, s)
			if err != nil || want.UnixMicro() != us {
				t.Fatalf("%q: got %d, want %v, %v", s, us, want, err)
			}
		}
		const layout = "02.01.2006 15:04:05"
		parts, _ := compileParts(layout)
		if w, ok := parseParts(parts, []byte(s)); ok {
			want, err := time.Parse(layout, s)
			if err != nil || want.UnixMicro() != w.sec*1_000_000+w.us {
				t.Fatalf("%q: got %v, want %v, %v", s, w, want, err)
			}
		}
		r := newTimeReader([]string{layout, "unix", "unix_ns"}, de)
		if us, _, reason := r.read([]byte(s)); reason == "" && (us < engine.MinStart || us >= engine.MaxStart) {
			t.Fatalf("%q: %d", s, us)
		}
	})
}

func FuzzNumbers(f *testing.F) {
	for _, s := range []string{"+493012345678", "0049 30 123", "030123***", "sip:x@y;z", "<tel:(0)>", "*", "+", "", "00", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := newNumberReader(german())
		n := r.read([]byte(s))
		if again := r.read([]byte(s)); again != n {
			t.Fatalf("%q is not always the same number", s)
		}
		if n.E164Digits() == 0 || len(n.Full()) < 2 {
			return
		}
		if twice := r.read([]byte(n.Full())); twice != n {
			t.Fatalf("%q: %q becomes %q when read again", s, n.Full(), twice.Full())
		}
	})
}

func FuzzInfer(f *testing.F) {
	f.Add([]byte("id;A_NUMMER;B_NUMMER;BEGINN;DAUER\n7;03012345678;+493012345679;24.10.2026 12:00:00;60\nT;1\n"))
	f.Add([]byte("+493012345678,+493012345679,1790856000,60\n+493012345678,+493012345679,1790856100,61\n"))
	f.Add([]byte("caller,callee,date,time,end,duration\n1,2,01/02/2026,12:00,2026,\"1,5\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		text, _, err := Infer("x.csv", data)
		if err != nil {
			if strings.Contains(err.Error(), "proposal does not hold") {
				t.Fatal(err)
			}
			return
		}
		if _, err := Parse("x.yaml", text); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
	})
}
