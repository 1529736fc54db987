//go:build peers

package peers

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"
	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/jobstest"
)

// place is a server with what a carrier's file meets behind it.
type place struct {
	*exchangetest.Site
	ledger *jobstest.Mem

	mu      sync.Mutex
	waiting map[string]int // how often a file of a carrier was found unfinished
}

// open starts a server in front of a real collector.
func open(t *testing.T, terms landing.Terms, carriers ...string) *place {
	t.Helper()
	dir := t.TempDir()
	p := &place{ledger: new(jobstest.Mem), waiting: map[string]int{}}
	taker := jobs.NewCollector(jobs.CollectOptions{
		Profile: func(string) (string, error) { return "", nil },
		Ledger:  p.ledger,
		Worker:  jobs.Worker{Program: os.Args[0], Args: []string{"worker"}},
		Rejects: filepath.Join(dir, "rejects"),
		Content: func(sum string) string { return p.Spool.Path(sum) },
	})
	p.Site = exchangetest.NewSite(t, exchangetest.SiteOptions{
		Dir: dir, Carriers: carriers, Terms: terms, Taker: taker, Watch: landing.Watch{
			Waiting: func(carrier, _, _ string) { p.waits(carrier) },
			Trouble: func(carrier, name string, err error) { t.Errorf("%s: %s: %v", carrier, name, err) },
		},
	})
	return p
}

// openInbox starts a server whose files nobody takes.
func openInbox(t *testing.T, carriers ...string) *place {
	t.Helper()
	return &place{Site: exchangetest.NewSite(t, exchangetest.SiteOptions{Carriers: carriers})}
}

func (p *place) waits(carrier string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting[carrier]++
}

func (p *place) waited(carrier string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.waiting[carrier]
}

// files returns what was decided of a carrier's files.
func (p *place) files(t *testing.T, carrier string) []jobs.Entry {
	t.Helper()
	all, err := p.ledger.Files(t.Context(), carrier)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// present returns how many connections of a carrier there are, and were.
func (p *place) present(carrier string) (now, ever int) {
	for _, e := range p.Events() {
		switch {
		case e.Carrier != carrier:
		case e.Act == sftpd.ActLogin:
			now++
			ever++
		case e.Act == sftpd.ActLogout:
			now--
		}
	}
	return now, ever
}

// arrival returns the permission bits in which the inbox keeps how a file came;
// 0: it is not there.
func (p *place) arrival(t *testing.T, carrier, name string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(filepath.Join(p.Home(carrier), "inbox", name))
	if err != nil {
		return 0
	}
	return info.Mode().Perm()
}

// await waits until something outside of this process has come about.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	late := time.After(30 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited too long: %s", what)
		}
	}
}
