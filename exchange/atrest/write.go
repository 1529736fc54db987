package atrest

import (
	"fmt"
	"io"
	"os"

	"filippo.io/age"
)

// Output is one file being written.
type Output interface {
	io.Writer
	Sync() error
	Close() error
}

// Encrypt returns a writer whose content reaches w encrypted. Only Close
// completes it; it does not close w.
func (k *Keys) Encrypt(w io.Writer) (io.WriteCloser, error) {
	if k == nil {
		return plainWriter{w}, nil
	}
	enc, err := age.Encrypt(w, k.recipients...)
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return enc, nil
}

type plainWriter struct{ io.Writer }

// Close implements io.Closer.
func (plainWriter) Close() error { return nil }

// Seal returns the file to write in the place of f, which is empty. Sync or
// Close completes it, after which nothing more can be written. When it fails, f
// is closed.
func (k *Keys) Seal(f Output) (Output, error) {
	if k == nil {
		return f, nil
	}
	enc, err := k.Encrypt(f)
	if err != nil {
		_ = f.Close() // the first error counts
		return nil, err
	}
	return &sealed{f: f, enc: enc}, nil
}

// OpenFile is os.OpenFile for writing a whole file.
func (k *Keys) OpenFile(name string, flag int, perm os.FileMode) (Output, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return k.Seal(f)
}

// sealed is a file that is encrypted while it is written.
type sealed struct {
	f    Output
	enc  io.WriteCloser
	done bool
	err  error // of the first write that failed
}

// Write implements io.Writer.
func (s *sealed) Write(p []byte) (int, error) {
	n, err := s.enc.Write(p)
	if err != nil && s.err == nil {
		s.err = err
	}
	return n, err
}

// finish writes the last part, once.
func (s *sealed) finish() error {
	if s.done || s.err != nil {
		return s.err
	}
	s.done = true
	s.err = s.enc.Close()
	return s.err
}

// Sync completes the file and makes it last.
func (s *sealed) Sync() error {
	if err := s.finish(); err != nil {
		return err
	}
	return s.f.Sync()
}

// Close completes the file, unless writing it has failed: that was told.
func (s *sealed) Close() error {
	var err error
	if !s.done && s.err == nil {
		err = s.finish()
	}
	if cerr := s.f.Close(); err == nil {
		err = cerr
	}
	return err
}
