package atrest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Rewrapped counts what became of files.
type Rewrapped struct {
	Written int64 // anew
	Bytes   int64 // of content, of those
	Left    int64 // that were as they should be
}

// rewrapEnding is that of a file that is being written anew, beside the one
// whose place it takes.
const rewrapEnding = ".rewrap"

// Rewrap brings every file in some subfolders of dir into the form that Seal
// writes today: those in clear are encrypted, those for other recipients are
// encrypted to today's, and with clear all are decrypted. Each is replaced in one
// step, and it may be broken off and begun again at any time. Nobody else may
// write there meanwhile. When all is done, the folder no longer says that it
// needs identities of the past.
func (k *Keys) Rewrap(ctx context.Context, dir string, subfolders []string, clear bool) (n Rewrapped, err error) {
	if err := errors.Join(k.Check(dir), k.Mark(dir)); err != nil {
		return n, err
	}
	for _, sub := range subfolders {
		err := filepath.WalkDir(filepath.Join(dir, sub), func(name string, d fs.DirEntry, err error) error {
			switch {
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case ctx.Err() != nil:
				return ctx.Err()
			case !d.Type().IsRegular():
				return nil
			case strings.HasSuffix(name, rewrapEnding): // of an attempt that was broken off
				return ignoreMissing(os.Remove(name))
			}
			if err := k.rewrap(ctx, name, clear, &n); err != nil {
				return fmt.Errorf("write %s anew: %w", name, err)
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	if clear {
		return n, (*Keys)(nil).unmark(dir)
	}
	return n, k.unmark(dir)
}

func (k *Keys) rewrap(ctx context.Context, name string, clear bool, n *Rewrapped) (err error) {
	if right, err := k.isRight(name, clear); err != nil || right {
		if right {
			n.Left++
		}
		return err
	}
	f, err := k.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	to := k
	if clear {
		to = nil
	}
	err = replace(name, info.Mode().Perm(), func(w io.Writer) error {
		enc, err := to.Encrypt(w)
		if err != nil {
			return err
		}
		_, err = io.CopyBuffer(struct{ io.Writer }{enc}, patient{ctx, f}, make([]byte, 4*chunkSize))
		return errors.Join(err, enc.Close())
	})
	if err == nil {
		err = os.Chtimes(name, info.ModTime(), info.ModTime())
	}
	n.Written, n.Bytes = n.Written+1, n.Bytes+f.Size()
	return err
}

// isRight reports whether a file need not be written anew.
func (k *Keys) isRight(name string, clear bool) (right bool, err error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	header, err := (&watched{r: f}).header(info.Size())
	want := k.set
	if clear {
		want = ""
	}
	return err == nil && setIn(header) == want, err
}

// replace writes a file anew, which appears complete, in the place of the one
// that may be there.
func replace(name string, mode fs.FileMode, fill func(io.Writer) error) (err error) {
	temp := name + rewrapEnding
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ignoreMissing(os.Remove(temp)))
		}
	}()
	err = fill(f)
	if err == nil {
		err = errors.Join(f.Chmod(mode), f.Sync())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, name); err != nil {
		return err
	}
	return syncDir(filepath.Dir(name))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// syncDir makes the names in a folder last.
func syncDir(name string) error {
	if runtime.GOOS == "windows" { // a folder cannot be flushed there
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// patient reads until its context ends.
type patient struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (p patient) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	return p.r.Read(b)
}
