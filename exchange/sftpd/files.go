package sftpd

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"concord/exchange/landing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// session serves one SFTP channel out of a carrier's home. The library calls its
// methods from goroutines of its own, so each guards itself against a panic.
type session struct {
	*connection
	name string
	home *landing.Session
	wire *wire
	open chan struct{} // holds one token for each open handle
}

// sftp serves a channel to its end.
func (c *connection) sftp(ch ssh.Channel) {
	s := &session{connection: c, name: sessionName(), home: c.account.Home.Session(), open: make(chan struct{}, c.srv.settings.Handles)}
	defer s.home.End()
	s.wire = newWire(metered{ch, c.raw}, c.srv.settings.Handles, c.touch)
	h := sftp.Handlers{FileGet: s, FilePut: s, FileCmd: s, FileList: s}
	_ = sftp.NewRequestServer(s.wire, h, sftp.WithRSAllocator(), sftp.WithRSMaxTxPacket(maxTransfer)).Serve()
}

// status is an error with the code and the words that a client gets.
type status struct {
	text string
	code error
}

// Error implements error.
func (s *status) Error() string { return s.text }

// Unwrap returns the code, one of the library's.
func (s *status) Unwrap() error { return s.code }

// answerTo turns an error into what the client is told.
func (s *session) answerTo(err error, name string) error {
	var known *landing.Error
	var ready *status
	switch {
	case err == nil || err == io.EOF || errors.As(err, &ready):
		return err
	case !errors.As(err, &known):
		s.tell(ActFault, Event{Name: name, Why: err.Error()})
		return &status{"the server could not do this", sftp.ErrSSHFxFailure}
	case errors.Is(known, fs.ErrNotExist):
		return &status{known.Text, sftp.ErrSSHFxNoSuchFile}
	case errors.Is(known, fs.ErrPermission):
		s.tell(ActRefused, Event{Name: name, Why: known.Text})
		return &status{known.Text, sftp.ErrSSHFxPermissionDenied}
	}
	return &status{known.Text, sftp.ErrSSHFxFailure}
}

func (s *session) tell(act Act, e Event) {
	e.Session = s.name
	s.connection.tell(act, e)
}

// guard ends the session after a panic, and only that. A client that does not
// close the channel in turn is not listened to any more.
func (s *session) guard(err *error, name string) {
	if p := recover(); p != nil {
		s.srv.recoveredAs(p, s.event)
		*err = &status{"the server made a mistake; it has been noted", sftp.ErrSSHFxFailure}
		s.wire.end()
		_ = s.wire.Close()
	}
	*err = s.answerTo(*err, name)
}

// take counts a handle in.
func (s *session) take() error {
	if s.drained.Load() {
		return &landing.Error{Kind: landing.ErrBusy, Text: "the server is stopping; come back in a minute"}
	}
	select {
	case s.open <- struct{}{}:
		s.opened()
		return nil
	default:
		return &landing.Error{Kind: landing.ErrBusy, Text: "too many files and folders are open in this session; close some first"}
	}
}

func (s *session) giveBack() {
	<-s.open
	s.closed()
}

// Fileread implements sftp.FileReader.
func (s *session) Fileread(r *sftp.Request) (_ io.ReaderAt, err error) {
	defer s.guard(&err, r.Filepath)
	if err := s.take(); err != nil {
		return nil, err
	}
	f, err := s.home.Open(r.Filepath)
	if err != nil {
		s.giveBack()
		return nil, err
	}
	return &reading{session: s, f: f, name: r.Filepath}, nil
}

// Filewrite implements sftp.FileWriter. The library calls it for an open without
// reading, which wire lets through only when it is too long to be one.
func (s *session) Filewrite(*sftp.Request) (io.WriterAt, error) {
	return nil, &status{"the name is too long", sftp.ErrSSHFxFailure}
}

// OpenFile implements sftp.OpenFileWriter.
func (s *session) OpenFile(r *sftp.Request) (_ sftp.WriterAtReaderAt, err error) {
	defer s.guard(&err, r.Filepath)
	if err := s.take(); err != nil {
		return nil, err
	}
	f := r.Pflags()
	u, err := s.home.Upload(r.Filepath, landing.UploadOptions{Create: f.Creat, Exclusive: f.Creat && f.Excl, Truncate: f.Trunc})
	if err != nil {
		s.giveBack()
		return nil, err
	}
	w := &writing{session: s, u: u, name: r.Filepath, blind: r.Flags&openNoRead != 0}
	if f.Append {
		w.end = newAppender(u.Size())
	}
	return w, nil
}

