package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"sync"
	"time"

	"concord/exchange/landing"
	"concord/formats/dialect"

	"github.com/google/uuid"
)

// CollectOptions say what a Collector works with.
type CollectOptions struct {
	// Profile returns the path of a carrier's profile; empty: its files are
	// canonical. It is read anew for every file. What was read by another path
	// may have been read in another way.
	Profile func(carrier string) (string, error)
	Ledger  Ledger
	Worker  Worker
	// Now is the clock; nil: the machine's.
	Now func() time.Time
	// Content returns where the spool keeps a content. It is needed to list
	// rejected rows again after a crash.
	Content func(sha256 string) string
	// Rejects is a folder of the Collector's own, for the CSVs of rejected
	// rows of entries that are not settled. It is made when it is not there.
	Rejects string
	// Records is a folder of the Collector's own, for the records of ingested
	// files, in a folder of each carrier; empty: none are kept.
	Records string
	// Profiles is a folder for the profiles that files were read with, each
	// under the SHA-256 of its content; empty: they are not kept.
	Profiles string
	// Run is named in receipts; empty: each claim is a run of its own.
	Run      string
	Observer CollectObserver
}

// CollectObserver is told what happens, before Take returns. Its funcs may be
// nil, and are called by several goroutines.
type CollectObserver struct {
	// Decided is told of every new entry.
	Decided func(Entry)
	// Gap is told of an accepted file before which sequence numbers are
	// missing.
	Gap func(Entry)
}

// Collector decides of the files that carriers send: it implements
// landing.Taker. A file is decoded in a child process, of which few run at
// once, and then compared with what the carrier has sent before. What is no
// fault of the file, such as a full disk, is an error and never a rejection.
type Collector struct {
	o        CollectOptions
	children chan struct{}
	rejects  rejectedFiles
	making   chan struct{} // held by who makes records anew
	taking   sync.Map      // paths of records of offers that are being decided
	doubts   sync.Map      // ids by taking.upload
}

var _ landing.Taker = (*Collector)(nil)

// maxChildren is how many files are decoded at once, over all carriers.
const maxChildren = 2

// NewCollector returns a Collector.
func NewCollector(o CollectOptions) *Collector {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Collector{o: o, children: make(chan struct{}, maxChildren), making: make(chan struct{}, 1), rejects: rejectedFiles{root: o.Rejects}}
}

// Take implements landing.Taker.
func (c *Collector) Take(ctx context.Context, o landing.Offer) (landing.Answer, error) {
	a, err := c.take(ctx, o)
	if err != nil {
		return landing.Answer{}, fmt.Errorf("decide of %s of %s: %w", o.Name, o.Carrier, err)
	}
	return a, nil
}

func (c *Collector) take(ctx context.Context, o landing.Offer) (_ landing.Answer, err error) {
	t, err := c.begin(o, false)
	if err != nil {
		return landing.Answer{}, err
	}
	if t.rejects, err = c.rejects.begin(o.Carrier, o.SHA256, t.id); err != nil {
		return landing.Answer{}, err
	}
	recorded := ""
	defer func() { c.rejects.end(t.rejects, recorded) }()
	e, err := c.decide(ctx, t)
	if err != nil || t.wait != "" {
		return landing.Answer{Verdict: landing.Wait, Why: t.wait}, err
	}
	if e.ID == t.id && e.BadRows > 0 {
		recorded = t.rejects
	}
	return c.answer(ctx, e)
}

// begin gives an offer an id: the one that it may have been recorded under, if
// that is in doubt.
func (c *Collector) begin(o landing.Offer, microsoft bool) (*taking, error) {
	t := &taking{Offer: o, microsoft: microsoft}
	if !microsoft && !isRows(o.Name) {
		var err error
		if t.profile, err = c.o.Profile(o.Carrier); err != nil {
			return nil, fmt.Errorf("find the profile: %w", err)
		}
	}
	t.upload = fmt.Sprintf("%v %q %q %s %d %q", microsoft, o.Carrier, o.Name, o.SHA256, o.Received.UnixMicro(), t.profile)
	if id, ok := c.doubts.Load(t.upload); ok {
		t.id, t.doubt = id.(string), true
		return t, nil
	}
	id, err := uuid.NewV7()
	t.id = id.String()
	return t, err
}

