package partition

import "sync"

// queue brings the batches of parts, which several workers make at once, into
// the order of the input. What waits in it is bounded, but for the part whose
// turn it is: that one may always go on, or nothing would.
type queue struct {
	mu    sync.Mutex
	moved sync.Cond
	parts map[int]*line
	front int // the part whose turn it is
	held  int64
	limit int64
	err   error
	free  []*batch
}

// line is the batches of one part.
type line struct {
	ready []*batch
	done  bool
}

func newQueue(limit int64) *queue {
	q := &queue{parts: map[int]*line{}, limit: limit}
	q.moved.L = &q.mu
	return q
}

func (q *queue) line(part int) *line {
	l := q.parts[part]
	if l == nil {
		l = &line{}
		q.parts[part] = l
	}
	return l
}

// put adds a batch of a part, when there is room. It reports false when the
// work has failed.
func (q *queue) put(part int, b *batch) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.err == nil && part != q.front && q.held+b.size > q.limit || q.err == nil && part == q.front && len(q.line(part).ready) > 1 {
		q.moved.Wait()
	}
	if q.err != nil {
		return false
	}
	l := q.line(part)
	l.ready = append(l.ready, b)
	q.held += b.size
	q.moved.Broadcast()
	return true
}

// done says that a part has no more batches.
func (q *queue) done(part int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.line(part).done = true
	q.moved.Broadcast()
}

// fail ends the work; the first error counts.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.err == nil {
		q.err = err
	}
	q.moved.Broadcast()
}

// take returns the next batch in order; nil when all parts are done, of which
// there are as many as last says once that is not negative.
func (q *queue) take(last func() int64) (*batch, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		l := q.parts[q.front]
		switch {
		case q.err != nil:
			return nil, q.err
		case l != nil && len(l.ready) > 0:
			b := l.ready[0]
			l.ready = l.ready[1:]
			q.held -= b.size
			q.moved.Broadcast()
			return b, nil
		case l != nil && l.done:
			delete(q.parts, q.front)
			q.front++
			q.moved.Broadcast()
		case last() == int64(q.front):
			return nil, nil
		default:
			q.moved.Wait()
		}
	}
}

// wake makes take ask for the last part again.
func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.moved.Broadcast()
}

// recycle gives a batch back for get.
func (q *queue) recycle(b *batch) {
	b.reset()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.free = append(q.free, b)
}

// get returns an empty batch.
func (q *queue) get(carriers, columns int) *batch {
	q.mu.Lock()
	defer q.mu.Unlock()
	if n := len(q.free); n > 0 {
		b := q.free[n-1]
		q.free = q.free[:n-1]
		return b
	}
	return newBatch(carriers, columns)
}
