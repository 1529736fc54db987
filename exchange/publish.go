package exchange

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"path"
	"strings"
	"time"
)

// cleanupTime bounds the removal of a temporary file after a context has ended.
const cleanupTime = 10 * time.Second

// Publish pushes size bytes from src to the remote, where they appear under name
// whole or not at all, in place of what the name held. It writes a temporary file
// beside the target, checks its length, and its hash where the remote can tell,
// and renames it. After an error the temporary file is removed if the remote still
// answers; RemoveParts removes what was left.
//
// A rename whose answer was lost may have happened: then there is an error, and
// the whole file.
func Publish(ctx context.Context, r Remote, name string, src io.Reader, size int64) (err error) {
	temp := tempName(name)
	defer func() {
		if err != nil {
			err = withdraw(ctx, r, temp, err)
		}
	}()
	sum := sha256.New()
	if _, ok := r.(Hasher); ok {
		src = io.TeeReader(src, sum)
	}
	if err := r.Put(ctx, temp, src); err != nil {
		return err
	}
	if err := check(ctx, r, temp, size, sum); err != nil {
		return fmt.Errorf("check %s: %w", name, err)
	}
	return r.Rename(ctx, temp, name)
}

// tempName is unlike the name of any other attempt, and unlike what a carrier
// would pick up.
func tempName(name string) string {
	var unique [8]byte
	rand.Read(unique[:])
	dir, base := path.Split(name)
	return dir + partPrefix(base) + hex.EncodeToString(unique[:]) + partSuffix
}

const partSuffix = ".part"

// partPrefix leaves room for what follows: names end at 255 bytes.
func partPrefix(base string) string {
	const room = 255 - 2 - 16 - len(partSuffix)
	return "." + base[:min(len(base), room)] + "."
}

// check compares what the remote holds with what was sent.
func check(ctx context.Context, r Remote, name string, size int64, sent hash.Hash) error {
	e, err := r.Stat(ctx, name)
	switch {
	case err != nil:
		return err
	case e.Size != size:
		return fmt.Errorf("%w: %d bytes, not %d", ErrIncomplete, e.Size, size)
	}
	h, ok := r.(Hasher)
	if !ok {
		return nil
	}
	switch held, err := h.SHA256(ctx, name); {
	case errors.Is(err, errors.ErrUnsupported):
		return nil
	case err != nil:
		return err
	case held != [32]byte(sent.Sum(nil)):
		return fmt.Errorf("%w: the remote holds other bytes than were sent", ErrIncomplete)
	}
	return nil
}

// withdraw removes the temporary file. Whether a retry helps is up to the first
// error alone, so that the second one is text only.
func withdraw(ctx context.Context, r Remote, temp string, err error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTime)
	defer cancel()
	switch left := r.Remove(ctx, temp); {
	case left == nil, errors.Is(left, fs.ErrNotExist):
		return err
	default:
		return fmt.Errorf("%w; its beginning may be left behind: %v", err, left)
	}
}

// RemoveParts removes the temporary files of earlier attempts to publish name
// that were last changed before a time of the remote's clock. Only one process
// may publish a name at a time when this is called.
func RemoveParts(ctx context.Context, r Remote, name string, before time.Time) error {
	dir, base := path.Split(name)
	entries, err := r.List(ctx, path.Clean(dir))
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range entries {
		if isPart(e, base) && e.Time.Before(before) {
			errs = append(errs, r.Remove(ctx, dir+e.Name))
		}
	}
	return errors.Join(errs...)
}

func isPart(e Entry, base string) bool {
	unique, ours := strings.CutPrefix(e.Name, partPrefix(base))
	unique, ends := strings.CutSuffix(unique, partSuffix)
	_, err := hex.DecodeString(unique)
	return ours && ends && err == nil && len(unique) == 16 && e.Type.IsRegular()
}
