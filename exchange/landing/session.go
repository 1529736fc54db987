package landing

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Session is what one client does in a home. Its methods take names as the
// client wrote them; their errors are *Error and may be shown to it. Safe for
// concurrent use.
type Session struct {
	home *Home
	own  bool // the service's own: it may give reserved names

	mu    sync.Mutex
	ended time.Time // zero: it is under way
}

// Session begins a session.
func (h *Home) Session() *Session { return &Session{home: h} }

// Home returns whose session it is.
func (s *Session) Home() *Home { return s.home }

// End tells that the client has gone.
func (s *Session) End() {
	s.mu.Lock()
	s.ended = s.home.now()
	s.mu.Unlock()
	s.home.stir()
}

// over returns when the session ended; a nil one ended long ago.
func (s *Session) over() (time.Time, bool) {
	if s == nil {
		return time.Time{}, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended, !s.ended.IsZero()
}

// Info is what a client may know of a file or folder.
type Info struct {
	name string
	size int64
	at   time.Time
	dir  bool
}

func infoOf(i fs.FileInfo) Info {
	if i.IsDir() {
		return Info{name: i.Name(), at: i.ModTime(), dir: true}
	}
	return Info{name: i.Name(), size: i.Size(), at: i.ModTime()}
}

// Name implements fs.FileInfo.
func (i Info) Name() string { return i.name }

// Size implements fs.FileInfo.
func (i Info) Size() int64 { return i.size }

// ModTime implements fs.FileInfo.
func (i Info) ModTime() time.Time { return i.at }

// IsDir implements fs.FileInfo.
func (i Info) IsDir() bool { return i.dir }

// Sys implements fs.FileInfo; owners and inodes are the server's own business.
func (i Info) Sys() any { return nil }

// Mode implements fs.FileInfo.
func (i Info) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// Stat describes what is at a name. A client sees its own upload under way.
func (s *Session) Stat(name string) (Info, error) {
	at, err := locate(name)
	if err != nil {
		return Info{}, err
	}
	if u := s.uploadAt(at); u != nil {
		return u.info(path.Base(at.rest)), nil
	}
	info, err := s.home.lstat(at.String())
	if err != nil {
		return Info{}, tell(err)
	}
	i := infoOf(info)
	if at.top == "" {
		i.name = "/"
	}
	return i, nil
}

// uploadAt returns this session's upload under way at a spot.
func (s *Session) uploadAt(at spot) *incoming {
	s.home.mu.Lock()
	defer s.home.mu.Unlock()
	if u := s.home.uploads[at.String()]; u != nil && u.users[s] > 0 {
		return u
	}
	return nil
}

// List returns what is in a folder, by name.
func (s *Session) List(name string) ([]Info, error) {
	at, err := locate(name)
	if err != nil {
		return nil, err
	}
	if info, err := s.home.lstat(at.String()); err != nil {
		return nil, tell(err)
	} else if !info.IsDir() {
		return nil, &Error{fs.ErrInvalid, "it is a file, not a folder"}
	}
	d, err := s.home.root.Open(at.String())
	if err != nil {
		return nil, tell(err)
	}
	defer func() { _ = d.Close() }()
	all, err := d.Readdir(-1)
	if err != nil {
		return nil, tell(err)
	}
	var list []Info
	for _, i := range all {
		shown := i.IsDir() || i.Mode().IsRegular()
		if shown && (at.top != "" || slices.Contains(folders, i.Name())) {
			list = append(list, infoOf(i))
		}
	}
	slices.SortFunc(list, func(a, b Info) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

// Open opens a file for reading. The caller closes it.
func (s *Session) Open(name string) (*os.File, error) {
	at, err := locate(name)
	if err != nil {
		return nil, err
	}
	info, err := s.home.lstat(at.String())
	if err != nil {
		return nil, tell(err)
	}
	if info.IsDir() {
		return nil, &Error{fs.ErrInvalid, "it is a folder"}
	}
	if at.top == Inbox && arrivalOf(info.Mode()).unfinished() {
		return nil, busy("the upload of this file was broken off; go on with it, or upload it again")
	}
	f, err := s.home.root.Open(at.String())
	return f, tell(err)
}

// inInbox finds the spot of a name that is to be changed.
func (s *Session) inInbox(name string) (spot, error) {
	at, err := locate(name)
	switch {
	case err != nil:
		return spot{}, err
	case at.isFolder():
		return spot{}, refuse("the folders of the home stay as they are; put files into inbox")
	case at.top != Inbox:
		return spot{}, refuse(at.top + " cannot be changed; put files into inbox")
	case !s.own && slices.ContainsFunc(strings.Split(at.rest, "/"), reserved):
		return spot{}, refuse("names that begin with " + ReservedPrefix + " are those of rows that were posted; they stay as they are, and files need other names")
	}
	return at, nil
}

// Mkdir makes a folder in the inbox.
func (s *Session) Mkdir(name string) error {
	at, err := s.inInbox(name)
	if err == nil {
		_, err = s.home.lstat(path.Dir(at.String()))
	}
	if err == nil {
		err = s.home.root.Mkdir(at.String(), 0o750)
	}
	return tell(err)
}

// Rmdir removes an empty folder of the inbox.
func (s *Session) Rmdir(name string) error {
	at, err := s.inInbox(name)
	if err != nil {
		return err
	}
	s.home.mu.Lock()
	defer s.home.mu.Unlock()
	switch info, err := s.home.lstat(at.String()); {
	case err != nil:
		return tell(err)
	case !info.IsDir():
		return &Error{fs.ErrInvalid, "it is a file, not a folder"}
	case s.home.writingBelow(at.String()):
		return busy("an upload into this folder is under way")
	}
	return tell(s.home.root.Remove(at.String()))
}

// Remove removes a file from the inbox, or one that was taken from the outbox.
func (s *Session) Remove(name string) error {
	at, err := locate(name)
	if err == nil && (at.top != Outbox || at.isFolder()) {
		at, err = s.inInbox(name)
	}
	if err != nil {
		return err
	}
	s.home.mu.Lock()
	defer s.home.mu.Unlock()
	switch info, err := s.home.lstat(at.String()); {
	case err != nil:
		return tell(err)
	case info.IsDir():
		return &Error{fs.ErrInvalid, "it is a folder"}
	case s.home.uploads[at.String()] != nil:
		return busy("an upload of this name is under way")
	}
	return tell(s.home.drop(at.String()))
}

// drop removes a file; what was claimed goes to where it belongs instead.
// Callers hold mu.
func (h *Home) drop(name string) error {
	if m := h.marks[name]; m != nil && m.claim != nil {
		return h.place(name, m.claim)
	}
	err := h.root.Remove(name)
	if err == nil {
		h.forget(name)
		h.stir()
	}
	return err
}

// Chtimes sets when a file or folder of the inbox was last changed.
func (s *Session) Chtimes(name string, at time.Time) error {
	where, err := s.inInbox(name)
	if err != nil {
		return err
	}
	if u := s.uploadAt(where); u != nil {
		u.chtimes(at)
		return nil
	}
	if _, err := s.home.lstat(where.String()); err != nil {
		return tell(err)
	}
	return tell(s.home.root.Chtimes(where.String(), at, at))
}

// Truncate gives a file in the inbox another size.
func (s *Session) Truncate(name string, size int64) (err error) {
	at, err := s.inInbox(name)
	if err != nil {
		return err
	}
	if u := s.uploadAt(at); u != nil {
		return u.Truncate(size)
	}
	u, err := s.Upload(name, UploadOptions{})
	if err != nil {
		return err
	}
	if err := u.Truncate(size); err != nil {
		u.Break(err)
		return errors.Join(err, u.Close())
	}
	return u.Close()
}

// Sync reports whether what was written at a name is safe so far. An upload
// under way does not outlive a crash however often it is flushed, so that is
// left to its close; what is in the inbox was flushed by then.
func (s *Session) Sync(name string) error {
	at, err := locate(name)
	if err != nil {
		return err
	}
	if u := s.uploadAt(at); u != nil {
		return u.failure()
	}
	return nil
}
