package report

import (
	"errors"

	"concord/formats/report/xlsx"
)

// workbook is an XLSX file of the report that is being written.
type workbook struct {
	file *stagedFile
	book *xlsx.Book
	cut  int64 // texts that were longer than a cell may be
	rows int64 // of its lists, for the manifest
}

// workbook begins a file. Who begins one ends it, by close or abandon.
func (w *shown) workbook(name, title string) (*workbook, error) {
	f, err := w.folder.open(name)
	if err != nil {
		return nil, err
	}
	b := &workbook{file: f, book: xlsx.NewBook(f, title)}
	w.books = append(w.books, b)
	return b, nil
}

// close completes the file.
func (b *workbook) close(folder *files) error {
	if err := b.book.Close(); err != nil {
		return err
	}
	f := b.file
	b.file = nil
	return folder.finish(f, b.rows)
}

// abandon closes the workbooks that were not completed.
func (w *shown) abandon(err error) error {
	for _, b := range w.books {
		if b.file != nil {
			b.book.Abandon()
			err = errors.Join(err, b.file.f.Close())
		}
	}
	return err
}
