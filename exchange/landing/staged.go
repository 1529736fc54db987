package landing

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
)

// Staged is a content on its way into the spool that somebody else writes.
type Staged struct {
	spool *Spool
	name  string
}

// Stage begins one. Whoever does so calls Drop in the end, in any case.
func (s *Spool) Stage() *Staged { return &Staged{s, path.Join(spoolTemp, rand.Text())} }

// Path returns where the content is to be written: there is no file yet. It must
// be encrypted as the spool's contents are, and flushed.
func (s *Staged) Path() string { return filepath.Join(s.spool.dir, filepath.FromSlash(s.name)) }

// Keep takes what was written as a content of this hash and length, and pins it
// until Release, as Add does.
func (s *Staged) Keep(ctx context.Context, sum string, size int64) (Content, error) {
	if err := ctx.Err(); err != nil {
		return Content{}, err
	}
	if err := s.spool.pin(s.name, sum); err != nil {
		return Content{}, fmt.Errorf("write to spool: %w", err)
	}
	return Content{SHA256: sum, Size: size, Path: s.spool.Path(sum)}, nil
}

// Drop removes what is there and was not kept.
func (s *Staged) Drop() error {
	if err := s.spool.root.Remove(s.name); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
