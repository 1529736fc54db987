package report

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// Redaction says how the files of a version are written anew without a number.
// Rows, their order and every figure stay what they were.
type Redaction struct {
	// From is the folder of the version, as it was published; what is not as
	// its manifest says is ErrAltered.
	From     fs.FS
	Version  int
	Manifest string // SHA-256 of its manifest.json, in hexadecimal
	// Text returns a text without the number.
	Text func(string) string
	// Case returns another id for a case whose own one was made of the number.
	Case func(string) string
	// Holds reports whether a file of a form that is not known holds the number:
	// then it is left out, because the others say the same.
	Holds func(name string) (bool, error)
	// Supersedes is the manifest of the version before, which may be another
	// one since; empty: there is none.
	Supersedes string
	Erasures   []Erasure
}

// Redact writes the files of a version anew, by the same names, and returns the
// SHA-256 of their manifest. Like those of Write they are closed and synced.
func Redact(ctx context.Context, create Create, o Redaction) (manifest string, err error) {
	a, err := openArchive(ctx, &Release{Previous: o.From, PreviousVersion: o.Version, PreviousManifest: o.Manifest})
	if err != nil {
		return "", err
	}
	r := &redactor{Redaction: o, archive: a, folder: &files{create: create}, cases: map[string]bool{}}
	if err := r.findCases(ctx); err != nil {
		return "", err
	}
	for _, e := range a.files {
		if r.remakes(e.Name) {
			continue
		}
		if err := r.file(ctx, e); err != nil {
			return "", fmt.Errorf("take a number out of %s: %w", a.says(e.Name), err)
		}
	}
	if err := r.people(ctx); err != nil {
		return "", fmt.Errorf("make the files for people of version %d anew: %w", a.version, err)
	}
	if err := r.folder.manifest(); err != nil {
		return "", err
	}
	return r.folder.done[len(r.folder.done)-1].SHA256, nil
}

// redactor writes one version anew.
type redactor struct {
	Redaction
	archive *archive
	folder  *files
	cases   map[string]bool // ids that were made of the number
}

// Columns that hold the id of a case, and those of which it is made.
const (
	caseColumn      = "case_id"
	microsoftColumn = "microsoft_record_id"
	carrierColumn   = "carrier_record_ids"
)

// findCases finds the cases whose ids were made of the number: those of which it
// is in a row, and which have a record without an id of its own, or with one that
// holds it.
func (r *redactor) findCases(ctx context.Context) error {
	if !r.has("discrepancies.csv") {
		return nil // such as a usage
	}
	return r.archive.use(ctx, "discrepancies.csv", func(in io.Reader) error {
		return r.rows(ctx, in, func(head, row []string) error {
			at := map[string]string{}
			touched := false
			for i, name := range head {
				at[name] = row[i]
				touched = touched || r.cell(name, row[i]) != row[i]
			}
			own := func(id, place string) bool { return at[place] != "" && (at[id] == "" || r.Text(at[id]) != at[id]) }
			if touched && (own(microsoftColumn, "microsoft_row") || own(carrierColumn, "carrier_row")) {
				r.cases[at[caseColumn]] = true
			}
			return nil
		})
	})
}

func (r *redactor) file(ctx context.Context, e entry) error {
	switch path.Ext(e.Name) {
	case ".csv":
		return r.archive.use(ctx, e.Name, func(in io.Reader) error { return r.csv(ctx, in, e) })
	case ".json":
		return r.archive.use(ctx, e.Name, func(in io.Reader) error { return r.json(in, e) })
	case ".parquet":
		return r.parquet(ctx, e)
	}
	if holds, err := r.Holds(e.Name); holds || err != nil {
		return err
	}
	return r.archive.use(ctx, e.Name, func(in io.Reader) error { return r.copy(in, e) })
}

// cell is what a cell becomes.
func (r *redactor) cell(column, text string) string {
	switch {
	case figureColumn(column):
		return text
	case column == caseColumn && r.cases[text]:
		return r.Case(text)
	}
	return r.Text(text)
}

