package landing

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Home is one carrier's part of the disk. All that a carrier does there goes
// through a Session; the files that arrive are taken by Tend. Safe for
// concurrent use.
type Home struct {
	carrier string
	dir     string // on the disk
	terms   atomic.Pointer[Terms]
	root    disk
	now     func() time.Time
	wake    chan struct{}
	sync    flush

	mu       sync.Mutex
	uploads  map[string]*incoming // by name below the root
	marks    map[string]*mark     // every file in the inbox that is known
	gen      uint64
	loose    []*claim // whose file has left the inbox, to be settled
	held     int64    // bytes in uploads under way
	refused  usage    // what lies among the rejected
	arriving usage    // what lies in the inbox
	asked    []chan struct{}
}

type usage struct{ bytes, files int64 }

func (u *usage) add(bytes, files int64) {
	u.bytes += bytes
	u.files += files
}

// mark is what the home knows of a file in its inbox beyond what the disk says.
type mark struct {
	size    int64
	gen     uint64 // of this content under this name
	at      time.Time
	changed time.Time // of a file that was not uploaded: what the disk says
	pending bool      // its name is not yet sure to outlive a power cut
	session *Session
	claim   *claim
	written extents // of a file that was given a size beforehand
}

// OpenHome opens a home, or makes it, and removes what a crash left unfinished.
func OpenHome(dir, carrier string, terms Terms, now func() time.Time) (*Home, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("make home of %s: %w", carrier, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open home of %s: %w", carrier, err)
	}
	h, err := openHome(root, (*os.File).Sync, carrier, terms, now)
	if err == nil {
		h.dir = dir
	}
	return h, err
}

func openHome(root disk, sync flush, carrier string, terms Terms, now func() time.Time) (*Home, error) {
	h := &Home{
		carrier: carrier, root: root, now: now, wake: make(chan struct{}, 1),
		sync: sync, uploads: map[string]*incoming{}, marks: map[string]*mark{},
	}
	h.SetTerms(terms)
	if err := h.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare home of %s: %w", carrier, err), root.Close())
	}
	return h, nil
}

// Close releases the home. Sessions and Tend must have ended.
func (h *Home) Close() error { return h.root.Close() }

// SetTerms changes what holds in the home from now on, also for files that are
// there already.
func (h *Home) SetTerms(t Terms) {
	t = t.withDefaults()
	h.terms.Store(&t)
	h.stir()
}

// Carrier returns whose home it is.
func (h *Home) Carrier() string { return h.carrier }

