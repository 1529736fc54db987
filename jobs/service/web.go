package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"concord/jobs"
	"concord/jobs/accounts"
	"concord/jobs/api"
	"concord/jobs/config"
	"concord/jobs/console"
	"concord/jobs/control"
)

// web is where people and programs ask: over the network with tokens, and over
// a socket in the data folder, which only its owner can open.
type web struct {
	s      *Service
	listen net.Listener // nil: none
	// accounts are those of the people who log in to the console.
	accounts *accounts.Accounts
	local    net.Listener // of a service that has the exchange from the beginning
}

func (s *Service) openWeb(ctx context.Context) (_ *web, err error) {
	w := &web{s: s, accounts: accounts.New(accounts.Options{Config: s.cfg, Note: s.store.Note, Log: s.Log, Now: s.Now})}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	if addr := s.cfg().HTTP.Listen; addr != "" {
		if w.listen, err = new(net.ListenConfig).Listen(ctx, "tcp", addr); err != nil {
			return nil, fmt.Errorf("listen for HTTP: %w", err)
		}
	}
	if s.leads() {
		w.local, err = api.ListenLocal(ctx, s.cfg().Data)
	}
	return w, err
}

// HTTP returns where the server for people and programs listens; nil: there is
// none.
func (s *Service) HTTP() net.Addr {
	if s.web == nil || s.web.listen == nil {
		return nil
	}
	return s.web.listen.Addr()
}

// Desk returns the operations of this service.
func (s *Service) Desk() *control.Desk {
	return &control.Desk{
		Queue: s.store, Pauses: s.store, Noting: func(r jobs.AuditRow) control.Changes { return s.store.Noted(r) }, Archive: s.store, Ledger: s.store, Alarms: s.store, Trail: s.store, Coverage: s.store, Deliveries: s.store, Chain: s.store, Book: s.store, SignedOff: s.store,
		Config: s.cfg, Now: s.Now, Keys: s.keys(), Folder: ReportsFolder(s.cfg()), Reach: s.reach,
		Foresee:  s.purger.Foresee,
		Subjects: s.subjects, Requests: s.store, WakeErase: func() { signal(s.wakeErase) },
		Wake: s.rouse, Reloading: s.Reload, Progress: s.progress.of, Log: s.progress.log, Waiting: s.waitingOf,
		Reader: s.Worker, Scratch: s.dir(previewsDir),
	}
}

// reach is how far beyond a period the records lie that a run reads.
func (s *Service) reach(carrier string) time.Duration {
	p, err := s.rules(carrier)
	if err != nil {
		return 0
	}
	return jobs.RecordsReach(p.Rules)
}

// drain is how long a request may take to end when the service stops.
const drain = 5 * time.Second

// serve answers over the network until ctx ends.
func (w *web) serve(ctx context.Context, stop context.CancelCauseFunc) {
	if w.listen != nil {
		w.answer(ctx, w.listen, false, stop)
	}
}

// serveLocal answers over the socket in the data folder until ctx ends.
func (w *web) serveLocal(ctx context.Context, stop context.CancelCauseFunc) {
	l := w.local
	if l == nil {
		var err error
		if l, err = api.ListenLocal(ctx, w.s.cfg().Data); err != nil {
			if ctx.Err() == nil {
				stop(err)
			}
			return
		}
	}
	w.answer(ctx, l, true, stop)
}

func (w *web) answer(ctx context.Context, l net.Listener, local bool, stop context.CancelCauseFunc) {
	srv := w.server(local)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.run(srv, l, local); !errors.Is(err, http.ErrServerClosed) {
			stop(fmt.Errorf("serve HTTP: %w", err))
		}
	})
	<-ctx.Done()
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if srv.Shutdown(end) != nil {
		_ = srv.Close()
	}
	wg.Wait()
}

func (w *web) server(local bool) *http.Server {
	s := w.s
	return &http.Server{
		Handler:           w.handler(local),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute,
		MaxHeaderBytes: 64 << 10, ConnContext: api.ConnContext,
		ErrorLog: log.New(errorLines{s.Log}, "", 0),
	}
}

// handler answers the API and, over the network, the console beside it.
func (w *web) handler(local bool) http.Handler {
	s := w.s
	programs := api.Handler(api.Options{
		Operations: s.Desk(), Tokens: func() []config.Token { return s.cfg().HTTP.Tokens }, Local: local, Note: s.store.Note,
		Metrics: s.metrics.handler(), Ready: s.ready, Log: s.Log, Now: s.Now,
	})
	if local {
		return programs
	}
	people := console.Handler(console.Options{Desk: s.Desk(), Accounts: w.accounts, Door: w.door(), Note: s.store.Note, Log: s.Log, Now: s.Now})
	mux := http.NewServeMux()
	mux.Handle("/", programs)
	mux.Handle(console.Root, people)
	mux.Handle("GET /{$}", http.RedirectHandler(console.Root, http.StatusSeeOther))
	return mux
}

// door says how browsers reach the console: in clear over loopback only, which
// the configuration sees to.
func (w *web) door() accounts.Door {
	h := w.s.cfg().HTTP
	return accounts.Door{Secure: h.TLS != nil || h.BehindProxy, BehindProxy: h.BehindProxy}
}

// errorLines are what the server for HTTP says of connections that failed,
// without what was sent over them.
type errorLines struct{ log *slog.Logger }

// Write implements io.Writer.
func (e errorLines) Write(p []byte) (int, error) {
	e.log.Debug("http", "error", string(p))
	return len(p), nil
}

func (w *web) run(srv *http.Server, l net.Listener, local bool) error {
	if w.s.cfg().HTTP.TLS == nil || local {
		return srv.Serve(l)
	}
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: w.certificate}
	return srv.ServeTLS(l, "", "")
}

// certificate is the one of the configuration as it is now.
func (w *web) certificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	if c := w.s.cfg().HTTP.TLS; c != nil {
		return c, nil
	}
	return nil, errors.New("the configuration has no certificate any more")
}

// ready reports whether the service can do its work.
func (s *Service) ready(ctx context.Context) error { return s.store.Ping(ctx) }

func (w *web) close() error {
	var errs []error
	for _, l := range []net.Listener{w.listen, w.local} {
		if l == nil {
			continue
		}
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}
