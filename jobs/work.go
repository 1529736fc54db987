package jobs

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"concord/engine"
	"concord/exchange/atrest"
	"concord/formats"
)

// request is what a worker process is told, as one line of JSON.
type request struct {
	Options MatchOptions `json:"options"`
	// Probe asks only whether this file of a side can be decoded.
	Probe  string      `json:"probe,omitempty"`
	Name   string      `json:"name,omitempty"` // what messages call that file
	Side   engine.Side `json:"side,omitempty"`
	Infer  string      `json:"infer,omitempty"` // asks only for a profile from this sample
	Limits limits      `json:"limits"`
	// Keys are those of what is kept. They come this way only: who may see
	// the command line or the environment of a process does not see its input.
	Keys *atrest.Given `json:"keys,omitempty"`
	// Inspect asks only what is in this file of a carrier.
	Inspect *InspectOptions `json:"inspect,omitempty"`
	// Deliver asks for a delivery of calls; DecodeOnly asks only whether its
	// files can be decoded.
	Deliver    *DeliverOptions `json:"deliver,omitempty"`
	DecodeOnly bool            `json:"decode_only,omitempty"`
	// Listing asks only which numbers are in this listing of Microsoft's.
	Listing *ListingOptions `json:"listing,omitempty"`
	// Deal asks for what is in a file of Microsoft's, and to deal it out.
	Deal *DealOptions `json:"deal,omitempty"`
	// Search asks only whether a number is in these files.
	Search *SearchOptions `json:"search,omitempty"`
	// Rewrite asks for a file without a number.
	Rewrite *RewriteOptions `json:"rewrite,omitempty"`
	// Unseal asks for the content of a file that is encrypted.
	Unseal *UnsealOptions `json:"unseal,omitempty"`
}

// event is what a worker process says, one line of JSON each. The last one
// holds Done, Failed, Decoded, Proposal, Inspection, Delivered, Listing, Dealt, Found,
// Rewritten or Unsealed.
type event struct {
	Stage   string      `json:"stage,omitempty"`
	Side    engine.Side `json:"side,omitempty"`
	Rows    int64       `json:"rows,omitempty"`
	Done    *Outcome    `json:"done,omitempty"`
	Failed  *Failure    `json:"failed,omitempty"`
	Decoded bool        `json:"decoded,omitempty"`

	Proposal   *Proposal   `json:"proposal,omitempty"`
	Inspection *Inspection `json:"inspection,omitempty"`
	Delivered  *Delivered  `json:"delivered,omitempty"`

	Listing *ListingFound `json:"listing,omitempty"`
	Dealt   *Dealt        `json:"dealt,omitempty"`
	Found   *SearchFound  `json:"found,omitempty"`

	Rewritten *Rewritten `json:"rewritten,omitempty"`
	Unsealed  *Unsealed  `json:"unsealed,omitempty"`
}

func (e *event) last() bool {
	return e.Done != nil || e.Failed != nil || e.Decoded || e.Proposal != nil || e.Inspection != nil || e.Delivered != nil || e.Listing != nil || e.Dealt != nil || e.Found != nil || e.Rewritten != nil || e.Unsealed != nil
}

// Work is the whole life of a worker process: it reads one request from in,
// does it under the limits that the request names, and tells on out what
// happens. When in ends before the work does, whoever asked is gone: the work
// is stopped and nothing stays behind.
func Work(ctx context.Context, in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	line, err := r.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	if err := errors.Join(req.unlock(), req.Limits.apply()); err != nil {
		return err
	}
	debug.SetMemoryLimit(req.Limits.Soft)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the process, which ends after this request
		_, _ = io.Copy(io.Discard, r)
		cancel()
	}()
	tell := &teller{enc: json.NewEncoder(out)}
	return tell.tell(req.do(ctx, tell))
}

// unlock gives the keys to whatever was asked.
func (r *request) unlock() error {
	k, err := atrest.From(r.Keys)
	if err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	r.Options.Keys = k
	if r.Inspect != nil {
		r.Inspect.Keys = k
	}
	if r.Deliver != nil {
		r.Deliver.Keys = k
	}
	if r.Listing != nil {
		r.Listing.Keys = k
	}
	if r.Deal != nil {
		r.Deal.Keys = k
	}
	if r.Search != nil {
		r.Search.Keys = k
	}
	if r.Rewrite != nil {
		r.Rewrite.Keys = k
	}
	if r.Unseal != nil {
		r.Unseal.Keys = k
	}
	return nil
}

