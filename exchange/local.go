package exchange

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
)

// LocalFolder is a folder of this machine, or one that is mounted, as a Remote.
// No name leads out of it: not through "..", and not through a link. Only regular
// files are read, written, renamed and removed.
type LocalFolder struct{ root *os.Root }

// OpenLocal opens a folder that is there. Its user closes it.
func OpenLocal(dir string) (*LocalFolder, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open folder %s: %w", dir, grade(err))
	}
	return &LocalFolder{root}, nil
}

// Close gives the folder back.
func (l *LocalFolder) Close() error { return l.root.Close() }

// List implements Remote.
func (l *LocalFolder) List(ctx context.Context, dir string) ([]Entry, error) {
	var entries []Entry
	err := ctx.Err()
	if err == nil {
		entries, err = l.list(cmp.Or(dir, "."))
	}
	return entries, wrap("list", dir, err)
}

func (l *LocalFolder) list(dir string) (entries []Entry, err error) {
	d, err := l.root.Open(dir)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	found, err := d.ReadDir(-1)
	for _, f := range found {
		switch info, err := f.Info(); {
		case errors.Is(err, fs.ErrNotExist): // removed since it was listed
		case err != nil:
			return nil, err
		default:
			entries = append(entries, entry(info))
		}
	}
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, err
}

func entry(info fs.FileInfo) Entry {
	return Entry{info.Name(), info.Size(), info.ModTime(), info.Mode().Type()}
}

// Stat implements Remote.
func (l *LocalFolder) Stat(ctx context.Context, name string) (Entry, error) {
	err := ctx.Err()
	var info fs.FileInfo
	if err == nil {
		info, err = l.root.Lstat(name)
	}
	if err != nil {
		return Entry{}, wrap("look at", name, err)
	}
	return entry(info), nil
}

// Put implements Remote.
func (l *LocalFolder) Put(ctx context.Context, name string, src io.Reader) error {
	err := l.regular(ctx, name)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = l.put(ctx, name, src)
	}
	return wrap("write", name, err)
}

func (l *LocalFolder) put(ctx context.Context, name string, src io.Reader) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := l.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, stopping(ctx, src)); err != nil {
		return err
	}
	return f.Sync()
}

// Get implements Remote.
func (l *LocalFolder) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	return wrap("read", name, l.get(ctx, name, dst, from))
}

func (l *LocalFolder) get(ctx context.Context, name string, dst io.Writer, from int64) (err error) {
	if err := l.regular(ctx, name); err != nil {
		return err
	}
	f, err := l.root.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Seek(from, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(dst, stopping(ctx, f))
	return err
}

// Rename implements Remote. The new name lasts when it returns.
func (l *LocalFolder) Rename(ctx context.Context, from, to string) error {
	err := l.regular(ctx, from)
	if err == nil {
		err = l.root.Rename(from, to)
	}
	if err == nil {
		err = l.sync(parent(to))
	}
	return wrap("rename", from, err)
}

func parent(name string) string {
	return cmp.Or(strings.TrimRight(name[:strings.LastIndexByte(name, '/')+1], "/"), ".")
}

func (l *LocalFolder) sync(dir string) error {
	if runtime.GOOS == "windows" { // a folder cannot be flushed there
		return nil
	}
	d, err := l.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Remove implements Remote.
func (l *LocalFolder) Remove(ctx context.Context, name string) error {
	err := l.regular(ctx, name)
	if err == nil {
		err = l.root.Remove(name)
	}
	return wrap("remove", name, err)
}

// SHA256 implements Hasher.
func (l *LocalFolder) SHA256(ctx context.Context, name string) ([32]byte, error) {
	sum := sha256.New()
	err := l.get(ctx, name, sum, 0)
	return [32]byte(sum.Sum(nil)), wrap("hash", name, err)
}

// regular keeps folders from being taken for files, and pipes from being waited
// for.
func (l *LocalFolder) regular(ctx context.Context, name string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	info, err := l.root.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = Permanent(errors.New("not a regular file"))
	}
	return err
}

// wrap says what was done to what, without the path of the folder.
func wrap(verb, name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, cmp.Or(name, "the folder"), grade(err))
}

// grade tells what a retry cannot help.
func grade(err error) error {
	bare := plain(err)
	var le *os.LinkError
	if errors.As(err, &le) {
		bare = le.Err
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || escapes(bare) {
		return Permanent(bare)
	}
	return bare
}

// escapes recognises os.Root's refusal, which has no exported value.
func escapes(err error) bool { return strings.Contains(err.Error(), "escapes") }

// stopping is r until the context has ended.
func stopping(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
