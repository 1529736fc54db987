package subject

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"concord/formats/records"
	"concord/formats/trace"
	"concord/jobs"

	"github.com/google/uuid"
)

// Ask records that a number is to be erased. While that is not done, asking again
// returns the same erasure.
func (d *Desk) Ask(ctx context.Context, n *trace.Number, by string) (jobs.Erasure, error) {
	pseudonym := d.Pseudonym(n)
	if pseudonym == "" {
		return jobs.Erasure{}, jobs.ErrNoKey
	}
	id := ""
	for id == "" || jobs.Mask(id) != id { // proofs take nothing that looks like a number
		v, err := uuid.NewV7()
		if err != nil {
			return jobs.Erasure{}, err
		}
		id = v.String()
	}
	return d.State.AskErasure(ctx, jobs.Erasure{ID: id, Number: n.E164().Full(), Pseudonym: pseudonym, By: by, Asked: d.Now().UTC()})
}

// Work does the erasures that wait, the oldest first.
func (d *Desk) Work(ctx context.Context) error {
	list, err := d.State.Erasures(ctx, 0)
	if err != nil {
		return err
	}
	for _, e := range slices.Backward(list) {
		if e.State == jobs.ErasureEnded {
			continue
		}
		if err := d.work(ctx, e); err != nil {
			return fmt.Errorf("erasure %s: %w", e.ID, err)
		}
	}
	return nil
}

// work does one erasure from where it is.
func (d *Desk) work(ctx context.Context, e jobs.Erasure) error {
	if e.State != jobs.ErasureScrub {
		x, err := d.begin(ctx, e)
		if err != nil {
			return err
		}
		if err := x.all(ctx); err != nil {
			return err
		}
		if err := d.State.AdvanceErasure(ctx, e.ID, jobs.ErasureScrub, append(x.told, x.left...)); err != nil {
			return err
		}
	}
	if err := d.State.Scrub(ctx); err != nil {
		return err
	}
	_, err := d.State.EndErasure(ctx, e.ID, d.Now())
	return err
}

// begin keeps runs from beginning, and waits for those that are under way.
func (d *Desk) begin(ctx context.Context, e jobs.Erasure) (*erasure, error) {
	n, err := trace.Parse(e.Number)
	if err != nil {
		return nil, err
	}
	if d.Pseudonym(n) != e.Pseudonym {
		return nil, fmt.Errorf("the key is not the one that it was asked with: put that one back: %w", jobs.ErrNoKey)
	}
	if err := d.State.AdvanceErasure(ctx, e.ID, jobs.ErasureWorking, append([]string{}, e.Left...)); err != nil {
		return nil, err
	}
	for {
		running, err := d.State.Runs(ctx, jobs.RunFilter{State: jobs.RunRunning, Limit: 1})
		if err != nil || len(running) == 0 {
			return &erasure{search: &search{Desk: d, n: n, out: new(jobs.SubjectFound)}, id: e.ID, r: d.redaction(n), told: e.Left}, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(quietEvery):
		}
	}
}

// quietEvery is how often is looked whether runs are over.
const quietEvery = 100 * time.Millisecond

// mostRounds is how often all is gone through until nothing is found.
const mostRounds = 3

// erasure is one number that is being erased.
type erasure struct {
	*search
	id   string
	r    jobs.Redaction
	told []string // what people have to do, since the erasure was asked for
	left []string // what the last round left, besides
}

// tell records what people have to do before that is done which it follows from:
// it cannot be seen any more afterwards.
func (x *erasure) tell(ctx context.Context, text string) error {
	if slices.Contains(x.told, text) {
		return nil
	}
	x.told = append(x.told, text)
	return x.State.AdvanceErasure(ctx, x.id, jobs.ErasureWorking, x.told)
}

// all goes through every store until the number is in none. A file that arrived
// meanwhile is new, and may hold it: it is told, and stays.
func (x *erasure) all(ctx context.Context) error {
	for range mostRounds {
		x.left, x.out.Unread = nil, nil
		if err := x.round(ctx); err != nil {
			return err
		}
		found, err := x.Find(ctx, x.n)
		if err != nil {
			return err
		}
		// What was asked to be erased lies in the table of erasures, which is
		// not looked into; what is not ours was told.
		found.Items = slices.DeleteFunc(found.Items, func(i jobs.SubjectItem) bool { return i.Store == storeForeign })
		if len(found.Items) == 0 {
			x.tellUnread()
			return nil
		}
		x.left = append(x.left, fmt.Sprintf("the number is in %d things that came while it was erased, or cannot be changed: look with concord subject find, and ask again", len(found.Items)))
	}
	x.tellUnread()
	return nil
}

func (x *erasure) tellUnread() {
	for _, u := range x.out.Unread {
		x.left = append(x.left, "not looked into: "+x.r.Text(u))
	}
}