// decide judges a file and records it, unless it is too early: then it says in
// the taking why.
func (c *Collector) decide(ctx context.Context, t *taking) (e Entry, err error) {
	keep := t.doubt // the records: of an entry, for all that is known
	defer func() { c.endRecords(t, keep) }()
	if err := c.beginRecords(t); err != nil {
		return Entry{}, err
	}
	if err := c.judge(ctx, t); err != nil || t.wait != "" {
		return Entry{}, err
	}
	if e, err = c.record(ctx, t); err != nil {
		keep = true
		return Entry{}, err
	}
	keep = e.ID == t.id && e.Ingested()
	if e.ID == t.id {
		c.tell(e)
	}
	return e, nil
}

// recordingTime is how long a file goes on being recorded when all else is told
// to end.
const recordingTime = 5 * time.Second

// record records a file. With an error it may have been recorded nevertheless,
// and is remembered as such.
func (c *Collector) record(ctx context.Context, t *taking) (Entry, error) {
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(recordingTime, cancel) })()
	e, err := c.o.Ledger.Record(lasting, t.arrival(), t.decide)
	if err != nil {
		c.doubts.Store(t.upload, t.id)
		return e, fmt.Errorf("record it: %w: %w", landing.ErrDoubt, err)
	}
	c.doubts.Delete(t.upload)
	return e, nil
}

// ErrWait says that a file is not whole yet.
var ErrWait = errors.New("it is not whole yet")

// TakeFeed is Take for a file of Microsoft's about the carrier: in canonical
// columns or one of Microsoft's feeds, without a profile, a number or a
// receipt. A file that is not whole yet, and not Final, is ErrWait; one that
// cannot be used is an entry that says why.
func (c *Collector) TakeFeed(ctx context.Context, o landing.Offer) (Entry, error) {
	t, err := c.begin(o, true)
	if err != nil {
		return Entry{}, err
	}
	e, err := c.decide(ctx, t)
	if err == nil && t.wait != "" {
		err = fmt.Errorf("%w: %s", ErrWait, t.wait)
	}
	if err != nil {
		return Entry{}, fmt.Errorf("decide of Microsoft's %s of %s: %w", o.Name, o.Carrier, err)
	}
	return e, nil
}

func (c *Collector) tell(e Entry) {
	if c.o.Observer.Decided != nil {
		c.o.Observer.Decided(e)
	}
	if c.o.Observer.Gap != nil && len(e.Missing) > 0 {
		c.o.Observer.Gap(e)
	}
}

// answer is what an entry means for the file.
func (c *Collector) answer(ctx context.Context, e Entry) (landing.Answer, error) {
	a := landing.Answer{ID: e.ID, Verdict: landing.Accept, Receipt: e.Receipt(), OpenRows: c.openRows, Discard: e.Erased != ""}
	if e.Status == landing.StatusRejected {
		a.Verdict = landing.Reject
	}
	var err error
	if a.RejectedRows, err = c.rejectedRows(ctx, e); err != nil {
		return landing.Answer{}, fmt.Errorf("list the rejected rows of %s: %w", e.Name, err)
	}
	return a, nil
}

// openRows opens the CSV of rejected rows.
func (c *Collector) openRows(path string) (io.ReadCloser, error) { return c.o.Worker.Keys.Open(path) }

// taking is one offer on its way to a decision.
type taking struct {
	landing.Offer
	id        string
	upload    string // tells the offer from all others but itself, made again and read by the same profile
	doubt     bool   // it may have been recorded before
	microsoft bool   // it is a file of Microsoft's
	rejects   string // where the CSV of rejected rows belongs; empty: nobody wants it
	records   string // where the records belong; empty: nobody wants them
	profile   string
	sum       string // SHA-256 of the profile; empty: it is not kept
	days      []Day
	parts     dialect.NameParts
	claim     claim
	wait      string // why it is too early to decide
}

// decide is the entry that the file comes to. Only of what counts are there
// days.
func (t *taking) decide(k Known) Entry {
	e := t.claim.decide(k)
	if e.Ingested() {
		e.Days, e.Profile = t.days, t.sum
	}
	return e
}

// arrival says what to look for in the ledger.
func (t *taking) arrival() Arrival {
	return Arrival{Carrier: t.Carrier, Name: t.Name, SHA256: t.SHA256, Received: t.Received, Sequence: t.claim.entry.Sequence, Microsoft: t.microsoft}
}

