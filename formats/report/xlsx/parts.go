package xlsx

import (
	"fmt"
	"strconv"
	"strings"
)

const (
	declaration = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?>` + "\n"
	mainSpace   = `http://schemas.openxmlformats.org/spreadsheetml/2006/main`
	linkSpace   = `http://schemas.openxmlformats.org/officeDocument/2006/relationships`
	packSpace   = `http://schemas.openxmlformats.org/package/2006`
	mediaType   = `application/vnd.openxmlformats-officedocument.spreadsheetml.`
)

// part is a file of the workbook besides its sheets.
type part struct{ name, text string }

func sheetPath(number int) string { return "xl/" + sheetTarget(number) }

func sheetTarget(number int) string { return "worksheets/sheet" + strconv.Itoa(number) + ".xml" }

// parts are what makes a workbook of its sheets, which come in the order of
// their tabs.
func (b *Book) parts(sheets []*Sheet) []part {
	return []part{
		{"xl/styles.xml", declaration + styleSheet()},
		{"xl/sharedStrings.xml", declaration + sharedStrings(b.texts)},
		{"xl/workbook.xml", declaration + workbook(sheets)},
		{"xl/_rels/workbook.xml.rels", declaration + workbookLinks(sheets)},
		{"docProps/core.xml", declaration + `<cp:coreProperties xmlns:cp="` + packSpace + `/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>` +
			attribute(b.title) + `</dc:title><dc:creator>Concord</dc:creator></cp:coreProperties>`},
		{"_rels/.rels", declaration + `<Relationships xmlns="` + packSpace + `/relationships">` + link("rId1", linkSpace+"/officeDocument", "xl/workbook.xml") +
			link("rId2", packSpace+"/relationships/metadata/core-properties", "docProps/core.xml") + `</Relationships>`},
		{"[Content_Types].xml", declaration + contentTypes(sheets)},
	}
}

func link(id, kind, target string) string {
	return `<Relationship Id="` + id + `" Type="` + kind + `" Target="` + target + `"/>`
}

func sharedStrings(texts []string) string {
	b := fmt.Appendf(nil, `<sst xmlns="%s" uniqueCount="%d">`, mainSpace, len(texts))
	for _, t := range texts {
		b = append(appendItem(append(b, `<si>`...), t), `</si>`...)
	}
	return string(append(b, `</sst>`...))
}

func workbook(sheets []*Sheet) string {
	var s strings.Builder
	s.WriteString(`<workbook xmlns="` + mainSpace + `" xmlns:r="` + linkSpace + `"><bookViews><workbookView activeTab="0"/></bookViews><sheets>`)
	for _, sh := range sheets {
		fmt.Fprintf(&s, `<sheet name="%s" sheetId="%d" r:id="rId%d"/>`, attribute(sh.layout.Name), sh.number, sh.number)
	}
	s.WriteString(`</sheets>`)
	if names := definedNames(sheets); names != "" {
		s.WriteString(`<definedNames>` + names + `</definedNames>`)
	}
	s.WriteString(`</workbook>`)
	return s.String()
}

// definedNames say which rows are printed on every page and which are
// filtered.
func definedNames(sheets []*Sheet) string {
	var s strings.Builder
	for i, sh := range sheets {
		name := attribute("'" + strings.ReplaceAll(sh.layout.Name, "'", "''") + "'!")
		if sh.filter != "" {
			fmt.Fprintf(&s, `<definedName name="_xlnm._FilterDatabase" localSheetId="%d" hidden="1">%s%s</definedName>`, i, name, absolute(sh.filter))
		}
		if n, keys := sh.layout.Frozen, sh.layout.Keys; n > 0 {
			columns := ""
			if keys > 0 {
				columns = name + "$A:$" + string(appendColumn(nil, keys-1)) + ","
			}
			fmt.Fprintf(&s, `<definedName name="_xlnm.Print_Titles" localSheetId="%d">%s%s$1:$%d</definedName>`, i, columns, name, n)
		}
	}
	return s.String()
}

// absolute makes $A$1:$B$2 of A1:B2.
func absolute(cells string) string {
	var s strings.Builder
	digits := false
	s.WriteByte('$')
	for _, c := range cells {
		switch isDigit := c >= '0' && c <= '9'; {
		case c == ':':
			s.WriteString(":$")
			digits = false
			continue
		case isDigit && !digits:
			s.WriteByte('$')
			digits = true
		}
		s.WriteRune(c)
	}
	return s.String()
}

