package landing

import (
	"errors"
	"io/fs"
	"path"
)

// Rename gives a file or folder of the inbox another name there. It fails when
// that is taken, or, with replace, takes the place of the file there. A file
// that its client has renamed counts as complete.
func (s *Session) Rename(from, to string, replace bool) error {
	a, err := s.inInbox(from)
	if err != nil {
		return err
	}
	b, err := s.inInbox(to)
	if err != nil {
		return err
	}
	if a == b {
		_, err := s.home.lstat(a.String())
		return tell(err)
	}
	if err := s.home.rename(s, a.String(), b.String(), replace); err != nil {
		return tell(err)
	}
	err = s.home.syncDir(path.Dir(b.String()))
	if from, to := path.Dir(a.String()), path.Dir(b.String()); err == nil && from != to {
		err = s.home.syncDir(from)
	}
	s.home.sure(b.String())
	return tell(err)
}

// sure ends the time in which renamed files are left alone.
func (h *Home) sure(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for n, m := range h.marks {
		if _, ok := below(n, name); ok {
			m.pending = false
		}
	}
	h.stir()
}

func (h *Home) rename(s *Session, from, to string, replace bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	info, err := h.lstat(from)
	if err != nil {
		return err
	}
	if h.writingBelow(from) || h.writingBelow(to) {
		return busy("an upload of this name is under way; close it first")
	}
	if err := h.makeWay(info, to, replace); err != nil {
		return err
	}
	if a := arrivalOf(info.Mode()); !info.IsDir() && !a.unfinished() {
		if err := h.root.Chmod(from, modeVouched); err != nil {
			return err
		}
	}
	if err := h.root.Rename(from, to); err != nil {
		return err
	}
	h.forget(to)
	h.moveMarks(from, to, s)
	return nil
}

// makeWay checks that a name may be taken, and saves what was claimed under it.
func (h *Home) makeWay(info fs.FileInfo, to string, replace bool) error {
	there, err := h.lstat(to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		dir, err := h.lstat(path.Dir(to))
		if err == nil && !dir.IsDir() {
			return notFound()
		}
		return err
	case err != nil:
		return err
	case !replace || there.IsDir() || info.IsDir():
		return taken()
	}
	if m := h.marks[to]; m != nil && m.claim != nil {
		return h.place(to, m.claim)
	}
	return nil
}

// writingBelow reports whether an upload is under way at or below a name.
// Callers hold mu.
func (h *Home) writingBelow(name string) bool {
	for n := range h.uploads {
		if _, ok := below(n, name); ok {
			return true
		}
	}
	return false
}
