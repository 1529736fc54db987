package fetch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"concord/exchange"
)

// disk is a folder here. No name leads out of it.
type disk interface {
	io.Closer
	FS() fs.FS
	Lstat(name string) (fs.FileInfo, error)
	OpenFile(name string, flag int, perm fs.FileMode) (file, error)
	Chtimes(name string, changed time.Time) error
	Rename(from, to string) error
	Remove(name string) error
	// MkdirAll makes a folder whose name lasts.
	MkdirAll(name string) error
	// Sync makes the names in a folder last.
	Sync(name string) error
}

// file is one that is written.
type file interface {
	io.WriterAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Truncate(size int64) error
	Sync() error
}

// folder is a disk.
type folder struct{ *os.Root }

// openFolder opens a folder, which is made when it is not there.
func openFolder(dir string) (disk, error) {
	if err := lasting(dir); err != nil {
		return nil, fmt.Errorf("make the folder for files of the host: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder for files of the host: %w", err)
	}
	return folder{root}, nil
}

// lasting makes a folder, and those above it, whose names last.
func lasting(dir string) error {
	if info, err := os.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	above := filepath.Dir(dir)
	if above != dir {
		if err := lasting(above); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return exchange.OS{}.SyncDir(above)
}

// OpenFile implements disk.
func (f folder) OpenFile(name string, flag int, perm fs.FileMode) (file, error) {
	o, err := f.Root.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Chtimes implements disk.
func (f folder) Chtimes(name string, changed time.Time) error {
	return f.Root.Chtimes(name, changed, changed)
}

// MkdirAll implements disk.
func (f folder) MkdirAll(name string) error {
	info, err := f.Stat(name)
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		return fmt.Errorf("%s is a file here, and a folder there", name)
	}
	if err := f.MkdirAll(path.Dir(name)); err != nil {
		return err
	}
	if err := f.Mkdir(name, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.Sync(path.Dir(name))
}

// Sync implements disk.
func (f folder) Sync(name string) error {
	d, err := f.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