func workbookLinks(sheets []*Sheet) string {
	var s strings.Builder
	s.WriteString(`<Relationships xmlns="` + packSpace + `/relationships">`)
	for _, sh := range sheets {
		s.WriteString(link("rId"+strconv.Itoa(sh.number), linkSpace+"/worksheet", sheetTarget(sh.number)))
	}
	s.WriteString(link("rId"+strconv.Itoa(len(sheets)+1), linkSpace+"/styles", "styles.xml"))
	s.WriteString(link("rId"+strconv.Itoa(len(sheets)+2), linkSpace+"/sharedStrings", "sharedStrings.xml") + `</Relationships>`)
	return s.String()
}

func contentTypes(sheets []*Sheet) string {
	var s strings.Builder
	s.WriteString(`<Types xmlns="` + packSpace + `/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>` +
		`<Default Extension="xml" ContentType="application/xml"/>`)
	override := func(name, kind string) {
		s.WriteString(`<Override PartName="/` + name + `" ContentType="` + kind + `"/>`)
	}
	override("xl/workbook.xml", mediaType+"sheet.main+xml")
	override("xl/styles.xml", mediaType+"styles+xml")
	override("xl/sharedStrings.xml", mediaType+"sharedStrings+xml")
	override("docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml")
	for _, sh := range sheets {
		override(sheetPath(sh.number), mediaType+"worksheet+xml")
	}
	s.WriteString(`</Types>`)
	return s.String()
}

// head writes what comes before the rows.
func (s *Sheet) head() {
	s.buf = append(s.buf, declaration+`<worksheet xmlns="`+mainSpace+`"><sheetPr><pageSetUpPr fitToPage="1"/></sheetPr><sheetViews><sheetView workbookViewId="0" showGridLines="0"`...)
	if s.layout.Tab == 0 {
		s.buf = append(s.buf, ` tabSelected="1"`...)
	}
	s.buf = append(s.buf, '>')
	s.buf = append(s.buf, s.layout.pane()...)
	s.buf = append(s.buf, `</sheetView></sheetViews><sheetFormatPr defaultRowHeight="15"/>`...)
	if len(s.layout.Widths) > 0 {
		s.buf = append(s.buf, `<cols>`...)
		for i, w := range s.layout.Widths {
			s.buf = fmt.Appendf(s.buf, `<col min="%d" max="%d" width="%g" customWidth="1"/>`, i+1, i+1, w)
		}
		s.buf = append(s.buf, `</cols>`...)
	}
	s.buf = append(s.buf, `<sheetData>`...)
}

// pane keeps rows and columns in view.
func (l *Layout) pane() string {
	switch corner := string(appendColumn(nil, l.Keys)) + strconv.Itoa(l.Frozen+1); {
	case l.Frozen > 0 && l.Keys > 0:
		return fmt.Sprintf(`<pane xSplit="%d" ySplit="%d" topLeftCell="%s" activePane="bottomRight" state="frozen"/>`, l.Keys, l.Frozen, corner)
	case l.Frozen > 0:
		return fmt.Sprintf(`<pane ySplit="%d" topLeftCell="%s" activePane="bottomLeft" state="frozen"/>`, l.Frozen, corner)
	}
	return ""
}

// tail writes what comes after the rows: it prints on A4.
func (s *Sheet) tail() {
	s.buf = append(s.buf, `</sheetData>`...)
	if s.filter != "" {
		s.buf = append(s.buf, `<autoFilter ref="`+s.filter+`"/>`...)
	}
	if len(s.merged) > 0 {
		s.buf = fmt.Appendf(s.buf, `<mergeCells count="%d">`, len(s.merged))
		for _, m := range s.merged {
			s.buf = append(s.buf, `<mergeCell ref="`+m+`"/>`...)
		}
		s.buf = append(s.buf, `</mergeCells>`...)
	}
	orientation := "landscape"
	if s.layout.Upright {
		orientation = "portrait"
	}
	s.buf = fmt.Appendf(s.buf, `<pageMargins left="0.4" right="0.4" top="0.5" bottom="0.6" header="0.3" footer="0.3"/>`+
		`<pageSetup paperSize="9" fitToWidth="%d" fitToHeight="0" pageOrder="overThenDown" orientation="%s"/>`, max(s.layout.Across, 1), orientation)
	s.buf = append(s.buf, `<headerFooter><oddFooter>&amp;L&amp;A&amp;R&amp;P / &amp;N</oddFooter></headerFooter></worksheet>`...)
}
