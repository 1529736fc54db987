package landing

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"time"
)

// Watch is told what happens. Its funcs may be nil and must not block.
type Watch struct {
	Took    func(carrier string, a Answer)
	Waiting func(carrier, name, why string)
	Trouble func(carrier, name string, err error) // it is tried again
}

// tender takes the files of one home.
type tender struct {
	*Home
	spool *Spool
	taker Taker
	watch Watch
	tries map[uint64]*try // by mark.gen; nobody else looks at them
}

// try is what came of offering a file.
type try struct {
	seen    bool // in the look at hand
	since   time.Time
	asked   bool // the answer was Wait
	trust   Trust
	sum     uint64 // mark.gen of the checksum beside it
	failed  int
	retryAt time.Time
}

// Tend takes the files that arrive in a home until ctx ends. What a crash left
// undone is done first. There is one Tend for a home at a time; several homes
// may share a spool and a taker.
func (h *Home) Tend(ctx context.Context, spool *Spool, taker Taker, watch Watch) {
	t := &tender{Home: h, spool: spool, taker: taker, watch: watch, tries: map[uint64]*try{}}
	for failed := 0; ; failed++ {
		err := t.catchUp(ctx)
		if err == nil {
			break
		}
		t.trouble("", err)
		if !t.rest(ctx, backoff(failed)) {
			return
		}
	}
	defer t.settleLast(ctx)
	for {
		next := t.lookFor(ctx, t.lookers())
		if !t.rest(ctx, min(next.Sub(h.now()), h.terms.Load().Rescan)) {
			return
		}
	}
}

// lastSettling is how long what has left the inbox is settled when the service
// is stopping. What is not then is at the next start.
const lastSettling = 3 * time.Second

func (t *tender) settleLast(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSettling)
	defer cancel()
	t.settle(ctx)
}

// pause is the least time between two looks, so that a thousand small uploads
// are not a thousand looks through the inbox.
const pause = 100 * time.Millisecond

// rest waits until something happens, d at most, and reports whether to go on.
func (t *tender) rest(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(min(pause, max(d, time.Millisecond))):
	}
	select {
	case <-ctx.Done():
		return false
	case <-t.wake:
	case <-time.After(d - pause):
	}
	return true
}

// lookFor looks, and tells those who wait for it; of a look that was broken off
// they are not told.
func (t *tender) lookFor(ctx context.Context, waiting []chan struct{}) time.Time {
	next := t.look(ctx)
	if ctx.Err() != nil {
		t.ask(waiting...)
		return next
	}
	for _, done := range waiting {
		close(done)
	}
	return next
}

// look goes through the inbox once and returns when to do so again.
func (t *tender) look(ctx context.Context) time.Time {
	next := t.now().Add(t.terms.Load().Rescan)
	all, err := t.sights()
	if err != nil {
		t.trouble("", err)
	}
	names := map[string]uint64{}
	for _, s := range all {
		names[s.name] = s.mark.gen
	}
	for _, s := range all {
		if again := t.step(ctx, s, names); !again.IsZero() && again.Before(next) {
			next = again
		}
		if ctx.Err() != nil {
			return next
		}
	}
	t.forgetTries()
	t.settle(ctx)
	return next
}

// sights returns the files of the inbox in the order in which they arrived.
func (t *tender) sights() ([]sight, error) {
	there := map[string]bool{}
	err := t.walk(Inbox, func(name string, _ fs.FileInfo) { there[name] = true })
	t.mu.Lock()
	defer t.mu.Unlock()
	for name, m := range t.marks {
		if !there[name] && !m.pending && !t.isThere(name) {
			t.forget(name)
		}
	}
	var all []sight
	for name := range there {
		// Looked at again: name, state and mark must be of the same moment.
		info, err := t.root.Lstat(name)
		if err == nil && info.Mode().IsRegular() && t.uploads[name] == nil {
			all = append(all, sight{name, info, t.recognise(name, info)})
		}
	}
	slices.SortFunc(all, func(a, b sight) int { return cmp.Compare(a.mark.gen, b.mark.gen) })
	return all, err
}

func (t *tender) isThere(name string) bool {
	_, err := t.root.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// recognise returns the mark of a file, a new one if it came or changed by
// other ways than an upload. Callers hold mu.
func (t *tender) recognise(name string, info fs.FileInfo) *mark {
	m := t.marks[name]
	own := arrivalOf(info.Mode()) != dropped
	if m != nil && (own || m.size == info.Size() && m.changed.Equal(info.ModTime())) {
		return m
	}
	m = t.know(name, info.Size(), nil)
	m.changed = info.ModTime()
	return m
}

// step does what is due for one file and returns when to look at it again.
// gens has the files of the inbox by name.
func (t *tender) step(ctx context.Context, s sight, gens map[string]uint64) time.Time {
	t.mu.Lock()
	pending, claim := s.mark.pending, s.mark.claim
	t.mu.Unlock()
	switch {
	case pending:
		return time.Time{} // whoever ends that wakes us
	case claim != nil:
		return t.leave(s, claim)
	case gens[companionOf(s.name)] > 0:
		return time.Time{} // it goes where its file goes
	}
	tr, now := t.tryOf(s.mark), t.now()
	if tr.retryAt.After(now) {
		return tr.retryAt
	}
	o := offered{sight: s, try: tr, sum: gens[s.name+checksum]}
	o.standing = t.terms.Load().judge(s, func(name string) bool { return gens[name] > 0 }, now)
	deadline := tr.since.Add(t.terms.Load().Deadline)
	o.final = !now.Before(deadline)
	if !o.final && (!o.ready || tr.asked && tr.trust >= o.trust && tr.sum == o.sum) {
		return earlier(o.again, deadline)
	}
	if err := t.offer(ctx, o); err != nil {
		t.trouble(short(s.name), err)
		tr.retryAt = now.Add(backoff(tr.failed))
		tr.failed++
		return tr.retryAt
	}
	return earlier(o.again, deadline)
}

func (t *tender) tryOf(m *mark) *try {
	tr := t.tries[m.gen]
	if tr == nil {
		tr = &try{since: m.at}
		t.tries[m.gen] = tr
	}
	tr.seen = true
	return tr
}

// forgetTries drops what is known of files that are gone.
func (t *tender) forgetTries() {
	for gen, tr := range t.tries {
		if !tr.seen {
			delete(t.tries, gen)
		}
		tr.seen = false
	}
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func (t *tender) trouble(name string, err error) {
	if t.watch.Trouble != nil && !errors.Is(err, context.Canceled) {
		t.watch.Trouble(t.carrier, name, err)
	}
}

// backoff is how long to wait after so many failures.
func backoff(failed int) time.Duration {
	return min(time.Minute, time.Second<<min(failed, 6))
}
