package landing

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
)

// Close ends this hand's part. The last one to close makes the file last and
// gives it its name; an error means that the file was not taken.
func (u *Upload) Close() error {
	err := error(&Error{fs.ErrClosed, "it is closed already"})
	u.done.Do(func() { err = u.leave(u.session) })
	return err
}

// leave takes a writer out and finishes the file after the last one.
func (u *incoming) leave(s *Session) error {
	u.home.mu.Lock()
	if u.users[s]--; u.users[s] == 0 {
		delete(u.users, s)
	}
	u.closing = len(u.users) == 0
	last := u.closing
	u.home.mu.Unlock()
	if !last {
		u.mu.Lock()
		defer u.mu.Unlock()
		return u.err
	}
	return u.finish(s)
}

// finish decides what becomes of the staged file. Nobody writes any more.
func (u *incoming) finish(s *Session) error {
	head := u.written.head()
	switch {
	case errors.Is(u.err, ErrBroken):
		return errors.Join(u.err, u.keep(s, head))
	case u.err != nil:
		return errors.Join(u.err, u.discard())
	case !u.touched:
		return u.discard()
	case u.resumed && u.strides.longest == 0 && !u.measured, head < u.size && u.resized:
		return u.keep(s, head)
	case head < u.size:
		u.err = &Error{ErrBroken, fmt.Sprintf("%d bytes from byte %d on were never written; upload the file again", u.written.gap(u.size), head)}
		return errors.Join(u.err, u.keep(s, head))
	}
	return tell(u.commit(s))
}

// discard removes the staged file.
func (u *incoming) discard() error {
	err := errors.Join(u.f.Close(), u.home.root.Remove(u.staged))
	u.home.mu.Lock()
	defer u.home.mu.Unlock()
	u.gone()
	if err != nil {
		return tell(err)
	}
	return nil
}

// gone forgets the upload. Callers hold home.mu.
func (u *incoming) gone() {
	delete(u.home.uploads, u.name)
	u.home.held -= u.size
}

// keep leaves what there is of an unfinished file under its name, for its
// client to go on with; but nothing that was complete gives way to it.
func (u *incoming) keep(s *Session, head int64) error {
	mode := modeSized
	if !u.resized {
		mode = modePartial
		if err := u.cut(head); err != nil {
			return errors.Join(err, u.discard())
		}
	}
	if u.size == 0 {
		return u.discard()
	}
	err := errors.Join(u.f.Chmod(mode), u.f.Close())
	h := u.home
	h.mu.Lock()
	defer h.mu.Unlock()
	defer u.gone()
	if _, there := h.lstat(u.name); err == nil && !errors.Is(there, fs.ErrNotExist) {
		return tell(h.root.Remove(u.staged))
	}
	if err == nil {
		err = h.root.Rename(u.staged, u.name)
	}
	if err != nil {
		return tell(errors.Join(err, h.root.Remove(u.staged)))
	}
	h.know(u.name, u.size, s).written = u.written
	h.stir()
	return nil
}

// cut leaves what was written from the start without a gap: a client goes on
// from the size that it is told.
func (u *incoming) cut(head int64) error {
	if head == u.size {
		return nil
	}
	err := u.f.Truncate(head)
	u.home.release(u.size - head)
	u.size = head
	return err
}

// commit makes the file last and puts it into the inbox. A sealed file is named
// before it is flushed, so that its content and its name reach the disk in one
// transaction of the file system instead of two; after a power cut in between,
// the seal tells whether all of it is there.
func (u *incoming) commit(s *Session) error {
	err := errors.Join(u.f.Chmod(u.mode()), u.setTime())
	sealed := err == nil && seal(u.f, u.size) == nil
	if err == nil && !sealed {
		err = u.home.sync(u.f)
	}
	if err != nil {
		return u.undo(errors.Join(err, u.f.Close()))
	}
	m, backup, err := u.rename(s)
	if err != nil {
		return u.undo(errors.Join(err, u.f.Close()))
	}
	return u.settle(m, backup, u.flush(sealed))
}

// flush makes the name last and, when it was not done before, the content. Both
// at once wait for the same transaction.
func (u *incoming) flush(content bool) error {
	folder := make(chan error, 1)
	go func() { folder <- u.home.syncDir(path.Dir(u.name)) }()
	var err error
	if content {
		err = u.home.sync(u.f)
	}
	return errors.Join(err, <-folder, u.f.Close())
}

func (u *incoming) setTime() error {
	if u.mtime.IsZero() {
		return nil
	}
	return u.home.root.Chtimes(u.staged, u.mtime, u.mtime)
}

// mode tells by where the writes ended how sure it is that they are all. A
// client that is interrupted closes the file after a whole block.
func (u *incoming) mode() fs.FileMode {
	grown := u.size - u.base
	switch {
	case u.measured:
		return modeClosed
	case u.size == 0 || u.strides.longest == 0:
		return modeDoubtful
	case u.strides.end < u.size: // behind it lies what was there before
		return modeDoubtful
	case grown > 0 && u.strides.endWithBlock(grown):
		return modeDoubtful
	}
	return modeClosed
}

// undo forgets an upload that failed before it had its name.
func (u *incoming) undo(err error) error {
	rerr := u.home.root.Remove(u.staged)
	u.home.mu.Lock()
	defer u.home.mu.Unlock()
	u.gone()
	return errors.Join(err, rerr)
}

// rename gives the staged file its name and returns its mark, and under which
// name the file that was there before is still to be had.
func (u *incoming) rename(s *Session) (_ *mark, backup string, err error) {
	h := u.home
	h.mu.Lock()
	defer h.mu.Unlock()
	if old := h.marks[u.name]; old != nil && old.claim != nil {
		if err := h.place(u.name, old.claim); err != nil {
			return nil, "", err
		}
	}
	backup = u.staged + ".old"
	if err := h.root.Link(u.name, backup); errors.Is(err, fs.ErrNotExist) {
		backup = ""
	} else if err != nil {
		return nil, "", err
	}
	if err := h.root.Rename(u.staged, u.name); err != nil {
		return nil, "", errors.Join(err, h.unlink(backup))
	}
	m := h.know(u.name, u.size, s)
	m.pending = true
	u.gone()
	return m, backup, nil
}

func (h *Home) unlink(name string) error {
	if name == "" {
		return nil
	}
	return h.root.Remove(name)
}

// settle ends a commit: the file stays if its name is sure to last, else what
// was there before comes back.
func (u *incoming) settle(m *mark, backup string, synced error) error {
	h := u.home
	h.mu.Lock()
	defer h.mu.Unlock()
	m.pending = false
	if synced == nil {
		h.stir()
		_ = h.unlink(backup) // the next start removes it, too
		return nil
	}
	if h.marks[u.name] != m {
		return errors.Join(synced, h.unlink(backup))
	}
	h.forget(u.name)
	if backup == "" {
		return errors.Join(synced, h.root.Remove(u.name))
	}
	err := h.root.Rename(backup, u.name)
	if info, lerr := h.root.Lstat(u.name); err == nil && lerr == nil {
		h.know(u.name, info.Size(), nil)
	}
	return errors.Join(synced, err)
}