// Filecmd implements sftp.FileCmder.
func (s *session) Filecmd(r *sftp.Request) (err error) {
	defer s.guard(&err, r.Filepath)
	switch r.Method {
	case "Setstat":
		return s.setstat(r)
	case "Rename":
		return s.rename(r, false)
	case "Remove":
		return s.done(ActRemove, r, s.home.Remove(r.Filepath))
	case "Mkdir":
		return s.done(ActMkdir, r, s.home.Mkdir(r.Filepath))
	case "Rmdir":
		return s.done(ActRmdir, r, s.home.Rmdir(r.Filepath))
	case "Link", "Symlink":
		return &landing.Error{Kind: fs.ErrPermission, Text: "there are no links here"}
	}
	return &status{"this server does not know the request", sftp.ErrSSHFxOpUnsupported}
}

// done tells the audit of what succeeded.
func (s *session) done(act Act, r *sftp.Request, err error) error {
	if err == nil {
		s.tell(act, Event{Name: r.Filepath})
	}
	return err
}

// PosixRename implements sftp.PosixRenameFileCmder.
func (s *session) PosixRename(r *sftp.Request) (err error) {
	defer s.guard(&err, r.Filepath)
	return s.rename(r, true)
}

func (s *session) rename(r *sftp.Request, replace bool) error {
	err := s.home.Rename(r.Filepath, r.Target, replace)
	if err == nil {
		s.tell(ActRename, Event{Name: r.Filepath, To: r.Target})
	}
	return err
}

// setstat changes size and time. Owners and permissions are the server's own
// business: clients that copy them are not bothered with a refusal.
func (s *session) setstat(r *sftp.Request) error {
	if isFsync(r.Flags, r.Attrs) {
		return s.home.Sync(r.Filepath)
	}
	attrs, what := r.Attributes(), r.AttrFlags()
	if attrs == nil {
		return &status{"the attributes are cut short", sftp.ErrSSHFxBadMessage}
	}
	if what.Size {
		if err := s.home.Truncate(r.Filepath, int64(attrs.Size)); err != nil {
			return err
		}
	}
	if what.Acmodtime {
		return s.home.Chtimes(r.Filepath, time.Unix(int64(attrs.Mtime), 0))
	}
	_, err := s.home.Stat(r.Filepath)
	return err
}

// StatVFS implements sftp.StatVFSFileCmder: the quota is the disk.
func (s *session) StatVFS(r *sftp.Request) (_ *sftp.StatVFS, err error) {
	defer s.guard(&err, r.Filepath)
	const block = 4096
	sp := s.home.Home().Space()
	return &sftp.StatVFS{
		Bsize: block, Frsize: block, Blocks: uint64(sp.Bytes) / block,
		Bfree: uint64(sp.FreeBytes) / block, Bavail: uint64(sp.FreeBytes) / block,
		Files: uint64(sp.Files), Ffree: uint64(sp.FreeFiles), Favail: uint64(sp.FreeFiles), Namemax: 255,
	}, nil
}

// Filelist implements sftp.FileLister.
func (s *session) Filelist(r *sftp.Request) (_ sftp.ListerAt, err error) {
	defer s.guard(&err, r.Filepath)
	switch r.Method {
	case "List":
		return s.list(r.Filepath)
	case "Stat":
		i, err := s.home.Stat(r.Filepath)
		return listing{i}, err
	}
	return nil, &landing.Error{Kind: fs.ErrInvalid, Text: "there are no links here"}
}

func (s *session) list(name string) (sftp.ListerAt, error) {
	if err := s.take(); err != nil {
		return nil, err
	}
	all, err := s.home.List(name)
	if err != nil {
		s.giveBack()
		return nil, err
	}
	l := make(listing, len(all))
	for i := range all {
		l[i] = all[i]
	}
	return &openListing{l, s}, nil
}

// LookupUserName implements sftp.NameLookupFileLister.
func (s *session) LookupUserName(string) string { return s.carrier }

// LookupGroupName implements sftp.NameLookupFileLister.
func (s *session) LookupGroupName(string) string { return s.carrier }

// listing is what a folder holds.
type listing []os.FileInfo

// ListAt implements sftp.ListerAt.
func (l listing) ListAt(dst []os.FileInfo, off int64) (int, error) {
	if off >= int64(len(l)) {
		return 0, io.EOF
	}
	n := copy(dst, l[off:])
	if n < len(dst) {
		return n, io.EOF
	}
	return n, nil
}

// openListing is a listing that a client has a handle of.
type openListing struct {
	listing
	s *session
}

// Close implements io.Closer.
func (o *openListing) Close() error {
	o.s.giveBack()
	return nil
}
