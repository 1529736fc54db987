package exchange

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
)

// OS is the file system of the machine.
type OS struct{}

// Mkdir implements FS.
func (OS) Mkdir(name string) error { return os.Mkdir(name, 0o777) }

// Create implements FS.
func (OS) Create(name string) (File, error) {
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
}

// Rename implements FS.
func (o OS) Rename(from, to string) error {
	// A folder would silently take the place of an empty one.
	if taken, err := o.Exists(to); err != nil || taken {
		return errors.Join(err, fs.ErrExist)
	}
	var le *os.LinkError
	err := os.Rename(from, to)
	if errors.As(err, &le) {
		return le.Err
	}
	return err
}

// SyncDir implements FS.
func (OS) SyncDir(name string) error {
	if runtime.GOOS == "windows" { // a folder cannot be flushed there
		return nil
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// RemoveAll implements FS.
func (OS) RemoveAll(name string) error { return os.RemoveAll(name) }

// Exists implements FS.
func (OS) Exists(name string) (bool, error) {
	_, err := os.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
