package records

import (
	"context"
	"errors"
	"fmt"
	"io"

	"concord/engine"
	"concord/formats"
)

// Rewriting says what becomes of what a file of records holds. Rows, starts and
// durations stay as they are.
type Rewriting struct {
	// Call changes a call in place, and reports whether it did.
	Call func(c *engine.Call) bool
	// Text returns what is written in the place of a text that belongs to no
	// call: the name of the received file, its notes, ids of rejected rows.
	Text func(s string) string
}

// Rewrite writes a file of records anew, in its own place, and returns the rows
// of the calls that were changed; when nothing is to be changed, the file stays
// as it is. The new file is there whole or not at all. The input is of the file
// at path, and stays the caller's to close. ErrDamaged.
func Rewrite(ctx context.Context, fsys FS, path string, side engine.Side, in formats.Input, scratch engine.Scratch, x Rewriting) (rows []int64, changed bool, err error) {
	w := &rewriter{x: x}
	if err := w.walk(ctx, side, in); err != nil || !w.changed {
		return nil, false, err
	}
	again := &rewriter{x: x}
	if again.to, err = Create(fsys, path, side, scratch); err != nil {
		return nil, false, err
	}
	again.to.anyOrder = true
	if err := again.walk(ctx, side, in); err != nil {
		return nil, false, errors.Join(err, again.to.Abort())
	}
	return w.rows, true, again.to.Finish(again.info)
}

// rewriter walks through a file of records: to see what would change, or to
// write it.
type rewriter struct {
	x       Rewriting
	to      *Writer // nil: nothing is written
	info    formats.FileInfo
	rows    []int64
	changed bool
}

func (w *rewriter) walk(ctx context.Context, side engine.Side, in formats.Input) error {
	f, err := openFile(side, in, 0, span{-1 << 31, 1<<31 - 1})
	if err != nil {
		return fmt.Errorf("read %s: %w", in.Name, err)
	}
	files := &Files{files: []*file{f}}
	w.info = f.index.Received.info()
	w.received()
	for {
		part, err := files.Next(ctx)
		if errors.Is(err, io.EOF) {
			return files.Finish(ctx)
		}
		if err == nil {
			err = errors.Join(w.part(ctx, part), part.Close())
		}
		if err != nil {
			return err
		}
	}
}

// received changes what is said of the received file.
func (w *rewriter) received() {
	w.info.Name = w.text(w.info.Name)
	for _, list := range []*[]string{&w.info.Notes, &w.info.UnknownColumns} {
		var texts []string
		for _, s := range *list {
			texts = append(texts, w.text(s))
		}
		*list = texts
	}
}

func (w *rewriter) text(s string) string {
	t := w.x.Text(s)
	w.changed = w.changed || t != s
	return t
}

func (w *rewriter) part(ctx context.Context, part engine.Part) error {
	calls := make([]engine.Call, batchRows)
	for {
		n, err := part.Read(ctx, calls)
		if failed := w.calls(calls[:n]); failed != nil {
			return failed
		}
		var bad *engine.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &bad):
			err = w.reject(bad)
		}
		if err != nil {
			return err
		}
	}
}

func (w *rewriter) calls(list []engine.Call) error {
	for i := range list {
		if w.x.Call(&list[i]) {
			w.changed, w.rows = true, append(w.rows, list[i].Row)
		}
	}
	if w.to == nil {
		return nil
	}
	return w.to.Write(list)
}

func (w *rewriter) reject(e *engine.RowError) error {
	e.RecordID, e.Field, e.Reason = w.text(e.RecordID), w.text(e.Field), w.text(e.Reason)
	if w.to == nil {
		return nil
	}
	return w.to.Reject(e)
}

// Find returns how many calls of a file of records fn picks, and on which days
// they are, in order. fn may change a call. ErrDamaged.
func Find(ctx context.Context, side engine.Side, in formats.Input, fn func(c *engine.Call) bool) (n int64, days []string, err error) {
	seen := map[int32]bool{}
	w := &rewriter{x: Rewriting{Text: func(s string) string { return s }, Call: func(c *engine.Call) bool {
		if !fn(c) {
			return false
		}
		n++
		seen[dayOf(c.Start)] = true
		return false
	}}}
	if err := w.walk(ctx, side, in); err != nil {
		return 0, nil, err
	}
	for _, day := range sortedKeys(seen) {
		days = append(days, dateOf(day))
	}
	return n, days, nil
}
