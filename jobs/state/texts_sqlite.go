package state

import (
	"context"
	"errors"
	"strings"
)

// sqliteTables describes the tables. A row is found again by its rowid, or by
// its primary key where there is none.
func sqliteTables(ctx context.Context, t tx) (list []table, err error) {
	without := map[string]bool{}
	err = t.query(ctx, func(scan func(...any) error) error {
		x := table{bytes: map[string]bool{}}
		var text string
		err := scan(&x.name, &text)
		without[x.name] = strings.HasSuffix(strings.TrimSpace(text), "WITHOUT ROWID")
		list = append(list, x)
		return err
	}, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name")
	for i := 0; err == nil && i < len(list); i++ {
		x := &list[i]
		err = t.query(ctx, func(scan func(...any) error) error {
			var name, kind string
			var key int
			if err := scan(&name, &kind, &key); err != nil {
				return err
			}
			if key > 0 && without[x.name] {
				x.key = append(x.key, name)
			}
			if kind == "TEXT" || kind == "BLOB" {
				x.texts = append(x.texts, name)
				x.bytes[name] = kind == "BLOB"
			}
			return nil
		}, "SELECT name, type, pk FROM pragma_table_info($1) ORDER BY pk, cid", x.name)
		if len(x.key) == 0 {
			x.key = []string{"rowid"}
		}
	}
	return list, err
}

func sqliteGuards(ctx context.Context, t tx, table string) (list []guard, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var name, text string
		err := scan(&name, &text)
		list = append(list, guard{off: "DROP TRIGGER " + name, on: text})
		return err
	}, "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = $1", table)
	return list, err
}

// errBusy says that somebody is reading what is to be cleaned.
var errBusy = errors.New("the log of the database cannot be emptied: another program reads it; it is tried again")

// sqliteScrub writes the file anew, without what was in rows that are gone, and
// empties the log, which has the old pages. What the database knows of its
// indexes goes, too: it has samples of what is in them.
func sqliteScrub(ctx context.Context, t tx) error {
	var samples []string
	err := t.query(ctx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		samples = append(samples, "DELETE FROM "+name)
		return err
	}, "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'sqlite!_stat%' ESCAPE '!'")
	for _, statement := range append(samples, "VACUUM", t.d.optimize) {
		if err == nil {
			_, err = t.exec(ctx, statement)
		}
	}
	if err != nil {
		return err
	}
	var busy, pages, moved int64
	if _, err := t.one(ctx, []any{&busy, &pages, &moved}, "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	if busy != 0 {
		return errBusy
	}
	return nil
}
