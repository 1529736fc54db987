package report_test

import (
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"concord/engine"
	"concord/formats/report"
)

// writeTo writes a report into a new folder.
func writeTo(t *testing.T, r report.Result, o report.Options) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out")
	if err := os.Mkdir(out, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := report.Write(context.Background(), into(out), r, o); err != nil {
		t.Fatal(err)
	}
	return out
}

// into makes files in a folder.
func into(dir string) report.Create {
	return func(name string) (report.File, error) { return os.Create(filepath.Join(dir, name)) }
}

func read(t *testing.T, parts ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(parts...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestEveryColumnIsWhereReadersOfTheReportExpectIt(t *testing.T) {
	out := writeTo(t, sampleResult(), sampleOptions())
	for name, want := range map[string]string{
		"discrepancies.csv": "case_id,carrier,class,action,flags,microsoft_record_id,carrier_record_ids,correlation_id,tenant_id,direction,caller,callee," +
			"microsoft_start_utc,carrier_start_utc,microsoft_seconds,carrier_seconds,difference_seconds,rule,microsoft_file,microsoft_row,carrier_file,carrier_row\n" +
			"a1,fabrikam,duration_over,finance disputes,,m1,c1,corr m1,9c1f0d5e,out,+4930123456,+33145678900,2026-10-01T12:00:00Z,2026-10-01T12:00:01.5Z,60,63.25,3.25,within 2 s,calls.csv,1,'-one.csv,2\n" +
			"a2,fabrikam,duration_under,carrier fixes,cut_off time_differs,m2,c2 c3,corr m2,9c1f0d5e,out,+4930123456,+33145678900,2026-10-01T12:01:00Z,2026-10-01T12:01:00Z,50.001,30,-20.001,within 2 s,calls.csv,2,'-one.csv,3\n" +
			"a3,fabrikam,missing_at_microsoft,finance disputes,,,'=cmd|' /C calc'!A0,'-1+2,'@SUM(A1),out,\"'+44,20\"\"x\",,,2026-10-01T12:02:00Z,,1.01,,within 2 s,,,'-one.csv,3\n" +
			"a4,fabrikam,invalid,carrier fixes,,,,,,unknown,,,,,,,,within 2 s,calls.csv,4,,\n",
		"usage.csv": "carrier,tenant_id,date,direction,call_type,country,calls,microsoft_seconds,carrier_seconds,used_seconds,operator_sourced_calls\n" +
			"fabrikam,9c1f0d5e,2026-10-01,out,user_out,FR,2,110.001,93.25,110.001,1\n",
		"usage_users.csv": "carrier,tenant_id,user_id,month,direction,call_type,country,calls,microsoft_seconds,carrier_seconds,used_seconds,operator_sourced_calls\n" +
			"fabrikam,9c1f0d5e,u1,2026-10,out,,,2,0.5,0,0,0\n",
		"rejected.csv": "side,file,line,row_group,row,field,reason\nmicrosoft,calls.csv,5,,4,start,is no time\n",
		"verdicts.csv": "side,file,row,record_id,class,case_id,pass,partner_file,partner_row\n" +
			"microsoft,calls.csv,1,m0,matched,,none,,\nmicrosoft,calls.csv,2,m1,matched,,none,,\nmicrosoft,calls.csv,3,m2,matched,,none,,\nmicrosoft,calls.csv,4,m3,matched,,none,,\n" +
			"carrier,'-one.csv,1,,missing_at_microsoft,,none,,\ncarrier,'-one.csv,2,,missing_at_microsoft,,none,,\ncarrier,'-one.csv,3,,missing_at_microsoft,,none,,\n" +
			"carrier,two.parquet,1,c3,duration_under,a2,split,calls.csv,2\n",
	} {
		if diff := cmp.Diff(want, read(t, out, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestTheManifestNamesEveryFileWithSizeRowsAndHash(t *testing.T) {
	out := writeTo(t, sampleResult(), sampleOptions())
	var m struct {
		Files []struct {
			Name, SHA256 string
			Bytes        int
			Rows         *int
		}
	}
	if err := json.Unmarshal([]byte(read(t, out, "manifest.json")), &m); err != nil {
		t.Fatal(err)
	}
	names := []string{"manifest.json"}
	for _, f := range m.Files {
		names = append(names, f.Name)
		b := read(t, out, f.Name)
		sum := sha256.Sum256([]byte(b))
		if f.Bytes != len(b) || f.SHA256 != hex.EncodeToString(sum[:]) {
			t.Errorf("%s: size or hash is not that of the file", f.Name)
		}
		if strings.HasSuffix(f.Name, ".csv") && *f.Rows != strings.Count(b, "\n")-1 {
			t.Errorf("%s: %d rows in the manifest", f.Name, *f.Rows)
		}
	}
	slices.Sort(names)
	entries, _ := os.ReadDir(out)
	var there []string
	for _, e := range entries {
		there = append(there, e.Name())
	}
	if diff := cmp.Diff(names, there); diff != "" {
		t.Errorf("manifest and folder differ (-manifest +folder):\n%s", diff)
	}
}

func TestTheSummaryTellsWhatWasReadAndThatItTiesOut(t *testing.T) {
	o := sampleOptions()
	o.Profile = "fabrikam.yaml"
	got := read(t, writeTo(t, sampleResult(), o), "summary.json")
	for _, want := range []string{
		`"offset_seconds": 37,`, `"text": "carrier clock +37 s"`, `"difference_percent": -14.3099,`, `"agrees": true,`,
		`"from_utc": "2026-10-01T12:00:00Z"`, `"as_of_utc": null`, `"seconds": 110.002,`, `"filtered": 2,`, `"integrity": "verified"`,
		`"warn_at_percent": 0.5,`, `"dispute_at_percent": 1,`, `"profile": "fabrikam.yaml"`, `"clock_offset": "auto"`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("summary.json lacks %s", want)
		}
	}
	if !json.Valid([]byte(got)) {
		t.Error("summary.json is not JSON")
	}
}

func TestOnlyWhatWasAskedForIsWritten(t *testing.T) {
	o := sampleOptions()
	o.Verdicts, o.Users = false, false
	out := writeTo(t, sampleResult(), o)
	for _, name := range []string{"verdicts.csv", "verdicts.parquet", "usage_users.csv"} {
		if _, err := os.Stat(filepath.Join(out, name)); err == nil {
			t.Errorf("%s was not asked for", name)
		}
	}
}

func TestSameRunSameBytes(t *testing.T) {
	a, b := writeTo(t, sampleResult(), sampleOptions()), writeTo(t, sampleResult(), sampleOptions())
	if read(t, a, "manifest.json") != read(t, b, "manifest.json") {
		t.Error("two reports of one run differ")
	}
}

func TestFiguresThatDoNotTieOutAreNotPublished(t *testing.T) {
	for name, spoil := range map[string]func(*fakeResult, *report.Options){
		"a row neither accepted nor rejected": func(f *fakeResult, _ *report.Options) { f.sum.Files[0][0].Rows++ },
		"a record in no class":                func(f *fakeResult, _ *report.Options) { f.sum.Classes[1][engine.DurationUnder].Records-- },
		"a millisecond in no class":           func(f *fakeResult, _ *report.Options) { f.sum.Classes[0][engine.Superseded].MS-- },
		"a millisecond not in the totals":     func(f *fakeResult, _ *report.Options) { f.sum.Totals.Carrier.MS++ },
		"a millisecond of no day":             func(f *fakeResult, _ *report.Options) { f.sum.Days[0].Microsoft.MS++ },
		"a millisecond of no country":         func(f *fakeResult, _ *report.Options) { f.sum.Countries[0].Carrier.MS-- },
		"a class with time that no row has": func(f *fakeResult, _ *report.Options) {
			f.sum.Classes[1][engine.DurationOver].MS++
			f.sum.Classes[1][engine.MissingAtMicrosoft].MS--
			f.sum.Classes[0][engine.Superseded].MS--
			f.sum.Classes[0][engine.Duplicate].MS++
		},
		"a discrepancy not listed": func(f *fakeResult, _ *report.Options) { f.sum.Discrepancies[engine.DurationOver]++ },
		"a reject not listed":      func(f *fakeResult, _ *report.Options) { f.rejects = nil },
		"a verdict missing":        func(f *fakeResult, _ *report.Options) { f.verdicts = f.verdicts[1:] },
		"a row of a file not read": func(_ *fakeResult, o *report.Options) { o.Inputs[1][0].Rows++ },
	} {
		t.Run(name, func(t *testing.T) {
			f, o := sampleResult(), sampleOptions()
			spoil(f, &o)
			if _, err := report.Write(context.Background(), into(t.TempDir()), f, o); !errors.Is(err, report.ErrTieOut) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestACancelledReportEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := manyCases(100_000)
	inner := f.cases
	f.cases = func(yield func(*engine.Case) bool) {
		n := 0
		inner(func(c *engine.Case) bool {
			if n++; n == 20_000 {
				cancel()
			}
			if n > 30_000 {
				t.Error("still reading long after the cancel")
				return false
			}
			return yield(c)
		})
	}
	o := report.Options{Inputs: [2][]report.Input{{{}}, {{}}}}
	if _, err := report.Write(ctx, into(t.TempDir()), f, o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestCSVIsReadableByAnyReader(t *testing.T) {
	out := writeTo(t, sampleResult(), sampleOptions())
	for _, name := range []string{"discrepancies.csv", "usage.csv", "usage_users.csv", "rejected.csv", "verdicts.csv"} {
		if _, err := csv.NewReader(strings.NewReader(read(t, out, name))).ReadAll(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
