package console

import (
	"crypto/rand"
	"sync"
)

// told are what pages have yet to say of what was done, each once and to who did
// it. An address holds a key only, so that none can be made that claims something.
type told struct {
	mu   sync.Mutex
	what map[[2]string]string // by who and key
}

// mostTold is how many wait at most.
const mostTold = 1000

func (t *told) leave(who, what string) (key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.what == nil || len(t.what) >= mostTold {
		t.what = map[[2]string]string{} // nobody has come for them
	}
	key = rand.Text()
	t.what[[2]string{who, key}] = what
	return key
}

func (t *told) take(who, key string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := [2]string{who, key}
	what := t.what[at]
	delete(t.what, at)
	return what
}
