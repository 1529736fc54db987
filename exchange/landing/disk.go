package landing

import (
	"io/fs"
	"os"
	"time"
)

// disk is what a home and a spool do in a folder that they cannot leave. An
// *os.Root is one; tests have one that fails.
type disk interface {
	Open(name string) (*os.File, error)
	OpenFile(name string, flag int, perm fs.FileMode) (*os.File, error)
	Lstat(name string) (fs.FileInfo, error)
	Mkdir(name string, perm fs.FileMode) error
	MkdirAll(name string, perm fs.FileMode) error
	Rename(from, to string) error
	Link(from, to string) error
	Remove(name string) error
	RemoveAll(name string) error
	Chmod(name string, mode fs.FileMode) error
	Chtimes(name string, atime, mtime time.Time) error
	Close() error
}

// flush is (*os.File).Sync, but for tests that fail it.
type flush func(*os.File) error
