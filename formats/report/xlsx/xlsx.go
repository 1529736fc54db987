// Package xlsx writes workbooks in Office Open XML (ECMA-376), as spreadsheet
// programs open them, row by row: memory does not grow with the rows, and
// nothing is kept in temporary files. The same calls give the same bytes.
//
// It writes values only. There is no way to write a formula, a link or a
// macro: whatever a text begins with, it is a text, and stays one when a
// person edits the cell.
package xlsx

import (
	"archive/zip"
	"errors"
	"io"
	"slices"
	"strings"
)

// Limits of a sheet, as spreadsheet programs have them.
const (
	MaxRows = 1 << 20
	MaxText = 32767 // UTF-16 units of a cell
)

// maxSheetBytes keeps a sheet below what a ZIP entry holds without extensions
// that not every program reads.
const maxSheetBytes = 3 << 30

// What texts are kept of those that occur often: no more than fit into a few
// megabytes.
const (
	maxShared      = 16 << 10
	maxSharedBytes = 200 // of one
)

// share returns the number of a text; false: it is not shared.
func (b *Book) share(text string) (int, bool) {
	n, known := b.shared[text]
	if known || len(text) > maxSharedBytes || len(b.texts) == maxShared {
		return n, known
	}
	n, text = len(b.texts), strings.Clone(text)
	b.shared[text] = n
	b.texts = append(b.texts, text)
	return n, true
}

// Book is a workbook being written. Its sheets are written one after another;
// Tab says where each of them stands in the end. It is for one goroutine.
type Book struct {
	zip    *zip.Writer
	sheets []*Sheet
	open   *Sheet
	title  string
	shared map[string]int // texts that cells refer to, by their number
	texts  []string       // the same in order
}

// NewBook begins a workbook. The title is what programs show in its
// properties.
func NewBook(w io.Writer, title string) *Book {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, compressor)
	return &Book{zip: z, title: title, shared: map[string]int{}}
}

// errOpen is a mistake of the caller.
var errOpen = errors.New("xlsx: a sheet is begun while another one is being written")

// Sheet begins a sheet; the one before must be closed.
func (b *Book) Sheet(l Layout) (*Sheet, error) {
	if b.open != nil {
		return nil, errOpen
	}
	w, err := b.zip.Create(sheetPath(len(b.sheets) + 1))
	if err != nil {
		return nil, err
	}
	s := newSheet(b, l, w)
	b.sheets = append(b.sheets, s)
	b.open = s
	return s, nil
}

// Close ends the workbook; every sheet must be closed.
func (b *Book) Close() error {
	if b.open != nil {
		return errOpen
	}
	inTabs := slices.Clone(b.sheets)
	slices.SortStableFunc(inTabs, func(a, c *Sheet) int { return a.layout.Tab - c.layout.Tab })
	for _, p := range b.parts(inTabs) {
		w, err := b.zip.Create(p.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, p.text); err != nil {
			return err
		}
	}
	return b.zip.Close()
}

// Abandon ends the goroutine of a sheet that is being written, of a workbook
// that is given up.
func (b *Book) Abandon() {
	if b.open != nil {
		_ = b.open.Close() // the file is of no use
	}
}
