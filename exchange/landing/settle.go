package landing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"time"
)

// claim is an answer that was given and is not settled: its file may still be
// in the inbox.
type claim struct {
	answer  Answer
	written bool     // the receipt is; only Tend looks at it
	moved   []string // folders whose names changed when the file left
}

// took marks a file as claimed and writes its receipt.
func (t *tender) took(s sight, a Answer) {
	c := &claim{answer: a}
	t.mu.Lock()
	if t.marks[s.name] == s.mark {
		s.mark.claim = c
	} else { // it was replaced or taken away meanwhile
		t.loose = append(t.loose, c)
	}
	t.mu.Unlock()
	if t.watch.Took != nil {
		t.watch.Took(t.carrier, a)
	}
	if err := t.writeReceipt(c); err != nil {
		t.trouble(short(s.name), err) // written before the file leaves
	}
}

// longestStay is how long a claimed file stays for a client that never leaves,
// such as a mounted folder.
const longestStay = 24 * time.Hour

// leave moves a claimed file out of the inbox once its client cannot be
// looking for it any more, and returns when that will be.
func (t *tender) leave(s sight, c *claim) time.Time {
	due := s.mark.at.Add(longestStay)
	if ended, over := s.mark.session.over(); over {
		if ended.Before(s.mark.at) {
			ended = s.mark.at
		}
		due = ended.Add(t.terms.Load().Grace)
	}
	if due.After(t.now()) {
		return due // or earlier: the end of its session wakes us
	}
	err := t.writeReceipt(c)
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil && t.marks[s.name] == s.mark {
		err = t.place(s.name, c)
	}
	if err != nil {
		t.trouble(short(s.name), fmt.Errorf("move out of the inbox: %w", err))
		return t.now().Add(backoff(0))
	}
	return time.Time{}
}

// place moves a claimed file, and what belongs to it, to where it stays.
// Callers hold mu.
func (h *Home) place(name string, c *claim) error {
	if c.answer.Discard {
		return h.discard(name, c)
	}
	dir := Rejected
	if c.answer.Verdict == Accept {
		dir = path.Join(Archive, c.answer.Receipt.Received.UTC().Format(time.DateOnly))
	}
	for _, n := range []string{name + doneMarker, name + checksum, name} {
		to, err := h.shift(n, path.Join(dir, short(n)))
		if errors.Is(err, fs.ErrNotExist) && n != name {
			continue
		}
		if err != nil {
			return err
		}
		c.moved = append(c.moved, path.Dir(n), path.Dir(to))
		if m := h.marks[n]; m != nil && dir == Rejected {
			h.refused.add(m.size, 1)
		}
		h.forget(n)
	}
	return nil
}

// discard removes a claimed file that is not to be kept. Callers hold mu.
func (h *Home) discard(name string, c *claim) error {
	for _, n := range []string{name + doneMarker, name + checksum, name} {
		if err := ignoreMissing(h.root.Remove(n)); err != nil {
			return err
		}
		c.moved = append(c.moved, path.Dir(n))
		h.forget(n)
	}
	return nil
}

// shift moves a file to a folder of ours, beside what may have its name there.
func (h *Home) shift(from, to string) (string, error) {
	if _, err := h.root.Lstat(from); err != nil {
		return "", err
	}
	if err := h.root.MkdirAll(path.Dir(to), 0o750); err != nil {
		return "", err
	}
	to, err := h.clear(to)
	if err != nil {
		return "", err
	}
	return to, h.root.Rename(from, to)
}

// settle tells the taker of the files that have left the inbox.
func (t *tender) settle(ctx context.Context) {
	t.mu.Lock()
	loose := t.loose
	t.loose = nil
	t.mu.Unlock()
	dirs := map[string]bool{}
	for _, c := range loose {
		for _, d := range c.moved {
			dirs[d] = true
		}
	}
	var err error
	for d := range dirs {
		err = errors.Join(err, ignoreMissing(t.syncDir(d)))
	}
	var left []*claim
	for _, c := range loose {
		cerr := err
		if cerr == nil {
			cerr = t.writeReceipt(c)
		}
		if cerr == nil {
			cerr = t.taker.Settle(ctx, t.carrier, c.answer.ID)
		}
		if cerr != nil {
			left = append(left, c)
			t.trouble(c.answer.Receipt.File, fmt.Errorf("settle: %w", cerr))
		}
	}
	t.mu.Lock()
	t.loose = append(t.loose, left...)
	t.mu.Unlock()
}

// catchUp finishes what was decided before a crash: receipts are written again,
// and files that are still in the inbox are known as claimed.
func (t *tender) catchUp(ctx context.Context) error {
	answers, err := t.taker.Unsettled(ctx, t.carrier)
	if err != nil {
		return fmt.Errorf("ask for unsettled claims: %w", err)
	}
	t.mu.Lock()
	t.loose = nil // all of them are among the answers
	t.mu.Unlock()
	for _, a := range answers {
		if err := t.resume(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (t *tender) resume(ctx context.Context, a Answer) error {
	c := &claim{answer: a}
	if err := t.writeReceipt(c); err != nil {
		return err
	}
	name := path.Join(Inbox, a.Receipt.File)
	same, err := t.hasContent(ctx, name, a.Receipt.SHA256)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if m := t.marks[name]; same && m != nil && m.claim == nil {
		m.claim = c
	} else {
		t.loose = append(t.loose, c)
	}
	return nil
}
