package dialect

import (
	"bytes"
	"strings"
	"testing"

	"concord/engine"

	"github.com/klauspost/compress/gzip"
)

func TestInferProposesWhatTheSampleSays(t *testing.T) {
	cases := []struct {
		name, sample string
		want         []string // lines of the proposal
		doubts       []string // heads of doubts
	}{
		{"German, local, seconds",
			"CDR_ID;A_NUMMER;B_NUMMER;BEGINN;ENDE;DAUER\n" +
				"1;03012345678;+493012345679;24.10.2026 12:00:00;24.10.2026 12:01:00;60\n" +
				"2;03012345678;00442079460000;24.10.2026 13:00:00;24.10.2026 13:00:30;30\n",
			[]string{`delimiter: ";"`, "record_id: CDR_ID", "caller: A_NUMMER", "callee: B_NUMMER", `duration: {column: DAUER, unit: "s"}`,
				`start: {column: BEGINN, layout: "02.01.2006 15:04:05", zone: UTC}`, `national_prefix: "0"`, `international_prefix: "00"`},
			[]string{"columns.start.zone", "numbers.country"}},
		{"day or month first",
			"caller,callee,start,duration_ms\n+493012345678,+493012345679,01/02/2026 12:00:00,60000\n",
			[]string{`unit: "ms"`}, []string{"columns.start.layout", "columns.start.zone"}},
		{"milliseconds by the times",
			"from,to,start,end,duration\n+493012345678,+493012345679,2026-10-01T12:00:00Z,2026-10-01T12:01:00Z,60000\n",
			[]string{`unit: "ms"`, `layout: "rfc3339"`}, nil},
		{"two columns for the start",
			"Caller,Called,Date,Time,Duration (sec)\n+493012345678,+493012345679,24/10/2026,12:00:00,60\n",
			[]string{`start: {columns: ["Date", "Time"], layout: "02/01/2006 15:04:05", zone: UTC}`, `unit: "s"`}, []string{"columns.start.zone"}},
		{"no names at all",
			"+493012345678,+493012345679,1790856000,60\n+493012345678,+493012345679,1790856100,61\n+493012345678,+493012345679,1790856200,5\n",
			[]string{"header: false", `columns: ["col1", "col2", "col3", "col4"]`, `start: {column: col3, layout: "unix"}`, "caller: col1", "callee: col2"},
			[]string{"files.header", "columns.start", "columns.caller", "columns.callee", "columns.duration", "columns.duration.unit"}},
		{"no duration",
			"caller|callee|start|end\n+493012345678|+493012345679|2026-10-01T12:00:00Z|2026-10-01T12:01:00Z\n",
			[]string{"duration: end - start"}, []string{"columns.duration"}},
		{"a clock and a trailer",
			"caller;callee;start;duration\n+493012345678;+493012345679;2026-10-01T12:00:00Z;00:01:00\nT;1\n",
			[]string{`unit: "hh:mm:ss"`, `trailer: {prefix: "T;", count: 2}`}, []string{"trailer"}},
		{"words that are not ours",
			"caller,callee,start,duration,billsec,direction,hangup_cause,id\n+493012345678,+493012345679,2026-10-01T12:00:00Z,9,7,MO,NORMAL,1\n",
			[]string{`duration: {column: billsec, unit: "s"}`, "record_id: id"}, []string{"columns.duration", "columns.direction", "columns.cause"}},
		{"numbers with their country first and no prefix",
			"caller,callee,start,end,duration\n493012345678,442079460000,2026-10-01T12:00:00Z,2026-10-01T12:01:00Z,60\n",
			[]string{"numbers: {bare: international}"}, []string{"numbers.bare"}},
		{"UTF-16",
			"\xff\xfec\x00a\x00l\x00l\x00e\x00r\x00,\x00s\x00t\x00a\x00r\x00t\x00,\x00e\x00n\x00d\x00\n\x00",
			[]string{"duration: end - start"}, []string{"columns.start.layout", "columns.callee"}},
		{"times in no known layout",
			"caller,callee,start,duration_ms\n+493012345678,+493012345679,half past nine,60000\n",
			[]string{`layout: "rfc3339"`}, []string{"columns.start.layout"}},
		{"one bad row among many",
			"caller,callee,start,duration_ms\n" + strings.Repeat("+493012345678,+493012345679,24.10.2026 12:00:00,60000\n", 20) + "+493012345678,+493012345679,?,60000\n",
			[]string{`layout: "02.01.2006 15:04:05"`}, []string{"columns.start.layout", "columns.start.zone"}},
		{"windows-1252",
			"caller;callee;start;Gespr\xe4chsdauer\n+493012345678;+493012345679;2026-10-01T12:00:00Z;60\n",
			[]string{"encoding: windows-1252", "duration: {column: \"Gesprächsdauer\""}, []string{"files.encoding", "columns.duration.unit"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text, doubts, err := Infer("fab_1.csv", []byte(c.sample))
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range c.want {
				if !strings.Contains(string(text), line) {
					t.Errorf("no %s in\n%s", line, text)
				}
			}
			for _, d := range c.doubts {
				if !strings.Contains("\n"+strings.Join(doubts, "\n"), "\n"+d+":") {
					t.Errorf("no doubt about %s in %q", d, doubts)
				}
			}
			if len(c.doubts) == 0 && len(doubts) > 0 {
				t.Errorf("needless doubts: %q", doubts)
			}
		})
	}
}

func TestInferredProfileReadsItsSample(t *testing.T) {
	sample := "id;A_NUMMER;B_NUMMER;BEGINN;DAUER\n7;03012345678;+493012345679;24.10.2026 12:00:00;60\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write([]byte(sample)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	text, _, err := Infer("fab.csv.gz", packed.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	c, rowErr := rowOf(t, mustProfile(t, string(text)), engine.Carrier, strings.ReplaceAll(strings.TrimSpace(sample), ";", "|"))
	if rowErr != nil || c.DurationMS != 60_000 || c.Start != micros(t, "2026-10-24T12:00:00Z") || c.Caller != engine.E164(493012345678) {
		t.Errorf("got %+v, %v", c, rowErr)
	}
}

func TestInferSaysWhyItCannot(t *testing.T) {
	cases := []struct{ name, sample, want string }{
		{"nothing", "", "the sample has no rows"},
		{"prose", "Dear all,\nplease find attached\nthe calls of October.\n", "no delimiter"},
		{"Parquet", "PAR1....", "a Parquet file names and types its columns itself"},
		{"a workbook", "PK\x03\x04", "export it as CSV"},
		{"a page of Microsoft's", "\n{\"value\": [{\"id\": \"a\", \"startDateTime\": \"b\"}]}\n", "need no profile"},
		{"zero bytes", "a,b\x00\n", "no text file"},
		{"no times", "name,city\nx,y\n", "no column looks like the start"},
		{"no durations", "caller,start\n+493012345678,2026-10-01T12:00:00Z\n", "no column looks like the duration"},
		{"gzip cut short", "\x1f\x8b\x08", "gzip header is broken"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Infer("x", []byte(c.sample))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want … %s", err, c.want)
			}
		})
	}
}

func TestNoNameOfAColumnMeansTwoFields(t *testing.T) {
	of := make(map[string]string)
	for field, words := range knownNames() {
		for _, w := range strings.Fields(words) {
			if other, ok := of[w]; ok {
				t.Errorf("%s means %s and %s", w, field, other)
			}
			of[w] = field
		}
	}
}