// do does what was asked and returns the last event.
func (r *request) do(ctx context.Context, tell *teller) event {
	e := event{Decoded: r.Probe != "" || r.DecodeOnly}
	var err error
	switch {
	case r.Infer != "":
		e.Proposal, err = infer(r.Options.Keys, r.Infer)
	case r.Probe != "":
		err = r.decode(ctx)
	case r.Inspect != nil:
		tell.stage(stageInspect)
		e.Inspection, err = inspect(ctx, *r.Inspect)
	case r.DecodeOnly:
		err = r.Deliver.decodeOnly(ctx)
	case r.Deliver != nil:
		e.Delivered, err = DeliverCalls(ctx, *r.Deliver)
	case r.Listing != nil:
		tell.stage(stageInspect)
		e.Listing, err = readListing(ctx, *r.Listing)
	case r.Deal != nil:
		tell.stage(stageInspect)
		e.Dealt, err = Deal(ctx, *r.Deal)
	case r.Search != nil:
		e.Found, err = search(ctx, *r.Search)
	case r.Rewrite != nil:
		e.Rewritten, err = rewrite(ctx, *r.Rewrite)
	case r.Unseal != nil:
		tell.stage(stageInspect)
		e.Unsealed, err = unseal(ctx, *r.Unseal)
	default:
		e.Done, err = Match(ctx, r.Options, tell.observer())
	}
	if err != nil {
		return event{Failed: Explain(err)}
	}
	return e
}

// decode reads one file to its end.
func (r *request) decode(ctx context.Context) (err error) {
	p := &plan{MatchOptions: r.Options}
	if err := p.readProfile(); err != nil {
		return err
	}
	o := formats.Options{Carrier: p.carrier}
	if r.Side == engine.Carrier {
		o.Profile = p.profile
	}
	in := &inputs{keys: p.Keys}
	defer func() { err = errors.Join(err, in.close()) }()
	paths, names := []string{r.Probe}, []string{r.Name}
	if p.fromRecords() {
		err = in.openRecords(ctx, r.Side, paths, names, p)
	} else {
		err = in.openSide(ctx, r.Side, paths, names, o)
	}
	if err != nil {
		return err
	}
	return readAll(ctx, in.sides[r.Side])
}

func readAll(ctx context.Context, src engine.Source) error {
	calls := make([]engine.Call, 1024)
	for {
		part, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			return src.Finish(ctx)
		}
		if err != nil {
			return err
		}
		if err := errors.Join(readPart(ctx, part, calls), part.Close()); err != nil {
			return err
		}
	}
}

func readPart(ctx context.Context, part engine.Part, calls []engine.Call) error {
	for {
		_, err := part.Read(ctx, calls)
		var row *engine.RowError
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &row), err == nil:
		default:
			return err
		}
	}
}

// teller writes events, progress only now and then.
type teller struct {
	mu   sync.Mutex
	enc  *json.Encoder
	told [2]time.Time
	rows [2]int64 // the last that was not told, or 0
}

// tellEvery is the least time between two words of progress.
const tellEvery = 100 * time.Millisecond

func (t *teller) tell(e event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.enc.Encode(e)
}

func (t *teller) observer() engine.Observer {
	return engine.Observer{Stage: t.stage, Rows: t.progress}
}

// stage tells of a stage, and first what was held back of the one before.
// When nobody listens any more the request's end tells so, too.
func (t *teller) stage(name string) {
	for side, rows := range t.held() {
		if rows > 0 {
			_ = t.tell(event{Side: engine.Side(side), Rows: rows})
		}
	}
	_ = t.tell(event{Stage: name})
}

func (t *teller) progress(side engine.Side, rows int64) {
	if t.due(side, rows) {
		_ = t.tell(event{Side: side, Rows: rows})
	}
}

// due says whether it is time to tell, and holds the rows back if not.
func (t *teller) due(side engine.Side, rows int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if now.Sub(t.told[side]) < tellEvery {
		t.rows[side] = max(t.rows[side], rows)
		return false
	}
	t.told[side], t.rows[side] = now, 0
	return true
}

// held takes what was held back.
func (t *teller) held() (rows [2]int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows, t.rows = t.rows, rows
	return rows
}
