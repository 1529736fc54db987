package jobs

import (
	"context"
	"os"
	"strings"
	"testing"

	"concord/engine"
)

const whoseCSV = "record_id,carrier,tenant_id,caller,callee,start,duration_ms\n" +
	"m1,fabrikam,t1,+4930123456,+33145678900,2026-10-01T12:00:00Z,60000\n" +
	"m2,Litware AG,t2,+493099999999,+442079999999,2026-10-01T12:10:00Z,600000\n" +
	"m3,,t1,+4930123456,+33145678901,2026-10-01T12:20:00Z,30000\n" +
	"m4,LITWARE ag,t2,+493099999999,+442079999998,2026-10-01T12:30:00Z,600000\n"

// matched reconciles files, and returns what its report says and all its text.
func matched(t *testing.T, o MatchOptions) (*Outcome, string) {
	t.Helper()
	out, err := Match(context.Background(), o, engine.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, name := range []string{"summary.json", "discrepancies.csv", "usage.csv", "report.html"} {
		b, err := os.ReadFile(o.Out + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	return out, text.String()
}

// What one carrier is shown of another's calls is a leak, and their minutes a
// dispute about nothing.
func TestCallsOfAnotherCarrierAreNoneOfThisReport(t *testing.T) {
	for _, workers := range []int{1, 4} {
		in := files(t, map[string]string{"m.csv": whoseCSV, "c.csv": carrierCSV})
		out, text := matched(t, MatchOptions{
			Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv")}, CarrierName: "fabrikam", Others: []string{"litware ag", "litware"}, Out: in("out"), Workers: workers,
		})
		if m := out.Summary.Totals.Microsoft; m.Records != 2 || m.MS != 90000 {
			t.Errorf("counted: %+v", m)
		}
		i := out.Inputs[engine.Microsoft][0]
		if i.Rows != 4 || i.Filtered != 2 || len(i.Notes) != 1 || i.Notes[0] != `2 calls are of another carrier, such as "litware ag": left out` || len(out.Remarks) != 1 {
			t.Errorf("said: %+v, %q", i, out.Remarks)
		}
		for _, foreign := range []string{"m2", "m4", "493099999999", "44207999999", "t2"} {
			if strings.Contains(text, foreign) {
				t.Errorf("the report has %s", foreign)
			}
		}
	}
}

// Nobody has said whose calls these are: they count, and it is said.
func TestAFileThatNamesSeveralCarriersIsTold(t *testing.T) {
	in := files(t, map[string]string{"m.csv": whoseCSV, "c.csv": carrierCSV})
	out, _ := matched(t, MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv")}, CarrierName: "fabrikam", Out: in("out")})
	const want = `m.csv: its calls name several carriers, and all are taken for this one's: "fabrikam" (1), "litware ag" (2)`
	if len(out.Remarks) != 1 || out.Remarks[0] != want || out.Summary.Totals.Microsoft.Records != 4 {
		t.Errorf("%q, %+v", out.Remarks, out.Summary.Totals.Microsoft)
	}
	in = files(t, map[string]string{"m.csv": strings.NewReplacer("Litware AG", "FABRIKAM", "LITWARE ag", "fabrikam").Replace(whoseCSV), "c.csv": carrierCSV})
	if out, _ = matched(t, MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv")}, Out: in("out")}); len(out.Remarks) != 0 {
		t.Errorf("of one carrier: %q", out.Remarks)
	}
}
