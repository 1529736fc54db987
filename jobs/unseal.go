package jobs

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/exchange/pgp"
)

// UnsealOptions say which file to decrypt.
type UnsealOptions struct {
	Path string    `json:"path"`
	Name string    `json:"name"` // as the carrier knows it
	Out  string    `json:"out"`  // where the content goes; there must be nothing
	With pgp.Given `json:"with"`
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
}

// Unsealed is the content of a file that was decrypted. With a Fault there is
// none, whatever there is at Out.
type Unsealed struct {
	SHA256 string     `json:"sha256"` // in hex
	Bytes  int64      `json:"bytes"`
	Opened pgp.Opened `json:"opened"`
	Fault  *Fault     `json:"fault,omitempty"`
}

// Unseal decrypts a file in a child process. An error says nothing about the
// file. One that kills the child twice has a fault. Whoever calls it removes
// what is at Out and not used.
func (w Worker) Unseal(ctx context.Context, o UnsealOptions) (*Unsealed, error) {
	size, err := fileSize(o.Path)
	if err != nil {
		return nil, fmt.Errorf("decrypt %s: %w", o.Name, err)
	}
	for range 2 {
		found, err := w.unsealOnce(ctx, request{Unseal: &o, Limits: limitsFor(0, size)})
		if found != nil || err != nil {
			return found, err
		}
		if err := ignoreGone(os.Remove(o.Out)); err != nil {
			return nil, fmt.Errorf("decrypt %s: %w", o.Name, err)
		}
	}
	return &Unsealed{Fault: &Fault{Reason: beyondLimits}}, nil
}

// unsealOnce returns nothing at all when the file killed the child.
func (w Worker) unsealOnce(ctx context.Context, req request) (*Unsealed, error) {
	began := false
	last, d, err := w.run(ctx, req, engine.Observer{Stage: func(string) { began = true }})
	switch {
	case err != nil:
		return nil, err
	case last != nil && last.Unsealed != nil:
		return last.Unsealed, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case last != nil && last.Failed != nil:
		return nil, fmt.Errorf("decrypt %s: %w", req.Unseal.Name, last.Failed)
	case !began:
		return nil, fmt.Errorf("decrypt %s: the worker ended before it began: %s", req.Unseal.Name, d)
	}
	return nil, nil
}

// unseal decrypts a file in this process.
func unseal(ctx context.Context, o UnsealOptions) (_ *Unsealed, err error) {
	opener, err := pgp.From(o.With)
	if err != nil {
		return nil, fmt.Errorf("take the keys of PGP over: %w", err)
	}
	src, err := o.Keys.Open(o.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnread, err)
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	out, err := o.Keys.OpenFile(o.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return nil, err
	}
	found, err := content(out, opener, reading{ctx, src})
	if err == nil && found.Fault == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return nil, err
	}
	return found, nil
}

// content decrypts what src has into a file.
func content(out io.Writer, opener *pgp.Opener, src io.Reader) (*Unsealed, error) {
	sum, n := sha256.New(), new(counter)
	buf := bufio.NewWriterSize(out, 256<<10)
	opened, err := opener.Open(io.MultiWriter(buf, sum, n), src)
	var bad *pgp.Fault
	switch {
	case errors.As(err, &bad):
		return &Unsealed{Fault: &Fault{Reason: bad.Reason, Incomplete: bad.Incomplete}}, nil
	case err != nil:
		return nil, err
	}
	return &Unsealed{SHA256: hex.EncodeToString(sum.Sum(nil)), Bytes: int64(*n), Opened: opened}, buf.Flush()
}

// counter counts what is written to it.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// reading is a reader that ends with its context.
type reading struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (r reading) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
