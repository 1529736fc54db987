package state

import (
	"context"
	"strconv"
	"time"

	"concord/jobs"
)

var _ jobs.Erasures = (*Store)(nil)

const selectErasure = "SELECT id, number, pseudonym, state, asked_by, asked, ended, left_over, proof FROM erasures "

// AskErasure implements jobs.Erasures.
func (s *Store) AskErasure(ctx context.Context, e jobs.Erasure) (out jobs.Erasure, err error) {
	err = s.write(ctx, "note what is to be erased", func(t tx) error {
		_, err := t.exec(ctx, "INSERT INTO erasures (id, number, pseudonym, state, asked_by, asked, left_over, proof) VALUES "+tuples(1, 8)+" ON CONFLICT DO NOTHING",
			e.ID, e.Number, e.Pseudonym, string(jobs.ErasureAsked), text(e.By), micro(e.Asked), document{[]string{}}, "")
		if err != nil {
			return err
		}
		list, err := t.erasures(ctx, "WHERE pseudonym = $1 AND ended IS NULL", e.Pseudonym)
		if err == nil && len(list) == 0 {
			err = missing(false, jobs.ErrNoErasure, e.ID)
		}
		if err == nil {
			out = list[0]
		}
		return err
	})
	return out, err
}

// Erasures implements jobs.Erasures.
func (s *Store) Erasures(ctx context.Context, limit int) (list []jobs.Erasure, err error) {
	var w where
	err = s.read(ctx, "list erasures", func(t tx) (err error) {
		list, err = t.erasures(ctx, "ORDER BY id DESC"+w.limit(limit))
		return err
	})
	return list, err
}

// Erasure implements jobs.Erasures.
func (s *Store) Erasure(ctx context.Context, id string) (e jobs.Erasure, err error) {
	err = s.read(ctx, "read an erasure", func(t tx) error {
		list, err := t.erasures(ctx, "WHERE id = $1", text(id))
		if err == nil && len(list) == 0 {
			err = missing(false, jobs.ErrNoErasure, id)
		}
		if err == nil {
			e = list[0]
		}
		return err
	})
	return e, err
}

// erasures reads erasures with their counts.
func (t tx) erasures(ctx context.Context, rest string, args ...any) (list []jobs.Erasure, err error) {
	err = t.query(ctx, func(scan func(...any) error) error {
		var e jobs.Erasure
		err := scan(&e.ID, &e.Number, &e.Pseudonym, &e.State, &e.By, moment{&e.Asked}, moment{&e.Ended}, document{&e.Left}, &e.Proof)
		list = append(list, e)
		return err
	}, selectErasure+rest, args...)
	for i := 0; err == nil && i < len(list); i++ {
		e := &list[i]
		err = t.query(ctx, func(scan func(...any) error) error {
			var c jobs.ErasedCount
			err := scan(&c.Store, &c.Items, &c.Rows)
			e.Counts = append(e.Counts, c)
			return err
		}, "SELECT store, count(*), sum(rows) FROM erased_items WHERE erasure = $1 GROUP BY store ORDER BY store", e.ID)
	}
	return list, err
}

// AdvanceErasure implements jobs.Erasures.
func (s *Store) AdvanceErasure(ctx context.Context, id string, state jobs.ErasureState, left []string) error {
	set := "UPDATE erasures SET state = $1, left_over = $2"
	if state == jobs.ErasureScrub {
		set += ", number = ''"
	}
	return s.write(ctx, "note how far an erasure is", func(t tx) error {
		n, err := t.exec(ctx, set+" WHERE id = $3 AND ended IS NULL", string(state), document{left}, id)
		if err == nil && n == 0 {
			err = missing(false, jobs.ErrNoErasure, id)
		}
		return err
	})
}

// NoteErased implements jobs.Erasures.
func (s *Store) NoteErased(ctx context.Context, erasure string, items ...jobs.ErasedItem) error {
	return s.write(ctx, "note what held a number", func(t tx) error { return t.noteErased(ctx, erasure, items...) })
}

func (t tx) noteErased(ctx context.Context, erasure string, items ...jobs.ErasedItem) error {
	for _, i := range items {
		if _, err := t.exec(ctx, "INSERT INTO erased_items (erasure, store, item, rows) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
			erasure, i.Store, i.Item, i.Rows); err != nil {
			return err
		}
	}
	return nil
}

// ErasedItems implements jobs.Erasures.
func (s *Store) ErasedItems(ctx context.Context, erasure, store string) (list []jobs.ErasedItem, err error) {
	err = s.read(ctx, "list what held a number", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			i := jobs.ErasedItem{Store: store}
			err := scan(&i.Item, &i.Rows)
			list = append(list, i)
			return err
		}, "SELECT item, rows FROM erased_items WHERE erasure = $1 AND store = $2 ORDER BY item", erasure, store)
	})
	return list, err
}

