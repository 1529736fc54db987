package jobs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"concord/engine/numbers"
	"concord/formats"
	"concord/formats/report"
)

// instant is a point in time as names of files have it, such as
// 20261001T063000Z or 2026-10-01T06-30-00Z.
var instant = regexp.MustCompile(`(\d{4})-?(\d\d)-?(\d\d)T(\d\d)[-_:]?(\d\d)[-_:]?(\d\d)Z`)

// ListingTime returns the time that a name says that its listing was made at. A
// copy of a file gets another time of change; its name stays.
func ListingTime(name string) (time.Time, bool) {
	m := instant.FindStringSubmatch(name)
	if m == nil {
		return time.Time{}, false
	}
	t, err := time.Parse("20060102150405", strings.Join(m[1:], ""))
	return t, err == nil
}

// readListingFunc reads one listing, here or in a child process.
type readListingFunc func(ctx context.Context, o ListingOptions) (*ListingFound, error)

// listedFile is a listing that a person has named.
type listedFile struct {
	path, name, source string
	asOf               time.Time
}

// checkListings looks at the listings of numbers that were given. Those of one
// folder are of one source, each the whole truth of it as of its time.
func (p *plan) checkListings() error {
	var errs []error
	if len(p.Listings) > 0 && p.Assigned != nil {
		errs = append(errs, errors.New("numbers: give listings, or what is known, not both"))
	}
	names := shortNames(p.Listings)
	for i, path := range p.Listings {
		info, err := regularFile(path)
		if err != nil {
			errs = append(errs, fmt.Errorf("--numbers %s: %w", path, err))
			continue
		}
		f := listedFile{path: path, name: names[i], source: filepath.Dir(filepath.Clean(path)), asOf: info.ModTime()}
		if t, ok := ListingTime(filepath.Base(path)); ok {
			f.asOf = t
		}
		p.listed = append(p.listed, f)
	}
	slices.SortStableFunc(p.listed, func(a, b listedFile) int { return a.asOf.Compare(b.asOf) })
	return errors.Join(errs...)
}

// learn makes one file of the listings that were given, beside the report. done
// removes it.
func (p *plan) learn(ctx context.Context, read readListingFunc) (done func() error, err error) {
	none := func() error { return nil }
	if len(p.listed) == 0 {
		return none, nil
	}
	dir, err := os.MkdirTemp(p.dir, ".concord-numbers-")
	if err != nil {
		return none, fmt.Errorf("write beside folder %s: %w", p.Out, reason(err))
	}
	done = func() error { return os.RemoveAll(dir) }
	defer func() {
		if err != nil {
			err = errors.Join(err, done())
		}
	}()
	w := window(p.from, p.to)
	h := &learned{lines: map[lineOf]*lineKnown{}}
	var from []report.NumbersListing
	for _, f := range p.listed {
		found, err := p.take(ctx, read, f, filepath.Join(dir, "rows"), h)
		if err != nil {
			return none, err
		}
		at, known := w.Sources[f.source]
		if !known || f.asOf.UnixMicro() < at {
			w.Sources[f.source] = f.asOf.UnixMicro()
		}
		from = append(from, report.NumbersListing{Name: f.name, SHA256: found.SHA256, AsOf: f.asOf.UTC().Truncate(time.Microsecond), Rows: found.Accepted, Rejected: found.Rejected})
	}
	p.Listings, p.listed = nil, nil
	p.Assigned, err = writeAssigned(ctx, p.Keys, filepath.Join(dir, "assigned"), h.rows(), w)
	if err == nil && p.Assigned == nil { // the report says that it was asked for, and what is known of it
		p.Assigned = &Assigned{}
	}
	if err == nil {
		p.Assigned.Listings = from
	}
	return done, err
}

// take learns what one listing says.
func (p *plan) take(ctx context.Context, read readListingFunc, f listedFile, rows string, h *learned) (*ListingFound, error) {
	found, err := read(ctx, ListingOptions{Path: f.path, Name: f.name, Carrier: p.carrier, Source: f.source, AsOf: f.asOf.UnixMicro(), Out: rows})
	if err != nil {
		return nil, err
	}
	if len(found.Faults) > 0 {
		return nil, &formats.FileError{File: f.name, Reason: strings.Join(found.Faults, "; ")}
	}
	if found.Rows > 0 && found.Others == found.Rows {
		return nil, &formats.FileError{File: f.name, Reason: "all its numbers are those of others than " + p.carrier, Hint: "name the carrier as the listing does, with --carrier-name"}
	}
	return found, h.take(f, found.Blind, ListedRowsIn(p.Keys, rows))
}

// lineOf is a line of one source.
type lineOf struct {
	source string
	numbers.Line
}

// spell is a time for which a line was assigned.
type spell struct{ from, to int64 }

// learned is what is known of lines, without who had them.
type learned struct {
	lines map[lineOf]*lineKnown
	turn  int // counts listings
}

type lineKnown struct {
	spells []spell
	turn   int // in which a listing named it last
}

// take takes over what a listing says: the whole truth of its source as of its
// time. Its rows come by line.
func (h *learned) take(f listedFile, blind bool, rows ListedRows) error {
	h.turn++
	var of lineOf
	var said []numbers.Assignment
	held := false
	end := func() {
		if of.Digits == 0 {
			return
		}
		k := h.lines[of]
		if k == nil {
			k = new(lineKnown)
			h.lines[of] = k
		}
		k.turn = h.turn
		if !held {
			k.set(said, f.asOf)
		}
		said, held = said[:0], false
	}
	for r, err := range rows {
		if err != nil {
			return err
		}
		if r.Line != of.Line {
			end()
			of = lineOf{f.source, r.Line}
		}
		held = held || r.Held
		said = append(said, numbers.Assignment{From: r.From, To: r.To})
	}
	end()
	for of, k := range h.lines {
		if of.source == f.source && k.turn != h.turn && !blind {
			k.set(nil, f.asOf)
		}
	}
	return nil
}

func (k *lineKnown) set(said []numbers.Assignment, asOf time.Time) {
	known := make([]numbers.Assignment, 0, len(k.spells))
	for _, s := range k.spells {
		known = append(known, numbers.Assignment{From: s.from, To: s.to})
	}
	k.spells = k.spells[:0]
	for _, a := range numbers.Learn(known, said, asOf.UnixMicro()) {
		k.spells = append(k.spells, spell{a.From, a.To})
	}
}

// rows yields the assignments in the order that numbers.Tenures needs.
func (h *learned) rows() numbers.Rows {
	lines := make([]lineOf, 0, len(h.lines))
	for of := range h.lines {
		lines = append(lines, of)
	}
	slices.SortFunc(lines, func(a, b lineOf) int { return cmp.Or(a.Compare(b.Line), strings.Compare(a.source, b.source)) })
	return func(yield func(numbers.Assignment, error) bool) {
		for _, of := range lines {
			for _, s := range h.lines[of].spells {
				if !yield(numbers.Assignment{Line: of.Line, Source: of.source, From: s.from, To: s.to}, nil) {
					return
				}
			}
		}
	}
}
