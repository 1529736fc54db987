//go:build office

package report_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"concord/engine"
	"concord/formats/report"
)

// These tests open reports with the programs that people open them with:
// make office.

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, name, args...)
	c.Env = append(os.Environ(), "HOME="+t.TempDir()) // a profile of its own
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// sheets converts a workbook and returns the cells of each sheet as they are
// shown, in the order in which LibreOffice has them.
func sheets(t *testing.T, path string) map[string][][]string {
	t.Helper()
	dir := t.TempDir()
	run(t, "soffice", "--headless", "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true,false,false,-1", "--outdir", dir, path)
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sheet of %s was converted: %v", path, err)
	}
	all := map[string][][]string{}
	base := strings.TrimSuffix(filepath.Base(path), ".xlsx")
	for _, f := range files {
		r := csv.NewReader(strings.NewReader(read(t, f)))
		r.FieldsPerRecord = -1
		cells, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(f), base+"-"), ".csv")] = cells
	}
	return all
}

func TestLibreOfficeOpensTheWorkbooks(t *testing.T) {
	out := writeTo(t, sampleResult(), sampleOptions())
	all := sheets(t, filepath.Join(out, "report.xlsx"))
	for _, name := range []string{"Summary", "Discrepancies", "Usage", "Inputs", "Columns"} {
		if len(all[name]) == 0 {
			t.Errorf("there is no sheet %s", name)
		}
	}
	d := all["Discrepancies"]
	if len(d) < 8 || d[0][0] != "Discrepancies" {
		t.Fatalf("rows %q", d)
	}
	row := d[3]
	for _, want := range []string{"a1", "+4930123456", "2026-10-01 12:00:01.500", "0:01:03.250", "1.05", "+0.05", "3.250", "-one.csv"} {
		if !slices.Contains(row, want) {
			t.Errorf("the first case lacks %q: %q", want, row)
		}
	}
	if got := d[len(d)-1]; got[0] != "Rows 1 to 4 of 4" || !slices.Contains(got, "1.83") || !slices.Contains(got, "0:01:50") {
		t.Errorf("the last row says %q", got)
	}
	if got := fmt.Sprint(all["Summary"]); !strings.Contains(got, "agrees") || !strings.Contains(got, "carrier clock +37 s") {
		t.Errorf("the summary says %s", got)
	}
}

func TestLibreOfficeCalculatesNothing(t *testing.T) {
	for i, text := range attacks {
		f, o := attacked(text)
		out := writeTo(t, f, o)
		if i == 0 { // the first is enough to see what is shown
			d := sheets(t, filepath.Join(out, "report.xlsx"))["Discrepancies"]
			if len(d) < 4 || !slices.Contains(d[3], text) {
				t.Errorf("%q is not shown as it is", text)
			}
		}
	}
	f, o := attacked(strings.Join(attacks[:4], "\n"))
	dir := t.TempDir()
	run(t, "soffice", "--headless", "--convert-to", "xlsx", "--outdir", dir, filepath.Join(writeTo(t, f, o), "report.xlsx"))
	saved, err := excelize.OpenFile(filepath.Join(dir, "report.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = saved.Close() }()
	for _, sheet := range saved.GetSheetList() {
		inertSheet(t, saved, sheet)
	}
}

var (
	mediaBox = regexp.MustCompile(`/MediaBox ?\[ ?0 0 ([0-9.]+) ([0-9.]+) ?\]`)
	allPages = regexp.MustCompile(`/Type ?/Pages\b`) // its box is as wide and as high as any page
)

func onA4(t *testing.T, path string) {
	t.Helper()
	pages := 0
	for object := range strings.SplitSeq(read(t, path), "endobj") {
		p := mediaBox.FindStringSubmatch(object)
		if p == nil || allPages.MatchString(object) {
			continue
		}
		pages++
		sides := []string{strings.Split(p[1], ".")[0], strings.Split(p[2], ".")[0]}
		slices.Sort(sides)
		if sides[0] != "594" && sides[0] != "595" || sides[1] != "841" && sides[1] != "842" {
			t.Errorf("%s has a page of %s by %s points", path, p[1], p[2])
		}
	}
	if pages == 0 {
		t.Errorf("%s has no pages", path)
	}
}

func TestReportsPrintOnA4(t *testing.T) {
	out := writeTo(t, manyCases(200), report.Options{Inputs: [2][]report.Input{{{Name: "m.csv"}}, {{Name: "c.csv"}}}, Rules: engine.DefaultRules()})
	dir := t.TempDir()
	for _, name := range []string{"report", "dispute"} {
		run(t, "soffice", "--headless", "--convert-to", "pdf", "--outdir", dir, filepath.Join(out, name+".xlsx"))
		onA4(t, filepath.Join(dir, name+".pdf"))
	}
	page := filepath.Join(dir, "page.pdf")
	run(t, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--print-to-pdf="+page, "file://"+filepath.Join(out, "report.html"))
	onA4(t, page)
}

// Nothing that a browser is asked to load, and no text from a file, gets past
// the page's own policy: it says so in its log.
func TestABrowserHasNothingToRefuse(t *testing.T) {
	f, o := attacked(strings.Join(attacks, " "))
	out := writeTo(t, f, o)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--dump-dom", "file://"+filepath.Join(out, "report.html"))
	c.Env = append(os.Environ(), "HOME="+t.TempDir())
	var log bytes.Buffer
	c.Stderr = &log
	dom, err := c.Output()
	if err != nil || !bytes.Contains(dom, []byte("Tie-out")) {
		t.Fatalf("%v\n%s", err, log.Bytes())
	}
	if bytes.Contains(log.Bytes(), []byte("CONSOLE")) {
		t.Errorf("the browser says\n%s", log.Bytes())
	}
}

// A month of the largest carrier must not take the memory of the machine.
// BenchmarkMillion says what time it takes.
func TestAMillionDiscrepanciesFitInMemory(t *testing.T) {
	opts := report.Options{Inputs: [2][]report.Input{{{Name: "calls.parquet"}}, {{Name: "carrier.csv.gz"}}}, Rules: engine.DefaultRules()}
	if _, err := report.Write(t.Context(), into(t.TempDir()), manyCases(1_000_000), opts); err != nil {
		t.Fatal(err)
	}
	if peak := peakMemory(t); peak > 256<<20 {
		t.Errorf("%d MiB, at most 256", peak>>20)
	}
}