// judge finds out all that can be said of the file alone.
func (c *Collector) judge(ctx context.Context, t *taking) error {
	t.claim.entry = Entry{
		ID: t.id, Carrier: t.Carrier, Microsoft: t.microsoft, Name: t.Name, SHA256: t.SHA256, Bytes: t.Size, Verified: t.Checked,
		Received: t.Received.UTC(), Decided: c.o.Now().UTC(), Run: c.o.Run,
	}
	if t.Sealed != nil {
		t.claim.entry.Sealed = Sealed{t.Sealed.SHA256, t.Sealed.Size}
	}
	if t.Fault != "" {
		t.claim.fault = t.Fault
		return nil
	}
	if !t.microsoft {
		if fits, err := c.readName(t); err != nil || !fits {
			return err
		}
	}
	found, err := c.inspect(ctx, t)
	if err != nil {
		return err
	}
	t.weigh(found)
	return nil
}

// readName takes what the name says, by the carrier's profile.
func (c *Collector) readName(t *taking) (fits bool, err error) {
	p := dialect.Canonical()
	if t.profile != "" {
		if p, err = c.loadProfile(t); err != nil {
			return false, err
		}
	}
	if t.parts, fits = p.MatchName(path.Base(t.contentName())); !fits {
		t.refuse(fmt.Sprintf("the name does not fit the pattern %s that is agreed upon: send the file under such a name", p.Files.Pattern), t.Trust == landing.Doubtful)
		return false, nil
	}
	t.claim.marked, t.claim.reuse = t.parts.Correction, p.Files.ReuseCorrects
	if !p.Files.Corrections.IsZero() {
		t.claim.how = "send it under a name such as " + p.Files.Corrections.String()
	}
	if t.parts.HasSeq {
		t.claim.entry.Sequence = &t.parts.Seq
	}
	if t.parts.HasDate {
		t.claim.entry.Date = t.parts.Date.Format(time.DateOnly)
	}
	return true, nil
}

// contentName is what the file was called before it was encrypted.
func (t *taking) contentName() string {
	if t.Sealed != nil {
		return t.Sealed.Name
	}
	return t.Name
}

// refuse says why the file cannot be taken: not yet, when more may come and
// there is time, or ever.
func (t *taking) refuse(why string, more bool) {
	if more && !t.Final {
		t.wait = why
		return
	}
	t.claim.fault = why
}

// inspect looks into the file in a child process, when its turn comes.
func (c *Collector) inspect(ctx context.Context, t *taking) (*Inspection, error) {
	if t.Size == 0 {
		return nothing(), nil
	}
	found, err := c.work(ctx, InspectOptions{
		Path: t.Content, Name: t.Name, Carrier: t.Carrier, Profile: t.profile, Microsoft: t.microsoft, Rejects: t.rejects, Records: t.records,
	})
	if err == nil && found.SHA256 != "" && t.SHA256 != "" && found.SHA256 != t.SHA256 {
		err = fmt.Errorf("%w: it is not what was put there", errUnread)
	}
	return found, err
}

func (c *Collector) work(ctx context.Context, o InspectOptions) (*Inspection, error) {
	select {
	case c.children <- struct{}{}:
		defer func() { <-c.children }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return c.o.Worker.Inspect(ctx, o)
}

// weigh takes over what was found, and whether it can be used.
func (t *taking) weigh(i *Inspection) {
	e := &t.claim.entry
	e.Format, e.Verified, e.Notes = i.Format, t.Checked || i.Verified, i.Notes
	if t.Sealed != nil && t.Sealed.Note != "" {
		e.Notes = append(e.Notes[:len(e.Notes):len(e.Notes)], t.Sealed.Note)
	}
	e.Rows, e.Accepted, e.Filtered, e.DurationMS = i.Rows, i.Accepted, i.Filtered, i.DurationMS
	e.Rejected = i.Rows - i.Accepted - i.Filtered
	e.Reasons, e.MoreReasons = i.Reasons, i.BadRows-int64(len(i.Reasons))
	if i.Finished && t.rejects != "" {
		e.BadRows = i.BadRows
	}
	t.days = i.Days
	s := i.standing(t.Trust, t.parts.HasSeq)
	if s.why != "" {
		t.refuse(s.why, s.more)
		return
	}
	e.Proof = string(s.proof)
	if t.Size == 0 {
		e.Notes = append(e.Notes, "an empty file: nothing to report")
	}
}