// prepare makes the folders, empties staging and counts what is there.
func (h *Home) prepare() error {
	if err := h.root.RemoveAll(staging); err != nil {
		return err
	}
	for _, f := range append([]string{staging}, folders...) {
		if err := h.root.Mkdir(f, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := h.syncDir("."); err != nil {
		return err
	}
	return errors.Join(
		h.walk(Rejected, func(_ string, i fs.FileInfo) { h.refused.add(i.Size(), 1) }),
		h.walk(Inbox, h.inherit),
	)
}

// inherit counts a file that was in the inbox before the start. What was given
// a size beforehand and not filled is removed: which parts of it are real is
// known no more.
func (h *Home) inherit(name string, i fs.FileInfo) {
	how := arrivalOf(i.Mode())
	if how == sized && h.root.Remove(name) == nil {
		return
	}
	if how != dropped && !how.unfinished() && h.torn(name, i.Size()) {
		// If this fails, so does everything else that is done with it.
		_ = h.root.Chmod(name, modePartial)
	}
	h.know(name, i.Size(), nil)
}

// torn reports whether the power was cut while a file was made to last: its
// client was not told that it had arrived.
func (h *Home) torn(name string, size int64) bool {
	f, err := h.root.Open(name)
	if err != nil {
		return false // it cannot be taken either
	}
	defer func() { _ = f.Close() }()
	is, err := broken(f, size)
	return is || err != nil
}

// walk visits every regular file below a folder of the home. Links and what
// else there may be are left alone. A folder that cannot be read does not keep
// it from the others.
func (h *Home) walk(dir string, visit func(name string, info fs.FileInfo)) error {
	d, err := h.root.Open(dir)
	if err != nil {
		return ignoreMissing(err)
	}
	all, err := d.Readdir(-1)
	err = errors.Join(err, d.Close())
	for _, info := range all {
		name := dir + "/" + info.Name()
		switch {
		case info.IsDir():
			err = errors.Join(err, h.walk(name, visit))
		case info.Mode().IsRegular():
			visit(name, info)
		}
	}
	return err
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// know counts a file in the inbox as new. Callers hold mu once the home is open.
func (h *Home) know(name string, size int64, s *Session) *mark {
	h.forget(name)
	h.gen++
	m := &mark{size: size, gen: h.gen, at: h.now(), session: s}
	h.marks[name] = m
	h.arriving.add(size, 1)
	return m
}

// forget stops counting a file. Callers hold mu.
func (h *Home) forget(name string) {
	if m := h.marks[name]; m != nil {
		if m.claim != nil {
			h.loose = append(h.loose, m.claim)
		}
		h.arriving.add(-m.size, -1)
		delete(h.marks, name)
	}
}

// moveMarks follows a file or a folder to its new name. Callers hold mu.
func (h *Home) moveMarks(from, to string, s *Session) {
	for name, m := range maps.Clone(h.marks) {
		if rest, ok := below(name, from); ok {
			h.forget(name)
			moved := h.know(to+rest, m.size, s)
			moved.written, moved.pending = m.written, true
		}
	}
}

// below returns what a name has beyond that of a file or folder at or above it.
func below(name, above string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, above)
	return rest, ok && (rest == "" || rest[0] == '/')
}

// reserve takes bytes of the quota for an upload.
func (h *Home) reserve(bytes int64) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held+h.arriving.bytes+h.refused.bytes+bytes > h.terms.Load().MaxBytes {
		return overQuota("the quota of bytes is used up; files count until they are taken, and while they lie in rejected")
	}
	h.held += bytes
	return nil
}

func (h *Home) release(bytes int64) {
	h.mu.Lock()
	h.held -= bytes
	h.mu.Unlock()
}

// Space is how much a carrier may still bring.
type Space struct {
	Bytes, FreeBytes int64
	Files, FreeFiles int64
}

// Space returns the quota and what is left of it.
func (h *Home) Space() Space {
	h.mu.Lock()
	defer h.mu.Unlock()
	return Space{
		Bytes: h.terms.Load().MaxBytes, FreeBytes: max(0, h.terms.Load().MaxBytes-h.held-h.arriving.bytes-h.refused.bytes),
		Files: h.terms.Load().MaxFiles, FreeFiles: max(0, h.terms.Load().MaxFiles-h.fileCount()),
	}
}

// fileCount counts against MaxFiles. Callers hold mu.
func (h *Home) fileCount() int64 {
	return h.arriving.files + h.refused.files + int64(len(h.uploads))
}

// Look has Tend look through the inbox, and waits until it has.
func (h *Home) Look(ctx context.Context) error {
	done := make(chan struct{})
	h.ask(done)
	h.stir()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (h *Home) ask(done ...chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.asked = append(h.asked, done...)
}

// lookers takes those who wait for a look.
func (h *Home) lookers() []chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := h.asked
	h.asked = nil
	return list
}

// stir tells Tend that something has happened.
func (h *Home) stir() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// syncDir makes the names in a folder last.
func (h *Home) syncDir(name string) error {
	d, err := h.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(h.sync(d), d.Close())
}

// lstat returns what is at a name, which no link may be part of.
func (h *Home) lstat(name string) (fs.FileInfo, error) {
	// The home's own folders are what they are: nobody could change them.
	for i := strings.IndexByte(name, '/') + 1; i < len(name); i++ {
		if name[i] != '/' {
			continue
		}
		info, err := h.root.Lstat(name[:i])
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			return nil, notFound()
		}
	}
	info, err := h.root.Lstat(name)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, refuse("it is neither a file nor a folder")
	}
	return info, err
}

// clear returns a name in a folder that nothing has yet, made of the one
// wished for.
func (h *Home) clear(name string) (string, error) {
	ext := path.Ext(name)
	for i := 1; ; i++ {
		try := name
		if i > 1 {
			try = fmt.Sprintf("%s.%d%s", strings.TrimSuffix(name, ext), i, ext)
		}
		_, err := h.root.Lstat(try)
		if errors.Is(err, fs.ErrNotExist) {
			return try, nil
		}
		if err != nil {
			return "", err
		}
	}
}
