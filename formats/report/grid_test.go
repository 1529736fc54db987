package report

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/xuri/excelize/v2"

	"concord/formats/report/page"
	"concord/formats/report/xlsx"
)

// shortSheets writes 25 rows on sheets of 15, and says on the first sheet what
// they hold.
func shortSheets(t *testing.T, w io.Writer) {
	t.Helper()
	b := &workbook{book: xlsx.NewBook(w, "")}
	cols := []column{{name: "case_id"}, {name: "microsoft_seconds", kind: span}, {name: "carrier_seconds", kind: span}}
	g := newGrid(b, "Discrepancies", "", listTab, cols)
	g.most = 15
	for i := range 30 {
		g.skip = i%6 == 5
		g.text(fmt.Sprint("case ", i))
		g.span(int64(i) * 1000)
		g.null()
		g.end()
	}
	if err := g.close(); err != nil {
		t.Fatal(err)
	}
	s := &summaryBook{workbook: b, page: &page.Page{}}
	if err := s.on(xlsx.Layout{Name: "Summary", Tab: summaryTab}, func() { s.held([]*grid{g}) }); err != nil {
		t.Fatal(err)
	}
	if err := b.book.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRowsThatDoNotFitGoOnInAFurtherSheet(t *testing.T) {
	var b bytes.Buffer
	shortSheets(t, &b)
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	if got := fmt.Sprint(f.GetSheetList()); got != "[Summary Discrepancies Discrepancies 2 Discrepancies 3]" {
		t.Errorf("sheets %s", got)
	}
	var ids []string
	var says []string
	for _, name := range f.GetSheetList()[1:] {
		rows, err := f.GetRows(name)
		if err != nil || len(rows) > 15 {
			t.Fatalf("%s has %d rows, %v", name, len(rows), err)
		}
		for _, r := range rows[gridHead : len(rows)-gridFoot] {
			ids = append(ids, r[0])
		}
		says = append(says, rows[len(rows)-1][0]+", "+rows[len(rows)-1][1])
	}
	if len(ids) != 25 || ids[0] != "case 0" || ids[24] != "case 28" {
		t.Errorf("rows %q", ids)
	}
	if got := fmt.Sprintf("%q", says); got != `["Rows 1 to 10, more on the next sheet, 0:00:50" "Rows 11 to 20, more on the next sheet, 0:02:50" "Rows 21 to 25 of 25, 0:02:10"]` {
		t.Errorf("the last rows say %s", got)
	}
	held, err := f.GetRows("Summary")
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%q", held[5]); got != `["Discrepancies 3" "" "21" "25" "25" "0:02:10.000" "0:05:50.000" "0:00:00.000" "0:00:00.000"]` {
		t.Errorf("the first sheet says %s", got)
	}
}
