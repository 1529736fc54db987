package service

import (
	"context"
	"fmt"
	"sync"
	"time"

	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/config"
	"concord/jobs/fetch"
)

// microsoftHosts are the looks at hosts of Microsoft's side: each host at its
// own pace, by the configuration as it is.
type microsoftHosts struct {
	s     *Service
	calls map[string]*hostVisits // by name
	wg    sync.WaitGroup
}

// hostVisits are those to one host with the settings that it has.
type hostVisits struct {
	of   *config.MicrosoftHost
	stop context.CancelFunc
	done chan struct{}
}

// run visits hosts until ctx ends.
func (m *microsoftHosts) run(ctx context.Context) {
	m.calls = map[string]*hostVisits{}
	tick := time.NewTicker(m.s.TickEvery)
	defer tick.Stop()
	defer m.wg.Wait()
	for {
		m.adopt(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// adopt ends the visits to hosts that are no longer in the configuration, or
// otherwise, and begins those to new ones.
func (m *microsoftHosts) adopt(ctx context.Context) {
	now := map[string]*config.MicrosoftHost{}
	for _, h := range m.s.cfg().MicrosoftHosts {
		now[h.Name] = h
	}
	for name, v := range m.calls {
		if now[name] != v.of {
			v.stop()
			<-v.done
			delete(m.calls, name)
		}
	}
	for name, h := range now {
		if m.calls[name] == nil {
			m.calls[name] = m.begin(ctx, h)
		}
	}
}

func (m *microsoftHosts) begin(ctx context.Context, h *config.MicrosoftHost) *hostVisits {
	ctx, stop := context.WithCancel(ctx)
	v := &hostVisits{of: h, stop: stop, done: make(chan struct{})}
	m.wg.Go(func() {
		defer close(v.done)
		m.visit(ctx, h)
	})
	return v
}

// secondLook is how soon a host is looked at again when something is new there:
// a file is taken when it is as it was.
const secondLook = 30 * time.Second

// visit looks at one host over and over.
func (m *microsoftHosts) visit(ctx context.Context, h *config.MicrosoftHost) {
	x := &fetch.Host{
		Name: h.Name, Folder: h.Folder, Carrier: h.Carrier, Numbers: h.Numbers, Done: h.Done,
		State: m.s.store, Now: m.s.Now, Log: m.s.Log, Taken: m.s.fetched,
	}
	for failed := 0; ; {
		young, err := m.look(ctx, h, x)
		wait := h.Every
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			failed++
			wait = min(wait, longestRest, time.Minute<<min(failed-1, 4))
			m.s.Log.Warn("a host of Microsoft's side cannot be used", "host", h.Name, "error", err.Error(), "failures", failed, "again_in", wait.String())
		default:
			failed = 0
		}
		if young {
			wait = min(wait, secondLook)
		}
		aside(func(ctx context.Context) { m.s.alert.MicrosoftHost(ctx, h.Name, failed, err) })
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// look dials a host, takes what is new, and hangs up.
func (m *microsoftHosts) look(ctx context.Context, h *config.MicrosoftHost, x *fetch.Host) (young bool, err error) {
	c := m.s.cfg()
	x.Calls, x.Listings, x.Carriers = c.Microsoft, c.Numbers, nil
	for _, carrier := range c.Carriers {
		x.Carriers = append(x.Carriers, carrier.Name)
	}
	r, err := sftpc.Dial(ctx, h.Dial)
	if err != nil {
		return false, fmt.Errorf("connect to Microsoft's host %s: %w", h.Name, err)
	}
	defer func() { _ = r.Close() }()
	young, err = x.Look(ctx, r)
	if err != nil {
		err = fmt.Errorf("take files from Microsoft's host %s: %w", h.Name, err)
	}
	return young, err
}

// fetched is told of a file that was taken from a host of Microsoft's side.
func (s *Service) fetched(f jobs.HostFile) {
	s.metrics.fetched.WithLabelValues(f.Host).Inc()
	s.Log.Info("taken from Microsoft's host", "host", f.Host, "file", f.Name, "bytes", f.Bytes, "changed", f.Changed)
}
