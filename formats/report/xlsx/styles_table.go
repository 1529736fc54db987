package xlsx

import (
	"fmt"
	"strings"
)

// Style is how a cell looks and how its number is shown.
type Style uint8

// The styles. Those that begin with Total are the same in bold, below a line.
const (
	Normal  Style = iota
	Title         // of a sheet
	Heading       // of a section
	Header        // of a column of texts
	Figures       // of a column of numbers
	Beside        // of a column of texts beside one
	Text          // from anywhere: stays a text when a person edits the cell
	Wrapped       // the same on several lines
	Aside         // the same beside a number
	Strong        // bold
	Note          // small and grey
	Count         // 1,234
	Minutes       // 1,234.56
	Signed        // +1,234.56
	Seconds       // 1.234
	Precise       // 0:01:03.250
	Span          // 0:01:03
	Instant       // 2026-10-01 12:00:00.000
	Day           // 2026-10-01
	Percent       // +1.25%, of a share
	TotalText
	TotalCount
	TotalMinutes
	TotalSigned
	TotalSeconds
	TotalSpan
	TotalPercent
	Good    // agrees
	Warning // look at it
	Bad     // does not agree
	numStyles
)

// look describes a style.
type look struct {
	font, fill, border int    // indices of the lists below
	format             string // of numbers; "": general
	align              string // attributes
	text               bool
}

const (
	regular = iota
	titled
	headed
	white
	bold
	grey
)

const (
	noFill    = 0
	darkFill  = 2
	greenFill = 3
	amberFill = 4
	redFill   = 5
)

const (
	countFormat   = `#,##0`
	minutesFormat = `#,##0.00`
	secondsFormat = `#,##0.000`
	signedFormat  = `+#,##0.00;-#,##0.00;0.00`
	spanFormat    = `[h]:mm:ss`
	percentFormat = `+0.00%;-0.00%;0.00%`
	topAligned    = `vertical="top"`
	wrapAligned   = `vertical="top" wrapText="1"`
)

var looks = [numStyles]look{
	Title:        {font: titled},
	Heading:      {font: headed, border: 2},
	Header:       {font: white, fill: darkFill, align: `vertical="center" wrapText="1"`},
	Figures:      {font: white, fill: darkFill, align: `vertical="center" horizontal="right" wrapText="1"`},
	Beside:       {font: white, fill: darkFill, align: `vertical="center" horizontal="left" indent="1" wrapText="1"`},
	Text:         {align: topAligned, text: true},
	Wrapped:      {align: wrapAligned, text: true},
	Aside:        {align: `vertical="top" horizontal="left" indent="1"`, text: true},
	Strong:       {font: bold, align: topAligned, text: true},
	Note:         {font: grey, align: topAligned, text: true},
	Count:        {format: countFormat, align: topAligned},
	Minutes:      {format: minutesFormat, align: topAligned},
	Signed:       {format: signedFormat, align: topAligned},
	Seconds:      {format: secondsFormat, align: topAligned},
	Precise:      {format: `[h]:mm:ss.000`, align: topAligned},
	Span:         {format: spanFormat, align: topAligned},
	Instant:      {format: `yyyy-mm-dd hh:mm:ss.000`, align: `vertical="top" horizontal="left"`},
	Day:          {format: `yyyy-mm-dd`, align: `vertical="top" horizontal="left"`},
	Percent:      {format: percentFormat, align: topAligned},
	TotalText:    {font: bold, border: 1, text: true},
	TotalCount:   {font: bold, border: 1, format: countFormat},
	TotalMinutes: {font: bold, border: 1, format: minutesFormat},
	TotalSigned:  {font: bold, border: 1, format: signedFormat},
	TotalSeconds: {font: bold, border: 1, format: secondsFormat},
	TotalSpan:    {font: bold, border: 1, format: spanFormat},
	TotalPercent: {font: bold, border: 1, format: percentFormat},
	Good:         {font: bold, fill: greenFill, align: `vertical="top" horizontal="left" indent="1"`, text: true},
	Warning:      {font: bold, fill: amberFill, align: `vertical="top" horizontal="left" indent="1"`, text: true},
	Bad:          {font: bold, fill: redFill, align: `vertical="top" horizontal="left" indent="1"`, text: true},
}

const styleHead = `<fonts count="6"><font><sz val="10"/><name val="Calibri"/></font><font><b/><sz val="16"/><color rgb="FF1F3A5F"/><name val="Calibri"/></font>` +
	`<font><b/><sz val="12"/><color rgb="FF1F3A5F"/><name val="Calibri"/></font><font><b/><sz val="10"/><color rgb="FFFFFFFF"/><name val="Calibri"/></font>` +
	`<font><b/><sz val="10"/><name val="Calibri"/></font><font><sz val="9"/><color rgb="FF595959"/><name val="Calibri"/></font></fonts>` +
	`<fills count="6"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FF1F3A5F"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFD5EBD9"/></patternFill></fill>` +
	`<fill><patternFill patternType="solid"><fgColor rgb="FFFCE8B8"/></patternFill></fill><fill><patternFill patternType="solid"><fgColor rgb="FFF6CFCB"/></patternFill></fill></fills>` +
	`<borders count="3"><border><left/><right/><top/><bottom/><diagonal/></border><border><left/><right/><top style="thin"><color rgb="FF1F3A5F"/></top><bottom/><diagonal/></border>` +
	`<border><left/><right/><top/><bottom style="medium"><color rgb="FF1F3A5F"/></bottom><diagonal/></border></borders>` +
	`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>`

const (
	textFormat  = 49  // built in: @
	firstFormat = 164 // of those that a workbook brings
)

// styleSheet is the workbook's part with the styles.
func styleSheet() string {
	var formats, xfs strings.Builder
	ids := map[string]int{"": 0}
	for _, l := range looks {
		if _, known := ids[l.format]; !known {
			ids[l.format] = firstFormat + len(ids) - 1
			fmt.Fprintf(&formats, `<numFmt numFmtId="%d" formatCode="%s"/>`, ids[l.format], attribute(l.format))
		}
		id, quote := ids[l.format], ""
		if l.text {
			id, quote = textFormat, ` quotePrefix="1"`
		}
		fmt.Fprintf(&xfs, `<xf numFmtId="%d" fontId="%d" fillId="%d" borderId="%d" xfId="0" applyNumberFormat="1" applyFont="1" applyFill="1" applyBorder="1" applyAlignment="1"%s>`,
			id, l.font, l.fill, l.border, quote)
		if l.align != "" {
			xfs.WriteString(`<alignment ` + l.align + `/>`)
		}
		xfs.WriteString(`</xf>`)
	}
	return fmt.Sprintf(`<styleSheet xmlns="%s"><numFmts count="%d">%s</numFmts>%s<cellXfs count="%d">%s</cellXfs>`+
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>`,
		mainSpace, len(ids)-1, formats.String(), styleHead, numStyles, xfs.String())
}
