package state

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"concord/jobs"
)

// table is one table of the database with the columns that hold texts.
type table struct {
	name  string
	key   []string // columns by which a row is found again
	texts []string
	bytes map[string]bool // texts that are stored as bytes
}

// shown are the columns as they are read: where a row of PostgreSQL lies is a
// type of its own.
func (x *table) shown() []string {
	list := slices.Clone(x.key)
	for i, c := range list {
		if c == rowPlace {
			list[i] += "::text"
		}
	}
	return append(list, x.texts...)
}

// is is the condition that a row is found again by.
func (x *table) is(column string) string {
	if column == rowPlace {
		return column + " = ?::tid"
	}
	return column + " = ?"
}

// value is a text as it is stored.
func (x *table) value(column, s string) any {
	if x.bytes[column] {
		return []byte(s)
	}
	return s
}

// rowPlace is the column that says where a row of PostgreSQL lies.
const rowPlace = "ctid"

// untold are the tables that are left alone: those of the erasures themselves,
// whose number is forgotten at their end, the chain of proofs, which takes no
// number in, and that of the migrations.
var untold = []string{"erasures", "erased_items", "erased_contents", "erased_reports", "privacy_proofs", "privacy_head", "goose_db_version"}

// FindText implements jobs.Erasures.
func (s *Store) FindText(ctx context.Context, is func(string) bool) (list []jobs.ErasedCount, err error) {
	err = s.read(ctx, "search the tables", func(t tx) error {
		list = nil
		return t.eachTable(ctx, func(x table) error {
			found, err := t.rowsWith(ctx, x, is)
			if len(found) > 0 {
				list = append(list, jobs.ErasedCount{Store: databaseStore + x.name, Items: int64(len(found)), Rows: int64(len(found))})
			}
			return err
		})
	})
	return list, err
}

// databaseStore begins the names of the stores that are tables.
const databaseStore = "database: "

// RewriteText implements jobs.Erasures. Rows that are never changed otherwise,
// such as those of the audit trail, are changed, too: the number is taken out of
// them, and nothing else.
func (s *Store) RewriteText(ctx context.Context, erasure string, change func(string) string) error {
	is := func(text string) bool { return change(text) != text }
	return s.write(ctx, "take a number out of the tables", func(t tx) error {
		return t.eachTable(ctx, func(x table) error {
			rows, err := t.rowsWith(ctx, x, is)
			if err != nil || len(rows) == 0 {
				return err
			}
			return t.unguarded(ctx, x.name, func() error {
				for _, r := range rows {
					if err := t.rewriteRow(ctx, erasure, x, r, change); err != nil {
						return err
					}
				}
				return nil
			})
		})
	})
}

// row is one row with a text that is looked for.
type row struct {
	key   []any
	texts []*string // nil: NULL
}

// rowsWith returns the rows of a table that hold such a text.
func (t tx) rowsWith(ctx context.Context, x table, is func(string) bool) (list []row, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		r := row{key: make([]any, len(x.key)), texts: make([]*string, len(x.texts))}
		var dest []any
		for i := range r.key {
			dest = append(dest, &r.key[i])
		}
		for i := range r.texts {
			dest = append(dest, &r.texts[i])
		}
		if err := scan(dest...); err != nil {
			return err
		}
		if slices.ContainsFunc(r.texts, func(s *string) bool { return s != nil && is(*s) }) {
			list = append(list, r)
		}
		return nil
	}, "SELECT "+strings.Join(x.shown(), ", ")+" FROM "+x.name)
	return list, err
}

func (t tx) rewriteRow(ctx context.Context, erasure string, x table, r row, change func(string) string) error {
	var w where
	var sets []string
	for i, column := range x.texts {
		if s := r.texts[i]; s != nil && change(*s) != *s {
			w.args = append(w.args, x.value(column, change(*s)))
			sets = append(sets, fmt.Sprintf("%s = $%d", column, len(w.args)))
		}
	}
	for i, column := range x.key {
		w.add(x.is(column), r.key[i])
	}
	if _, err := t.exec(ctx, "UPDATE "+x.name+" SET "+strings.Join(sets, ", ")+w.text(), w.args...); err != nil {
		return err
	}
	// The key of a row may hold what is erased; only a hash of what the row
	// is now is kept, which tells it from others.
	sum := sha256.New()
	for i, k := range r.key {
		fmt.Fprintf(sum, "%s=%s;", x.key[i], change(fmt.Sprint(k)))
	}
	return t.noteErased(ctx, erasure, jobs.ErasedItem{Store: databaseStore + x.name, Item: hex.EncodeToString(sum.Sum(nil)[:12]), Rows: int64(len(sets))})
}

// eachTable calls do with every table that has texts, in the order of their
// names.
func (t tx) eachTable(ctx context.Context, do func(table) error) error {
	tables, err := t.d.tables(ctx, t)
	for _, x := range tables {
		if err == nil && !slices.Contains(untold, x.name) && len(x.texts) > 0 {
			err = do(x)
		}
	}
	return err
}

// unguarded does something to a table whose triggers let nothing be changed, and
// puts them back: both within the transaction.
func (t tx) unguarded(ctx context.Context, table string, do func() error) error {
	guards, err := t.d.guards(ctx, t, table)
	if err != nil {
		return err
	}
	for _, g := range guards {
		if _, err := t.exec(ctx, g.off); err != nil {
			return err
		}
	}
	if err := do(); err != nil {
		return err
	}
	for _, g := range guards {
		if _, err := t.exec(ctx, g.on); err != nil {
			return err
		}
	}
	return nil
}

// guard is how a trigger is taken away and put back.
type guard struct{ off, on string }

// Scrub implements jobs.Erasures.
func (s *Store) Scrub(ctx context.Context) error {
	return s.insist(ctx, "clean up after an erasure", func() error { return s.d.scrub(ctx, tx{s.w, s.d}) })
}
