// Package exchange moves whole files to where their readers find them. It never
// looks inside one. What it publishes appears under its final name complete or
// not at all, and survives a power cut once it is there.
package exchange

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
)

// FS is what publishing needs of a file system.
type FS interface {
	// Mkdir makes a folder and fails when the name is taken.
	Mkdir(name string) error
	// Create makes a new file for writing.
	Create(name string) (File, error)
	// Rename gives a folder another name in one step and fails when that
	// name is taken.
	Rename(from, to string) error
	// SyncDir makes the names in a folder last.
	SyncDir(name string) error
	// RemoveAll removes a folder and what is in it.
	RemoveAll(name string) error
	// Exists reports whether the name is taken.
	Exists(name string) (bool, error)
}

// File is one file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// ErrExists says that the folder to be written is already there.
var ErrExists = errors.New("already exists; choose another folder or remove it first")

// Folder is a folder being filled. Nothing is visible under its name before
// Publish has succeeded. It is not safe for concurrent use, but for the files
// that Create returned.
type Folder struct {
	fsys    FS
	out     string
	staging string
	done    bool
}

// Begin makes the folder in which the files are prepared; staging is its name
// and must stand beside out. It fails with ErrExists when out is there.
func Begin(fsys FS, out, staging string) (*Folder, error) {
	switch taken, err := fsys.Exists(out); {
	case err != nil:
		return nil, fmt.Errorf("look for folder %s: %w", out, plain(err))
	case taken:
		return nil, fmt.Errorf("folder %s %w", out, ErrExists)
	}
	if err := fsys.Mkdir(staging); err != nil {
		return nil, fmt.Errorf("write beside folder %s: %w", out, plain(err))
	}
	return &Folder{fsys: fsys, out: out, staging: staging}, nil
}

// Staging returns the name of the folder being filled.
func (d *Folder) Staging() string { return d.staging }

// Create makes a new file in the folder. Its caller syncs and closes it before
// Publish. Errors name the file, not the hidden folder.
func (d *Folder) Create(name string) (File, error) {
	f, err := d.fsys.Create(filepath.Join(d.staging, name))
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, plain(err))
	}
	return &stagedFile{f, name}, nil
}

// stagedFile names itself in errors.
type stagedFile struct {
	f    File
	name string
}

func (s *stagedFile) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	return n, s.wrap("write", err)
}

func (s *stagedFile) Sync() error  { return s.wrap("flush", s.f.Sync()) }
func (s *stagedFile) Close() error { return s.wrap("close", s.f.Close()) }

func (s *stagedFile) wrap(verb string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, s.name, plain(err))
}

// Abort removes what was prepared. It does nothing after a Publish or a Seal.
func (d *Folder) Abort() error {
	if d.done {
		return nil
	}
	d.done = true
	return d.fsys.RemoveAll(d.staging)
}

// Publish makes the folder lasting and visible.
func (d *Folder) Publish() error {
	if err := d.fsys.SyncDir(d.staging); err != nil {
		return fmt.Errorf("flush folder %s: %w", d.out, plain(err))
	}
	if err := d.fsys.Rename(d.staging, d.out); err != nil {
		return fmt.Errorf("name folder %s: %w", d.out, plain(err))
	}
	if err := d.fsys.SyncDir(filepath.Dir(d.out)); err != nil {
		// Whether the new name would outlive a power cut is unknown: take it back.
		err = fmt.Errorf("flush folder %s: %w", filepath.Dir(d.out), plain(err))
		return errors.Join(err, d.fsys.Rename(d.out, d.staging))
	}
	d.done = true
	return nil
}

// Seal makes the folder lasting under the name of its staging folder and
// leaves it there, complete: Settle gives it its own name later, also after
// a power cut and from another process.
func (d *Folder) Seal() error {
	for _, dir := range []string{d.staging, filepath.Dir(d.staging)} {
		if err := d.fsys.SyncDir(dir); err != nil {
			return fmt.Errorf("flush folder %s: %w", d.out, plain(err))
		}
	}
	d.done = true
	return nil
}

// Settle gives a sealed folder its final name and makes that last. It may be
// repeated until it succeeds: it does what is left to do, and is nil when all
// is done. It fails with ErrExists when both names are taken, and with
// fs.ErrNotExist when neither is; then it has changed nothing.
func Settle(fsys FS, staging, final string) error {
	sealed, err1 := fsys.Exists(staging)
	settled, err2 := fsys.Exists(final)
	if err := errors.Join(plain(err1), plain(err2)); err != nil {
		return fmt.Errorf("look for folder %s: %w", final, err)
	}
	switch {
	case sealed && settled:
		return fmt.Errorf("name folder %s: the name is taken, and %s is still waiting for it: folder %w", final, staging, ErrExists)
	case !sealed && !settled:
		return fmt.Errorf("name folder %s: it was to come from %s, which is not there either: restore one of them: %w", final, staging, fs.ErrNotExist)
	case sealed:
		if err := fsys.Rename(staging, final); err != nil {
			return fmt.Errorf("name folder %s: %w", final, plain(err))
		}
	}
	return syncParents(fsys, final, staging)
}

// syncParents makes a rename last. The new name comes first: a folder with
// two names after a power cut is whole, one with none is lost.
func syncParents(fsys FS, to, from string) error {
	dirs := []string{filepath.Dir(to)}
	if dir := filepath.Dir(from); dir != dirs[0] {
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		if err := fsys.SyncDir(dir); err != nil {
			return fmt.Errorf("flush folder %s: %w", dir, plain(err))
		}
	}
	return nil
}

// plain takes the path out of a file system's error: it names the hidden
// folder, which says nothing to a reader.
func plain(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
