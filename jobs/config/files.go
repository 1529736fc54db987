package config

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"concord/formats/yamltree"
)

type privacy bool

const (
	public  privacy = false
	private privacy = true // others may neither read nor change it
)

// path makes an absolute path of one that is relative to the configuration.
func (r *reader) path(typed string) string {
	if filepath.IsAbs(typed) {
		return filepath.Clean(typed)
	}
	return filepath.Join(r.dir, typed)
}

// shown is how messages call a file: such that who gave the command finds it.
func (r *reader) shown(typed string) string {
	if filepath.IsAbs(typed) {
		return typed
	}
	return filepath.Join(filepath.Dir(r.c.File), typed)
}

// folder returns the path of a folder, which need not be there.
func (r *reader) folder(y *yamltree.Node, example string) string {
	typed, ok := y.Word(example)
	if !ok {
		return ""
	}
	path := r.path(typed)
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		y.Report("%s: is a file, not a folder", typed)
	}
	return path
}

// readFile reads a regular file of up to limit bytes.
func readFile(path string, limit int64, p privacy) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, reason(err)
	case info.IsDir():
		return nil, errors.New("is a folder, not a file")
	case !info.Mode().IsRegular():
		return nil, errors.New("is not a regular file")
	case p == private && open(info.Mode()):
		return nil, errors.New("holds a secret, and others may read or change it; allow it to the service only (chmod 600)")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, reason(err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(b)) > limit {
		err = errors.New("is longer than " + strconv.FormatInt(limit, 10) + " bytes")
	}
	return b, reason(err)
}

// open reports whether all may read a file, or more than its owner may change
// it. A group that may read it is no fault: it is how a file of root is given to
// a service.
func open(mode fs.FileMode) bool {
	const bits = 0o027
	return runtime.GOOS != "windows" && mode.Perm()&bits != 0
}

// reason says why a file cannot be used, without its path, which the caller
// gives.
func reason(err error) error {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file; check the name and the folder")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("may not be read by this user; check its permissions")
	case errors.As(err, &pe):
		return pe.Err
	}
	return err
}
