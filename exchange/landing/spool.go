package landing

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
)

// Spool keeps the content of files by its hash, as it arrived and read-only.
// Several homes may share one. Safe for concurrent use.
type Spool struct {
	dir  string
	root disk
	sync flush
	seal Seal

	mu   sync.Mutex
	pins map[string]*pin
}

// pin holds a content in place while somebody decides of it.
type pin struct {
	holders int
	keep    bool
}

// Content is what the spool has.
type Content struct {
	SHA256 string // hex
	Size   int64  // bytes
	Path   string // of the read-only file
}

const spoolTemp = "tmp"

// Seal returns a writer that encrypts what is kept on its way to w. Its Close
// completes the content, and does not close w.
type Seal func(w io.Writer) (io.WriteCloser, error)

// OpenSpool opens a spool, or makes it.
func OpenSpool(dir string) (*Spool, error) { return OpenSealedSpool(dir, nil) }

// OpenSealedSpool is OpenSpool for one whose contents are encrypted on the disk.
// They have the names and sizes that they have in clear; whoever reads a Path
// decrypts. Contents that are there in clear stay so.
func OpenSealedSpool(dir string, seal Seal) (*Spool, error) {
	if err := os.MkdirAll(filepath.Join(dir, spoolTemp), 0o750); err != nil {
		return nil, fmt.Errorf("make spool: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open spool: %w", err)
	}
	return &Spool{dir: dir, root: root, sync: (*os.File).Sync, seal: seal, pins: map[string]*pin{}}, nil
}

// Close releases the spool.
func (s *Spool) Close() error { return s.root.Close() }

func slot(sum string) string { return path.Join(sum[:2], sum) }

// Path returns where a content is, or would be.
func (s *Spool) Path(sum string) string { return filepath.Join(s.dir, filepath.FromSlash(slot(sum))) }

// Add stores a content and pins it until Release.
func (s *Spool) Add(ctx context.Context, r io.Reader) (_ Content, err error) {
	temp := path.Join(spoolTemp, rand.Text())
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return Content{}, fmt.Errorf("write to spool: %w", err)
	}
	defer func() {
		if rerr := s.root.Remove(temp); !errors.Is(rerr, fs.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
	}()
	sum := sha256.New()
	n, err := s.fill(f, io.TeeReader(cancelable{ctx, r}, sum))
	if err == nil {
		err = s.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return Content{}, fmt.Errorf("write to spool: %w", err)
	}
	name := hex.EncodeToString(sum.Sum(nil))
	if err := s.pin(temp, name); err != nil {
		return Content{}, fmt.Errorf("write to spool: %w", err)
	}
	return Content{SHA256: name, Size: n, Path: s.Path(name)}, nil
}

// fill writes a content to a file, and returns how long the content is.
func (s *Spool) fill(f io.Writer, r io.Reader) (n int64, err error) {
	to := struct{ io.Writer }{f}
	if s.seal == nil {
		return io.CopyBuffer(to, r, make([]byte, 256<<10))
	}
	enc, err := s.seal(to)
	if err != nil {
		return 0, err
	}
	n, err = io.CopyBuffer(struct{ io.Writer }{enc}, r, make([]byte, 256<<10))
	if err != nil {
		return n, err // what is there is given up
	}
	return n, enc.Close()
}

// pin gives a temporary file its name, unless the content is there.
func (s *Spool) pin(temp, sum string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pins[sum]
	if p == nil {
		_, err := s.root.Lstat(slot(sum))
		p = &pin{keep: err == nil}
		if errors.Is(err, fs.ErrNotExist) {
			err = s.name(temp, sum)
		}
		if err != nil {
			return err
		}
		s.pins[sum] = p
	}
	p.holders++
	return nil
}

func (s *Spool) name(temp, sum string) error {
	dir := path.Dir(slot(sum))
	if err := s.root.Mkdir(dir, 0o750); err == nil {
		err = s.syncDir(".")
		if err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.root.Rename(temp, slot(sum)); err != nil {
		return err
	}
	return s.syncDir(dir)
}

func (s *Spool) syncDir(name string) error {
	d, err := s.root.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(s.sync(d), d.Close())
}

// Release ends a pin. A content that nobody wants to keep, and that was not
// there before, is removed with its last pin.
func (s *Spool) Release(sum string, keep bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.pins[sum]
	if p == nil {
		return nil
	}
	p.keep = p.keep || keep
	if p.holders--; p.holders > 0 {
		return nil
	}
	delete(s.pins, sum)
	if p.keep {
		return nil
	}
	return ignoreMissing(s.root.Remove(slot(sum)))
}

// Erase removes a content for good, also from under those who have it pinned.
// One that is not there is no error.
func (s *Spool) Erase(sum string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.root.Remove(slot(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = s.syncDir(path.Dir(slot(sum)))
	}
	if err != nil {
		return fmt.Errorf("erase from spool: %w", err)
	}
	return nil
}

// Discard removes a content unless holds says that something refers to it, and
// reports whether that is settled. One that somebody decides of at this moment
// stays: it is to be discarded once more, later.
func (s *Spool) Discard(ctx context.Context, sum string, holds func(ctx context.Context, sum string) (bool, error)) (settled bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	held, err := holds(ctx, sum)
	if err != nil || held {
		return err == nil, err
	}
	if s.pins[sum] != nil {
		return false, nil
	}
	err = s.root.Remove(slot(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err == nil {
		err = s.syncDir(path.Dir(slot(sum)))
	}
	if err != nil {
		return false, fmt.Errorf("discard from spool: %w", err)
	}
	return true, nil
}

// Contents lists what is there, by hash and in order.
func (s *Spool) Contents() ([]string, error) {
	dirs, err := names(s.root, ".")
	if err != nil {
		return nil, fmt.Errorf("list spool: %w", err)
	}
	var sums []string
	for _, dir := range dirs {
		if dir == spoolTemp {
			continue
		}
		files, err := names(s.root, dir)
		if err != nil {
			return nil, fmt.Errorf("list spool: %w", err)
		}
		sums = append(sums, files...)
	}
	slices.Sort(sums)
	return sums, nil
}

// Sweep removes what a crash left: unfinished files, and contents of which
// holds says that nothing refers to them. Nothing may be added meanwhile.
func (s *Spool) Sweep(ctx context.Context, holds func(ctx context.Context, sum string) (bool, error)) error {
	dirs, err := names(s.root, ".")
	if err != nil {
		return fmt.Errorf("sweep spool: %w", err)
	}
	for _, dir := range dirs {
		files, err := names(s.root, dir)
		if err != nil {
			return fmt.Errorf("sweep spool: %w", err)
		}
		for _, f := range files {
			held := false
			if dir != spoolTemp {
				held, err = holds(ctx, f)
			}
			if err == nil && !held {
				err = s.root.Remove(path.Join(dir, f))
			}
			if err != nil {
				return fmt.Errorf("sweep spool: %w", err)
			}
		}
	}
	return nil
}

func names(d disk, dir string) ([]string, error) {
	f, err := d.Open(dir)
	if err != nil {
		return nil, err
	}
	all, err := f.Readdirnames(-1)
	return all, errors.Join(err, f.Close())
}

// cancelable is a reader that ends with its context.
type cancelable struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c cancelable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
