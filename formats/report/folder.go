package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path/filepath"
)

// FS is what a report needs of a file system.
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

// Folder is a report being written. It is not visible under its name before
// Write has succeeded.
type Folder struct {
	fsys    FS
	out     string
	staging string
	files   []entry
	done    bool
}

// entry is a file's line in the manifest.
type entry struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Rows   *int64 `json:"rows"`
	SHA256 string `json:"sha256"`
}

// Begin makes the folder in which a report is prepared; staging is its name
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

// Abort removes what was prepared. It does nothing after a Write.
func (d *Folder) Abort() error {
	if d.done {
		return nil
	}
	d.done = true
	return d.fsys.RemoveAll(d.staging)
}

// publish makes the folder lasting and visible.
func (d *Folder) publish() error {
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

// stagedFile is one file of the folder; it hashes what it writes.
type stagedFile struct {
	f    File
	name string
	size int64
	hash hash.Hash
}

func (d *Folder) create(name string) (*stagedFile, error) {
	f, err := d.fsys.Create(filepath.Join(d.staging, name))
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, plain(err))
	}
	return &stagedFile{f: f, name: name, hash: sha256.New()}, nil
}

func (s *stagedFile) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	if err != nil {
		return n, fmt.Errorf("write %s: %w", s.name, plain(err))
	}
	s.hash.Write(p)
	s.size += int64(n)
	return n, nil
}

// finish flushes and closes the file and puts it into the manifest. A
// negative rows is a file without rows.
func (d *Folder) finish(s *stagedFile, rows int64) error {
	if err := errors.Join(plain(s.f.Sync()), plain(s.f.Close())); err != nil {
		return fmt.Errorf("flush %s: %w", s.name, err)
	}
	e := entry{Name: s.name, Bytes: s.size, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
	if rows >= 0 {
		e.Rows = &rows
	}
	d.files = append(d.files, e)
	return nil
}

// writeJSON writes v as one indented document.
func (d *Folder) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	f, err := d.create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(b, '\n')); err != nil {
		return errors.Join(err, f.f.Close())
	}
	return d.finish(f, -1)
}

// manifest lists every file written so far.
func (d *Folder) manifest() error {
	return d.writeJSON("manifest.json", struct {
		Files []entry `json:"files"`
	}{d.files})
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
