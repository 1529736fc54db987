package subject

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"concord/jobs"
)

// rewritingDir holds, in the data folder, a content that is being written anew.
const rewritingDir = "rewriting"

// eraseContents removes the contents: at the end, because records that are lost
// are made anew of them. Those of which deliveries of calls are made are kept
// without the number.
func (x *erasure) eraseContents(ctx context.Context) error {
	items, err := x.State.ErasedItems(ctx, x.id, storeFiles)
	if err != nil {
		return err
	}
	needed, err := x.State.NeededContents(ctx)
	if err != nil {
		return err
	}
	for _, i := range items {
		if slices.Contains(needed, i.Item) {
			err = x.keepInstead(ctx, i.Item)
		}
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if err := x.Spool.Erase(i.Item); err != nil {
			return err
		}
	}
	return nil
}

// keepInstead keeps a content without the number, unless that was done before.
func (x *erasure) keepInstead(ctx context.Context, sum string) (err error) {
	instead, err := x.State.Instead(ctx, sum)
	if err != nil || instead != "" {
		return err
	}
	path := x.Spool.Path(sum)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) { // such as one that was purged
		return nil
	}
	dir := filepath.Join(x.Data, rewritingDir)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	out := filepath.Join(dir, sum)
	refused, err := x.Rewrite(ctx, x.r, path, out)
	if err != nil {
		return err
	}
	if refused != "" {
		return x.tell(ctx, "deliveries of calls of its time have ended: "+jobs.Mask(sum[:12])+", a file of Microsoft's, is not kept without the number: "+refused)
	}
	return x.stand(ctx, sum, out)
}

// stand keeps a file instead of a content.
func (x *erasure) stand(ctx context.Context, sum, path string) (err error) {
	f, err := x.Keys.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	c, err := x.Spool.Add(ctx, f)
	if err != nil {
		return err
	}
	err = x.State.KeepInstead(ctx, sum, c.SHA256)
	return errors.Join(err, x.Spool.Release(c.SHA256, err == nil))
}
