package exchange

import (
	"context"
	"fmt"
	"io"
)

// Fetch pulls a remote file from an offset on into dst and returns how many bytes
// it wrote there. seen is what the file was when its first byte was fetched; if it
// is no longer that, before or after, the answer is ErrChanged and what was
// written is worthless. After any other error a later Fetch may go on where this
// one stopped.
func Fetch(ctx context.Context, r Remote, name string, seen Entry, dst io.Writer, from int64) (n int64, err error) {
	if err := same(ctx, r, name, seen); err != nil {
		return 0, fmt.Errorf("fetch %s: %w", name, err)
	}
	w := &counter{w: dst}
	if err := r.Get(ctx, name, w, from); err != nil {
		return w.n, err
	}
	if err := same(ctx, r, name, seen); err != nil {
		return w.n, fmt.Errorf("fetch %s: %w", name, err)
	}
	if got := from + w.n; got != seen.Size {
		return w.n, fmt.Errorf("fetch %s: %w: %d bytes, not %d", name, ErrIncomplete, got, seen.Size)
	}
	return w.n, nil
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

// RemoveIfSame removes a remote file that was fetched, unless it was overwritten
// since: then it is ErrChanged and stays. A remote has no way to look and remove
// in one step, so a file that is overwritten between these two is lost.
func RemoveIfSame(ctx context.Context, r Remote, name string, seen Entry) error {
	if err := same(ctx, r, name, seen); err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return r.Remove(ctx, name)
}

// MoveIfSame gives a remote file that was fetched another name, unless it was
// overwritten since: then it is ErrChanged and stays. What had the other name is
// lost.
func MoveIfSame(ctx context.Context, r Remote, from, to string, seen Entry) error {
	if err := same(ctx, r, from, seen); err != nil {
		return fmt.Errorf("move %s: %w", from, err)
	}
	return r.Rename(ctx, from, to)
}

func same(ctx context.Context, r Remote, name string, seen Entry) error {
	now, err := r.Stat(ctx, name)
	if err == nil && !now.Same(seen) {
		err = ErrChanged
	}
	return err
}