// EraseContent implements jobs.Erasures.
func (s *Store) EraseContent(ctx context.Context, erasure, sha256 string) error {
	return s.write(ctx, "note that a content is erased", func(t tx) error {
		_, err := t.exec(ctx, "INSERT INTO erased_contents (sha256, erasure, instead) VALUES ($1, $2, '') ON CONFLICT DO NOTHING", sha256, erasure)
		return err
	})
}

// NeededContents implements jobs.Erasures.
func (s *Store) NeededContents(ctx context.Context) (list []string, err error) {
	err = s.read(ctx, "list what deliveries are made of", func(t tx) error {
		list = nil
		return t.query(ctx, func(scan func(...any) error) error {
			var sum string
			err := scan(&sum)
			list = append(list, sum)
			return err
		}, "SELECT sha256 FROM files WHERE microsoft AND sha256 <> '' AND raw_purged = 0 UNION SELECT sha256 FROM microsoft_files WHERE carrier <> '' AND raw_purged = 0 UNION "+
			"SELECT rest FROM microsoft_files WHERE rest <> '' UNION SELECT instead FROM erased_contents WHERE instead <> ''")
	})
	return list, err
}

// KeepInstead implements jobs.Erasures.
func (s *Store) KeepInstead(ctx context.Context, sha256, instead string) error {
	return s.write(ctx, "note what is kept instead of a content", func(t tx) error {
		_, err := t.exec(ctx, "UPDATE erased_contents SET instead = $1 WHERE sha256 = $2", instead, sha256)
		return err
	})
}

// Instead implements jobs.Erasures.
func (s *Store) Instead(ctx context.Context, sha256 string) (instead string, err error) {
	err = s.read(ctx, "ask what is kept instead of a content", func(t tx) error {
		instead = ""
		for last := sha256; last != ""; { // of what was erased once more, there is one of its own
			next := ""
			if _, err := t.one(ctx, []any{&next}, "SELECT instead FROM erased_contents WHERE sha256 = $1", last); err != nil {
				return err
			}
			if next != "" {
				instead = next
			}
			last = next
		}
		return nil
	})
	return instead, err
}

// ContentErased returns the erasure by which a content was removed; empty: there
// was none.
func (s *Store) ContentErased(ctx context.Context, sha256 string) (erasure string, err error) {
	err = s.read(ctx, "ask whether a content is erased", func(t tx) (err error) {
		erasure, err = t.contentErased(ctx, sha256)
		return err
	})
	return erasure, err
}

// contentErased returns the erasure of a content; empty: there was none.
func (t tx) contentErased(ctx context.Context, sha256 string) (erasure string, err error) {
	if sha256 == "" {
		return "", nil
	}
	_, err = t.one(ctx, []any{&erasure}, "SELECT erasure FROM erased_contents WHERE sha256 = $1", sha256)
	return erasure, err
}

// EndErasure implements jobs.Erasures.
func (s *Store) EndErasure(ctx context.Context, id string, now time.Time) (e jobs.Erasure, err error) {
	err = s.write(ctx, "end an erasure", func(t tx) (err error) {
		e, err = t.endErasure(ctx, id, now)
		return err
	})
	return e, err
}

// endErasure adds a proof for each store that held something, and ends the
// erasure with the last of them.
func (t tx) endErasure(ctx context.Context, id string, now time.Time) (e jobs.Erasure, err error) {
	list, err := t.erasures(ctx, "WHERE id = $1"+t.d.lockRow, id)
	if err != nil || len(list) == 0 {
		return e, firstOf(err, missing(false, jobs.ErrNoErasure, id))
	}
	if e = list[0]; e.State != jobs.ErasureScrub {
		return e, nil
	}
	var last jobs.Proof
	for _, c := range append(e.Counts, jobs.ErasedCount{Store: "all"}) {
		p := jobs.Proof{At: now, Act: jobs.ActErase, Class: c.Store, Rule: "request of a data subject", Ref: id, Count: c.Items, By: jobs.Mask(e.By)}
		if c.Store == "all" {
			for _, x := range e.Counts {
				p.Count += x.Items
			}
		}
		if last, err = t.testify(ctx, p); err != nil {
			return e, err
		}
	}
	e.State, e.Ended, e.Proof = jobs.ErasureEnded, micro(now), strconv.FormatInt(last.Seq, 10)
	_, err = t.exec(ctx, "UPDATE erasures SET state = $1, ended = $2, proof = $3 WHERE id = $4", string(e.State), e.Ended, e.Proof, id)
	return e, err
}