// figureColumn reports whether a column holds figures, whose digits may look like
// those of a number.
func figureColumn(column string) bool {
	switch column {
	case "row", "row_group", "line", "date", "month", "calls", "operator_sourced_calls":
		return true
	}
	return strings.Contains(column, "seconds") || strings.Contains(column, "_utc") || strings.HasSuffix(column, "_row")
}

// rows calls do with each row of a CSV, and its header.
func (r *redactor) rows(ctx context.Context, in io.Reader, do func(head, row []string) error) error {
	c := csv.NewReader(in)
	c.ReuseRecord = true
	first, err := c.Read()
	if err != nil {
		return err
	}
	head := append([]string(nil), first...)
	for {
		row, err := c.Read()
		if errors.Is(err, io.EOF) {
			return ctx.Err()
		}
		if err == nil {
			err = do(head, row)
		}
		if err != nil {
			return err
		}
	}
}

func (r *redactor) csv(ctx context.Context, in io.Reader, e entry) error {
	f, err := r.folder.open(e.Name)
	if err != nil {
		return err
	}
	var line []byte
	put := func(head, row []string) error {
		line = line[:0]
		for i, text := range row {
			if i > 0 {
				line = append(line, ',')
			}
			line = appendQuoted(line, r.cell(head[i], text))
		}
		_, err := f.Write(append(line, '\n'))
		return err
	}
	begun := false
	err = r.rows(ctx, in, func(head, row []string) error {
		if !begun {
			begun = true
			if err := put(head, head); err != nil {
				return err
			}
		}
		return put(head, row)
	})
	if err == nil && !begun {
		err = r.headOnly(ctx, f, e)
	}
	return r.end(f, e, err)
}

// headOnly writes a CSV that has no rows.
func (r *redactor) headOnly(ctx context.Context, f io.Writer, e entry) error {
	return r.archive.use(ctx, e.Name, func(in io.Reader) error {
		_, err := io.Copy(f, in)
		return err
	})
}

// end completes a file, or gives it up.
func (r *redactor) end(f *stagedFile, e entry, err error) error {
	if err != nil {
		return errors.Join(err, f.f.Close())
	}
	rows := int64(-1)
	if e.Rows != nil {
		rows = *e.Rows
	}
	return r.folder.finish(f, rows)
}

func (r *redactor) copy(in io.Reader, e entry) error {
	f, err := r.folder.open(e.Name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, in)
	return r.end(f, e, err)
}

// json writes a document anew.
func (r *redactor) json(in io.Reader, e entry) error {
	text, err := r.document(in)
	if err != nil {
		return err
	}
	if e.Name != versionFile {
		return r.copy(strings.NewReader(text), e)
	}
	doc, err := r.versionOf(text)
	if err != nil {
		return err
	}
	return r.folder.writeJSON(e.Name, doc)
}

// document reads a document without the number, which is within its texts only.
func (r *redactor) document(in io.Reader) (string, error) {
	b, err := io.ReadAll(io.LimitReader(in, maxJSON))
	return quoted(string(b), r.Text), err
}

// versionOf is what version.json says now.
func (r *redactor) versionOf(text string) (*versionDoc, error) {
	doc := new(versionDoc)
	if err := json.Unmarshal([]byte(text), doc); err != nil {
		return nil, err
	}
	if doc.Supersedes != nil {
		doc.Supersedes.Manifest = r.Supersedes
	}
	doc.Erasures = r.Erasures
	return doc, nil
}

// quoted changes the texts of a document of JSON, and no figure.
func quoted(doc string, change func(string) string) string {
	var b strings.Builder
	for {
		from := strings.IndexByte(doc, '"')
		if from < 0 {
			return b.String() + doc
		}
		to := from + 1
		for to < len(doc) && doc[to] != '"' {
			if doc[to] == '\\' {
				to++
			}
			to++
		}
		to = min(to, len(doc))
		b.WriteString(doc[:from+1])
		b.WriteString(change(doc[from+1 : to]))
		doc = doc[to:]
		if doc != "" {
			b.WriteByte('"')
			doc = doc[1:]
		}
	}
}
