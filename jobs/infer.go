package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/formats/dialect"
)

// Proposal is a profile proposed from a sample.
type Proposal struct {
	Text   []byte   `json:"text"`   // the profile
	Doubts []string `json:"doubts"` // what a person has to settle
}

// sampleSize is how much of a file a proposal is made from, in bytes.
const sampleSize = 1 << 20

// Infer proposes a profile from a file of a carrier, in a child process. Its
// error is a *Failure.
func (w Worker) Infer(ctx context.Context, sample string) (*Proposal, error) {
	size, err := fileSize(sample)
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", sample, err))
	}
	last, _, err := w.run(ctx, request{Infer: sample, Limits: limitsFor(DefaultMemory, min(size, sampleSize))}, engine.Observer{})
	switch {
	case ctx.Err() != nil:
		return nil, Explain(context.Canceled)
	case err != nil:
		return nil, Explain(err)
	case last == nil:
		return nil, undecodable(sample)
	case last.Failed != nil:
		return nil, last.Failed
	}
	return last.Proposal, nil
}

// infer proposes a profile in this process.
func infer(keys *atrest.Keys, sample string) (*Proposal, error) {
	f, err := keys.Open(sample)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sample, reason(err))
	}
	head, err := io.ReadAll(io.LimitReader(f, sampleSize))
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("%s: %w", sample, reason(err))
	}
	text, doubts, err := dialect.Infer(filepath.Base(sample), head)
	if err != nil {
		return nil, err
	}
	return &Proposal{text, doubts}, nil
}
