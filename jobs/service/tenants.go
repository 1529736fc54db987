package service

import (
	"context"
	"sync"
	"time"

	"concord/jobs/config"
	"concord/jobs/graph"
)

// tenants are the looks at Microsoft Graph: each list of each tenant at its
// own pace, by the configuration as it is.
type tenants struct {
	s *Service

	mu    sync.Mutex
	feeds map[string]*tenantFeed // by graph.Feed.ID
	wg    sync.WaitGroup
}

// tenantFeed is one list of one tenant.
type tenantFeed struct {
	feed   *graph.Feed
	of     *config.Graph
	busy   bool
	failed int       // times in a row
	due    time.Time // by the clock of the machine: it is about waiting
}

// run looks at what is due until ctx ends.
func (t *tenants) run(ctx context.Context) {
	tick := time.NewTicker(t.s.TickEvery)
	defer tick.Stop()
	defer t.wg.Wait()
	for {
		for _, g := range t.s.cfg().Graph {
			for _, list := range g.Lists {
				t.visit(ctx, g, graph.List(list))
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// visit looks at one list, if that is due and nobody does.
func (t *tenants) visit(ctx context.Context, g *config.Graph, list graph.List) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.find(g, list)
	if f.busy || time.Now().Before(f.due) {
		return
	}
	f.busy = true
	t.wg.Go(func() {
		err := f.feed.Look(ctx)
		if ctx.Err() == nil {
			t.looked(f, err)
		}
	})
}

// find returns a list with the settings as they are now. Callers hold mu.
func (t *tenants) find(g *config.Graph, list graph.List) *tenantFeed {
	if t.feeds == nil {
		t.feeds = map[string]*tenantFeed{}
	}
	id := g.Tenant + "/" + string(list)
	f := t.feeds[id]
	if f == nil {
		f = &tenantFeed{}
		t.feeds[id] = f
	}
	if f.of != g && !f.busy {
		f.of, f.failed, f.due = g, 0, time.Time{}
		f.feed = &graph.Feed{
			Name: g.Name, List: list, Operators: g.Operators, Carrier: g.Carrier, Since: g.Since, Overlap: g.Overlap,
			Access: graph.Access{Tenant: g.Tenant, ClientID: g.ClientID, Secret: g.Secret.Reveal, Authority: g.Authority, Endpoint: g.Endpoint},
			Folder: t.s.cfg().Microsoft, Rows: t.s.store, Now: t.s.Now, Log: t.s.Log,
		}
	}
	return f
}

// looked says when a list is due again: sooner when it could not be read.
func (t *tenants) looked(f *tenantFeed, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f.busy = false
	wait := f.of.Every
	if f.failed++; err == nil {
		f.failed = 0
	} else {
		wait = min(wait, longestRest, time.Minute<<min(f.failed-1, 4))
		t.s.Log.Warn("Graph cannot be read", "feed", f.of.Name, "list", string(f.feed.List), "error", err.Error(), "failures", f.failed, "again_in", wait.String())
	}
	f.due = time.Now().Add(wait)
	failed := f.failed
	aside(func(ctx context.Context) { t.s.alert.Tenant(ctx, f.of.Name+"/"+string(f.feed.List), failed, err) })
}
