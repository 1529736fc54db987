package report

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
)

// ErrAltered says that the folder of a version is not as it was written.
var ErrAltered = errors.New("was changed on disk after it was written; restore the folder of that version from a backup, then run again")

// archive is the folder of a version. Its files are believed only when they
// are those of the manifest.
type archive struct {
	fsys     fs.FS
	version  int
	files    []entry
	manifest string // SHA-256 of manifest.json
}

const (
	maxManifest = 1 << 20  // bytes
	maxJSON     = 64 << 20 // bytes of another document
)

// openArchive reads the manifest of the version before.
func openArchive(ctx context.Context, r *Release) (*archive, error) {
	a := &archive{fsys: r.Previous, version: r.PreviousVersion}
	const name = "manifest.json"
	f, err := a.open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(patient(ctx, f), maxManifest+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, a.wrap("read", name, err)
	}
	sum := sha256.Sum256(b)
	a.manifest = hex.EncodeToString(sum[:])
	var doc struct {
		Files []entry `json:"files"`
	}
	if len(b) > maxManifest || json.Unmarshal(b, &doc) != nil || r.PreviousManifest != "" && r.PreviousManifest != a.manifest {
		return nil, a.altered(name)
	}
	a.files = doc.Files
	return a, nil
}

// says names a file as errors do.
func (a *archive) says(name string) string { return fmt.Sprintf("%s of version %d", name, a.version) }

func (a *archive) altered(name string) error {
	return fmt.Errorf("%s %w", a.says(name), ErrAltered)
}

func (a *archive) wrap(verb, name string, err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err // the folder is the version's, the name is said
	}
	return fmt.Errorf("%s %s: %w", verb, a.says(name), err)
}

func (a *archive) open(name string) (fs.File, error) {
	f, err := a.fsys.Open(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, a.altered(name)
	case err != nil:
		return nil, a.wrap("open", name, err)
	}
	return f, nil
}

// use hands the content of a file to fn and then compares all of it with the
// manifest: whatever fn made of another content must not be used, and that it
// is another one is the error that counts.
func (a *archive) use(ctx context.Context, name string, fn func(io.Reader) error) (err error) {
	i := slices.IndexFunc(a.files, func(e entry) bool { return e.Name == name })
	if i < 0 {
		return a.altered("manifest.json")
	}
	f, err := a.open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	want := a.files[i]
	sum := sha256.New()
	src := io.TeeReader(io.LimitReader(patient(ctx, f), want.Bytes+1), sum)
	result := fn(src)
	if _, err := io.Copy(io.Discard, src); err != nil {
		return a.wrap("read", name, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != want.SHA256 {
		return a.altered(name)
	}
	return result
}

// readJSON reads a document of the folder.
func (a *archive) readJSON(ctx context.Context, name string, v any) error {
	return a.use(ctx, name, func(r io.Reader) error {
		b, err := io.ReadAll(io.LimitReader(r, maxJSON))
		if err == nil {
			err = json.Unmarshal(b, v)
		}
		if err != nil {
			return a.wrap("read", name, err)
		}
		return nil
	})
}

// patient reads r until ctx is done.
func patient(ctx context.Context, r io.Reader) io.Reader {
	return readFunc(func(b []byte) (int, error) {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		return r.Read(b)
	})
}

type readFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readFunc) Read(b []byte) (int, error) { return f(b) }
