package jobs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/formats/trace"
)

// SearchOptions say which files to look into for a number.
type SearchOptions struct {
	Number string   `json:"number"` // E.164
	Paths  []string `json:"paths"`
	// Keys open what is kept; nil: it is in clear. A child has them from its
	// request.
	Keys *atrest.Keys `json:"-"`
}

// SearchFound is what was found in each file, in their order.
type SearchFound struct {
	Files []trace.Found `json:"files"`
}

// searchAtOnce is how many files one child looks into.
const searchAtOnce = 64

// Search looks for a number in files, whatever they are, in child processes. A
// file that is not there holds nothing; one that kills the child is looked
// through as the bytes that it is. The number is in no argument, and in no error.
func (w Worker) Search(ctx context.Context, number *trace.Number, paths []string) (list []trace.Found, err error) {
	for len(paths) > 0 {
		some := paths[:min(len(paths), searchAtOnce)]
		paths = paths[len(some):]
		found, err := w.searchSome(ctx, number, some)
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return list, nil
}

func (w Worker) searchSome(ctx context.Context, number *trace.Number, paths []string) ([]trace.Found, error) {
	var size int64
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil { // else the child tells
			size += info.Size()
		}
	}
	o := SearchOptions{Number: number.E164().Full(), Paths: paths}
	last, _, err := w.run(ctx, request{Search: &o, Limits: limitsFor(DefaultMemory, size)}, engine.Observer{})
	switch {
	case err != nil:
		return nil, err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case last != nil && last.Found != nil && len(last.Found.Files) == len(paths):
		return last.Found.Files, nil
	case last != nil && last.Failed != nil:
		return nil, fmt.Errorf("search files: %w", last.Failed)
	case len(paths) == 1:
		return searchBytes(ctx, w.Keys, number, paths[0])
	}
	var list []trace.Found
	for i := range paths {
		one, err := w.searchSome(ctx, number, paths[i:i+1])
		if err != nil {
			return nil, err
		}
		list = append(list, one...)
	}
	return list, nil
}

// searchBytes looks through the bytes of a file that kills whoever decodes it.
func searchBytes(ctx context.Context, keys *atrest.Keys, number *trace.Number, path string) ([]trace.Found, error) {
	var found trace.Found
	err := withKept(keys, path, func(r io.ReaderAt, size int64) (err error) {
		found, err = number.ScanBytes(ctx, r, size)
		return err
	})
	found.Unread = append(found.Unread, "what is packed in it: it cannot be decoded within limits")
	return []trace.Found{found}, err
}

// search looks into files in this process.
func search(ctx context.Context, o SearchOptions) (*SearchFound, error) {
	number, err := trace.Parse(o.Number)
	if err != nil {
		return nil, err
	}
	out := new(SearchFound)
	for _, path := range o.Paths {
		found, err := searchOne(ctx, o.Keys, number, path)
		if err != nil {
			return nil, err
		}
		out.Files = append(out.Files, found)
	}
	return out, nil
}

// searchOne looks into one file. What others have sent may only look as if we had
// encrypted it: of that the bytes are looked through.
func searchOne(ctx context.Context, keys *atrest.Keys, number *trace.Number, path string) (found trace.Found, err error) {
	err = withKept(keys, path, func(r io.ReaderAt, size int64) (err error) {
		found, err = number.Scan(ctx, r, size)
		return err
	})
	if !errors.Is(err, atrest.ErrDamaged) && !errors.Is(err, atrest.ErrLocked) {
		return found, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return trace.Found{}, nil
	}
	if err != nil {
		return found, reason(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return found, reason(err)
	}
	found, err = number.ScanBytes(ctx, f, info.Size())
	found.Unread = append(found.Unread, "what is encrypted in it: it is damaged, or not encrypted to our keys")
	return found, err
}

// withKept opens a file that is kept. One that has left meanwhile, such as an
// upload that was moved, holds nothing here: whoever looks again finds it where it
// is.
func withKept(keys *atrest.Keys, path string, do func(r io.ReaderAt, size int64) error) (err error) {
	f, err := keys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if f.Size() == 0 {
		return do(bytes.NewReader(nil), 0)
	}
	return do(f, f.Size())
}
