package fetch

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"concord/exchange"
)

// put fetches a file and gives it its name, unless it is there already: then a
// crash kept it from being remembered.
func (l *look) put(ctx context.Context, x item, s *sighting) (err error) {
	d, err := l.folderHere(x.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if err := d.MkdirAll(path.Dir(x.rel)); err != nil {
		return fmt.Errorf("make its folder: %w", err)
	}
	name, there, err := free(d, x)
	if err != nil || there {
		return err
	}
	s.dir, s.temp = x.dir, path.Join(path.Dir(x.rel), tempName(x))
	if err := l.download(ctx, d, x, s); err != nil {
		return err
	}
	if err := d.Rename(s.temp, name); err != nil {
		return err
	}
	s.dir = ""
	return d.Sync(path.Dir(name))
}

// free returns under which name a file is put, and whether it is there. A file
// that was there before keeps its own, whoever put it there.
func free(d disk, x item) (name string, there bool, err error) {
	names := []string{x.rel, path.Join(path.Dir(x.rel), tagged(path.Base(x.rel), x.entry))}
	for _, name := range names {
		info, err := d.Lstat(name)
		switch {
		case isMissing(err):
			return name, false, nil
		case err != nil:
			return "", false, err
		case info.Mode().IsRegular() && info.Size() == x.entry.Size && info.ModTime().UnixMicro() == x.entry.Time.UnixMicro():
			return name, true, d.Sync(path.Dir(name))
		}
	}
	return "", false, fmt.Errorf("other files are called %q and %q here; move them away", names[0], path.Base(names[1]))
}

// tagged is the name of a file whose own name another one has. It is the same
// whenever it is asked for.
func tagged(base string, e exchange.Entry) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d", e.Size, e.Time.UnixMicro()))
	first, rest, ended := strings.Cut(base, ".")
	tag := first + "~" + hex.EncodeToString(sum[:4])
	if !ended {
		return tag
	}
	return tag + "." + rest
}

const (
	tempPrefix = ".fetch-"
	tempSuffix = ".part"
)

// tempName is that of a file while it is fetched.
func tempName(x item) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %d %d", x.name, x.entry.Size, x.entry.Time.UnixMicro()))
	return tempPrefix + hex.EncodeToString(sum[:8]) + tempSuffix
}

// download fetches a file under a name that nobody takes, from where an
// earlier try of this process has stopped. What another process has left may
// have holes, and is begun anew.
func (l *look) download(ctx context.Context, d disk, x item, s *sighting) (err error) {
	f, err := d.OpenFile(s.temp, os.O_WRONLY|os.O_CREATE, 0o640)
	if err != nil {
		return err
	}
	defer func() {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if info, err := f.Stat(); err != nil || info.Size() < s.got {
		s.got = 0
	}
	if err := f.Truncate(s.got); err != nil {
		return err
	}
	dst := &room{io.NewOffsetWriter(f, s.got), x.entry.Size - s.got}
	n, err := exchange.Fetch(ctx, l.r, x.remote, x.entry, dst, s.got)
	s.got += n
	if errors.Is(err, errTooLong) {
		s.got = 0 // nothing of it can be relied on
	}
	if err != nil {
		return err
	}
	if err := d.Chtimes(s.temp, x.entry.Time); err != nil {
		return err
	}
	err = errors.Join(f.Sync(), f.Close())
	f = nil
	return err
}

var errTooLong = errors.New("more of it came than the host says there is")

// room lets a host fill what a file takes and no more: one that gave without
// end would fill the disk of all.
type room struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (r *room) Write(p []byte) (int, error) {
	if int64(len(p)) > r.left {
		return 0, errTooLong
	}
	n, err := r.w.Write(p)
	r.left -= int64(n)
	return n, err
}

// folderHere opens a folder for files of the host, which is made when it is not
// there. The first time, what an earlier process has left is removed.
func (l *look) folderHere(dir string) (disk, error) {
	open := l.open
	if open == nil {
		open = openFolder
	}
	d, err := open(dir)
	if err != nil || l.swept[dir] {
		return d, err
	}
	if err := sweep(d); err != nil {
		return nil, errors.Join(fmt.Errorf("remove what was left unfinished: %w", err), d.Close())
	}
	if l.swept == nil {
		l.swept = map[string]bool{}
	}
	l.swept[dir] = true
	return d, nil
}

// sweep removes files that were not fetched to their end.
func sweep(d disk) error {
	return fs.WalkDir(d.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		base := path.Base(name)
		switch {
		case isMissing(err):
			return nil
		case err != nil:
			return err
		case e.Type().IsRegular() && strings.HasPrefix(base, tempPrefix) && strings.HasSuffix(base, tempSuffix):
			return dropped(d.Remove(name))
		}
		return nil
	})
}

func dropped(err error) error {
	if isMissing(err) {
		return nil
	}
	return err
}