func (x *erasure) round(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		x.settleReports, x.taken, x.eraseFiles, x.eraseRecords, x.eraseTables, x.remakeDeliveries, x.eraseReports,
		x.eraseHomes, x.eraseContents, x.eraseOthers, x.eraseForeign,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// note notes what held the number, before that is taken out.
func (x *erasure) note(ctx context.Context, store, item string, rows int64) error {
	return x.State.NoteErased(ctx, x.id, jobs.ErasedItem{Store: store, Item: item, Rows: rows})
}

// taken has what lies in inboxes be decided first.
func (x *erasure) taken(ctx context.Context) error {
	return x.Homes(ctx, func(_ string, h Home) error { return h.Look(ctx) })
}

// eraseFiles marks the contents that hold the number, or whose name or records
// do: from then on they are taken no more.
func (x *erasure) eraseFiles(ctx context.Context) error {
	sums, err := x.Spool.Contents()
	if err != nil {
		return err
	}
	held, err := x.contents(ctx, sums)
	if err != nil {
		return err
	}
	err = x.entries(ctx, func(e jobs.Entry) error {
		x.refused(e)
		rows, _, err := x.recordsOf(ctx, e)
		if err != nil || rows == 0 && !x.n.In(e.Name) && held[e.SHA256] == 0 {
			return err
		}
		if rows > 0 {
			if err := x.note(ctx, storeRecords, e.ID, rows); err != nil {
				return err
			}
		}
		if e.SHA256 != "" {
			held[e.SHA256] = max(held[e.SHA256], rows, 1)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for sum, n := range held {
		if err := errors.Join(x.note(ctx, storeFiles, sum, n), x.State.EraseContent(ctx, x.id, sum)); err != nil {
			return err
		}
	}
	return nil
}

// eraseRecords takes the number out of records. Those that are damaged are
// removed: they are made anew of the content, as long as that is there.
func (x *erasure) eraseRecords(ctx context.Context) error {
	return x.entries(ctx, func(e jobs.Entry) error {
		if !e.Ingested() || e.RecordsPurged != 0 {
			return nil
		}
		path, err := x.Records(ctx, e)
		if err != nil { // told by eraseFiles
			return ctx.Err()
		}
		_, _, err = jobs.RedactRecords(ctx, x.Keys, path, side(e), x.r)
		if errors.Is(err, records.ErrDamaged) {
			if err := os.Remove(path); err != nil {
				return err
			}
			if path, err = x.Records(ctx, e); err == nil {
				_, _, err = jobs.RedactRecords(ctx, x.Keys, path, side(e), x.r)
			}
		}
		return err
	})
}

func (x *erasure) eraseTables(ctx context.Context) error {
	return errors.Join(x.State.ReplaceNumber(ctx, x.id, x.n.E164().E164Digits(), x.r.Erased.E164Digits()), x.State.RewriteText(ctx, x.id, x.r.Text))
}

// eraseOthers removes what is not needed any more of what lies around, and tells
// of what is.
func (x *erasure) eraseOthers(ctx context.Context) error {
	paths, names, err := x.otherFiles()
	if err != nil {
		return err
	}
	held, err := x.hits(ctx, paths, names)
	if err != nil {
		return err
	}
	for i, name := range names {
		rest := strings.HasSuffix(name, ".part") || strings.HasSuffix(name, ".damaged")
		switch {
		case held[i] == 0 && !rest:
			continue
		case !rest && !remade(name):
			x.left = append(x.left, "take the number out of "+x.r.Text(name)+" in the data folder by hand")
			continue
		}
		if held[i] > 0 {
			err = x.note(ctx, storeOthers, x.tag("file", name), held[i])
		}
		if err = errors.Join(err, os.RemoveAll(filepath.Join(x.Data, filepath.FromSlash(whole(name))))); err != nil {
			return err
		}
	}
	return nil
}

// remade reports whether a file of the data folder is needed no more, or made
// anew when it is.
func remade(name string) bool {
	top, _, _ := strings.Cut(name, "/")
	return slices.Contains([]string{"rejects", "numbers", "dealing", rewritingDir, deliveriesDir}, top)
}

// deliveriesDir has an index of each delivery of calls, in a folder of its own
// below that of the carrier.
const deliveriesDir = "deliveries"

// whole returns what goes with a file: all of an index of a delivery, which is of
// use as a whole only.
func whole(name string) string {
	const depth = 3 // deliveries/CARRIER/SEQUENCE
	parts := strings.Split(name, "/")
	if parts[0] == deliveriesDir && len(parts) > depth {
		return strings.Join(parts[:depth], "/")
	}
	return name
}

// eraseForeign removes what the service itself put into Microsoft's folders, and
// tells of the rest.
func (x *erasure) eraseForeign(ctx context.Context) error {
	items, err := x.State.ErasedItems(ctx, x.id, storeFiles)
	if err != nil {
		return err
	}
	others := map[string]int{}
	err = x.inForeign(ctx, func(f Folder, path, name string, n int64) error {
		sum, err := sumOf(path)
		if err != nil {
			return err
		}
		// What was not taken yet is new, and must not be lost.
		taken := slices.ContainsFunc(items, func(i jobs.ErasedItem) bool { return i.Item == sum })
		if f.Own == nil || !f.Own(name) || !taken {
			others[filepath.Dir(path)]++
			return nil
		}
		return errors.Join(x.note(ctx, storeForeign, x.tag("file", path), n), os.Remove(path))
	})
	for dir, n := range others {
		x.left = append(x.left, fmt.Sprintf("%d files of Microsoft's in %s hold the number: remove them there; those that were read are not read again", n, x.r.Text(dir)))
	}
	slices.Sort(x.left)
	return err
}
