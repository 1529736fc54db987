package jobs

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/formats/trace"
)

// RewriteOptions say which file to write anew without a number, and where to.
type RewriteOptions struct {
	Number string `json:"number"` // E.164
	Digits string `json:"digits"` // that stand in its place
	Path   string `json:"path"`
	Out    string `json:"out"`
	// Keys open and encrypt what is kept; nil: it is in clear. A child has them
	// from its request.
	Keys *atrest.Keys `json:"-"`
}

// Rewritten is what became of it.
type Rewritten struct {
	// Refused says why it cannot be written anew; empty: it was.
	Refused string `json:"refused,omitempty"`
}

// Rewrite writes a file anew in a child process, with what stands for a number in
// its place, and looks whether that is gone. It returns why it cannot be, such as
// for a file of wide characters; empty: out is written. An error says nothing of
// the file.
func (w Worker) Rewrite(ctx context.Context, r Redaction, path, out string) (refused string, err error) {
	size, err := fileSize(path)
	if err != nil {
		return "", err
	}
	o := RewriteOptions{Number: r.Number.E164().Full(), Digits: r.digits(), Path: path, Out: out}
	last, _, err := w.run(ctx, request{Rewrite: &o, Limits: limitsFor(DefaultMemory, 4*size)}, engine.Observer{})
	switch {
	case err != nil:
		return "", err
	case ctx.Err() != nil:
		return "", ctx.Err()
	case last != nil && last.Failed != nil:
		return "", last.Failed
	case last == nil || last.Rewritten == nil:
		return "it cannot be decoded within limits", nil
	case last.Rewritten.Refused != "":
		return last.Rewritten.Refused, nil
	}
	found, err := w.Search(ctx, r.Number, []string{out})
	if err == nil && (found[0].Times > 0 || len(found[0].Unread) > 0) {
		refused = "the number is in it in a way that cannot be written anew"
	}
	return refused, err
}

// rewrite writes a file anew in this process.
func rewrite(ctx context.Context, o RewriteOptions) (*Rewritten, error) {
	number, err := trace.Parse(o.Number)
	if err != nil {
		return nil, err
	}
	err = withKept(o.Keys, o.Path, func(r io.ReaderAt, size int64) error {
		return writeFile(o.Keys, o.Out, func(w io.Writer) error { return number.Rewrite(ctx, w, r, size, o.Digits) })
	})
	if errors.Is(err, trace.ErrForm) {
		return &Rewritten{Refused: trace.ErrForm.Error()}, nil
	}
	return new(Rewritten), err
}

func writeFile(keys *atrest.Keys, path string, fill func(io.Writer) error) (err error) {
	f, err := keys.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return reason(err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := bufio.NewWriterSize(f, 256<<10)
	return errors.Join(fill(w), w.Flush())
}
