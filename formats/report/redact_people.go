package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"concord/engine"
)

// peopleFiles are made of the others.
var peopleFiles = []string{"report.html", "report.xlsx", "dispute.xlsx"}

// has reports whether the version has a file; one of an older program may lack
// those for people.
func (r *redactor) has(name string) bool {
	return slices.ContainsFunc(r.archive.files, func(e entry) bool { return e.Name == name })
}

// remakes reports whether a file is not rewritten but made anew.
func (r *redactor) remakes(name string) bool {
	return slices.Contains(peopleFiles, name) && !slices.ContainsFunc(peopleFiles, func(n string) bool { return !r.has(n) })
}

// people makes what people read anew, of the documents and rows without the
// number.
func (r *redactor) people(ctx context.Context) (err error) {
	if !r.remakes(peopleFiles[0]) {
		return nil
	}
	w := &shown{folder: r.folder, doc: new(summaryDoc)}
	if err := r.documents(ctx, w); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = w.abandon(err)
		}
	}()
	if err := w.begin(); err != nil {
		return err
	}
	if err := r.rowsFor(ctx, w); err != nil {
		return err
	}
	return w.write()
}

// documents reads what the summary and the version say now.
func (r *redactor) documents(ctx context.Context, w *shown) error {
	for _, name := range peopleFiles {
		if err := r.untouched(ctx, name); err != nil {
			return err
		}
	}
	err := r.archive.use(ctx, summaryFile, func(in io.Reader) error {
		text, err := r.document(in)
		if err == nil {
			err = json.Unmarshal([]byte(text), w.doc)
		}
		return err
	})
	if err != nil || !r.has(versionFile) {
		return err
	}
	return r.archive.use(ctx, versionFile, func(in io.Reader) error {
		text, err := r.document(in)
		if err == nil {
			w.version, err = r.versionOf(text)
		}
		return err
	})
}

// rowsFor shows the rows of the version.
func (r *redactor) rowsFor(ctx context.Context, w *shown) error {
	at := places(discrepancyColumns)
	why, err := r.reasons(ctx)
	if err != nil {
		return err
	}
	var current []cell
	look := func(row []cell) error {
		c, err := at.caseOf(row)
		if err == nil {
			w.look(c)
			current = row
		}
		return err
	}
	o := &w.office
	if err := r.fill(ctx, "discrepancies.parquet", look, func(g *grid) { g.besidesOf(why.of(at, current)) }, o.cases, o.disputes); err != nil {
		return err
	}
	if err := o.tie(w.doc); err != nil {
		return err
	}
	return r.fill(ctx, "usage.parquet", func([]cell) error { return nil }, func(*grid) {}, o.usage)
}

// fill shows the rows of a table in sheets. Each row is looked at first, and
// more adds the columns that only sheets have.
func (r *redactor) fill(ctx context.Context, name string, look func(row []cell) error, more func(*grid), grids ...*grid) error {
	i := slices.IndexFunc(r.archive.files, func(e entry) bool { return e.Name == name })
	if i < 0 {
		return r.archive.altered("manifest.json")
	}
	err := r.table(ctx, r.archive.files[i], func() error { return nil }, func(row []cell) error {
		if err := look(row); err != nil {
			return err
		}
		for _, g := range grids {
			for c := range row {
				row[c].show(g, g.cols[c].kind)
			}
			more(g)
			g.end()
		}
		if slices.ContainsFunc(grids, (*grid).stopped) {
			return errStopped
		}
		return nil
	})
	if errors.Is(err, errStopped) {
		err = nil // close says why
	}
	for _, g := range grids {
		err = errors.Join(err, g.close())
	}
	return err
}

// casePlaces say where in a row of discrepancies a column is.
type casePlaces map[string]int

func places(cols []column) casePlaces {
	p := casePlaces{}
	for i := range cols {
		p[cols[i].name] = i
	}
	return p
}

// caseOf is as much of a case as decides where its row is shown, and how among
// the top discrepancies.
func (p casePlaces) caseOf(row []cell) (*engine.Case, error) {
	class, known := classOf(row[p["class"]].text)
	if !known {
		return nil, fmt.Errorf("a class of another version of the program: %w", errors.ErrUnsupported)
	}
	c := &engine.Case{ID: strings.Clone(row[p[caseColumn]].text), Class: class, Flags: flagsOf(row[p["flags"]].text)}
	if m := p.leg(row, "microsoft"); m != nil {
		c.Microsoft = m
	}
	if k := p.leg(row, "carrier"); k != nil {
		c.Carrier = []engine.Leg{*k}
	}
	if class == engine.Invalid {
		c.Reject = &engine.RowError{}
	}
	return c, nil
}

// leg is one side of a case; nil: that side lacks it. The legs of a split call
// are one here.
func (p casePlaces) leg(row []cell, side string) *engine.Leg {
	if row[p[side+"_file"]].null && row[p[side+"_row"]].null && row[p[side+"_start_utc"]].null {
		return nil
	}
	return &engine.Leg{Call: engine.Call{
		Start: row[p[side+"_start_utc"]].value, DurationMS: row[p[side+"_seconds"]].value,
		Caller: engine.ParseNumber(row[p["caller"]].text), Callee: engine.ParseNumber(row[p["callee"]].text),
	}}
}

// flagsOf reads what Flags.String writes.
func flagsOf(words string) (f engine.Flags) {
	for _, w := range strings.Fields(words) {
		for bit := engine.Flags(1); bit != 0; bit <<= 1 {
			if bit.String() == w {
				f |= bit
			}
		}
	}
	return f
}
