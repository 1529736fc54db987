package service

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/control"
)

// mostWaiting bounds what is kept of files that wait.
const mostWaiting = 1000

// waiting keeps why files lie in inboxes of which nothing can be decided yet.
type waiting struct {
	mu    sync.Mutex
	files map[lying]control.WaitingFile
}

type lying struct{ carrier, name string }

func (w *waiting) told(carrier, name, why string, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.files == nil || len(w.files) >= mostWaiting {
		w.files = map[lying]control.WaitingFile{} // who still waits is told of again
	}
	w.files[lying{carrier, name}] = control.WaitingFile{File: jobs.Mask(name), Why: jobs.Mask(why), Told: now.UTC()}
}

func (w *waiting) decided(carrier, name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.files, lying{carrier, name})
}

// of lists the files of a carrier that wait and are still in its inbox.
func (w *waiting) of(inbox, carrier string) (list []control.WaitingFile) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for at, f := range w.files {
		if at.carrier != carrier {
			continue
		}
		if _, err := os.Lstat(filepath.Join(inbox, at.name)); !filepath.IsLocal(at.name) || err != nil {
			delete(w.files, at)
			continue
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b control.WaitingFile) int { return cmp.Compare(a.File, b.File) })
	return list
}

func (s *Service) waitingOf(carrier string) []control.WaitingFile {
	return s.waiting.of(filepath.Join(s.dir(homesDir), carrier, landing.Inbox), carrier)
}
