package report

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
)

// Documents of a report.
const (
	summaryFile = "summary.json"
	versionFile = "version.json"
)

// File is one file being written.
type File interface {
	io.Writer
	Sync() error
	Close() error
}

// Create makes a new file of the report's folder.
type Create func(name string) (File, error)

// files are the files of a report.
type files struct {
	create Create
	done   []entry
}

// entry is a file's line in the manifest.
type entry struct {
	Name   string `json:"name"`
	Bytes  int64  `json:"bytes"`
	Rows   *int64 `json:"rows"`
	SHA256 string `json:"sha256"`
}

// stagedFile is one file of the report; it hashes what it writes.
type stagedFile struct {
	f    File
	name string
	size int64
	hash hash.Hash
}

func (d *files) open(name string) (*stagedFile, error) {
	f, err := d.create(name)
	if err != nil {
		return nil, err
	}
	return &stagedFile{f: f, name: name, hash: sha256.New()}, nil
}

func (s *stagedFile) Write(p []byte) (int, error) {
	n, err := s.f.Write(p)
	s.hash.Write(p[:n])
	s.size += int64(n)
	return n, err
}

// finish flushes and closes the file and puts it into the manifest. A
// negative rows is a file without rows.
func (d *files) finish(s *stagedFile, rows int64) error {
	if err := errors.Join(s.f.Sync(), s.f.Close()); err != nil {
		return err
	}
	e := entry{Name: s.name, Bytes: s.size, SHA256: hex.EncodeToString(s.hash.Sum(nil))}
	if rows >= 0 {
		e.Rows = &rows
	}
	d.done = append(d.done, e)
	return nil
}

// writeJSON writes v as one indented document.
func (d *files) writeJSON(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("encode %s: %w", name, err)
	}
	f, err := d.open(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(append(b, '\n')); err != nil {
		return errors.Join(err, f.f.Close())
	}
	return d.finish(f, -1)
}

// manifest lists every file written so far.
func (d *files) manifest() error {
	return d.writeJSON("manifest.json", struct {
		Files []entry `json:"files"`
	}{d.done})
}
