package service

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"time"

	"concord/exchange/httpd"

	"golang.org/x/net/netutil"
)

// counterConnections is how many there may be of carriers that use HTTP.
const counterConnections = 1024

// openCounter opens the server for carriers that use HTTP.
func (r *reception) openCounter(ctx context.Context) (err error) {
	if addr := r.s.cfg().CarrierHTTP.Listen; addr != "" {
		if r.http, err = new(net.ListenConfig).Listen(ctx, "tcp", addr); err != nil {
			return fmt.Errorf("listen for carriers over HTTP: %w", err)
		}
	}
	return nil
}

// serveCounter answers carriers over HTTP until ctx ends.
func (r *reception) serveCounter(ctx context.Context) error {
	srv := &http.Server{
		Handler:           httpd.Handler(httpd.Options{Accounts: r, Audit: r.s.counted, Now: r.s.Now, Rows: postedRows{r.s}}),
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(errorLines{r.s.Log}, "", 0),
	}
	served := make(chan error, 1)
	go func() { served <- r.runCounter(srv) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve carriers over HTTP: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
	defer cancel()
	if srv.Shutdown(end) != nil {
		_ = srv.Close()
	}
	<-served
	return nil
}

func (r *reception) runCounter(srv *http.Server) error {
	l := netutil.LimitListener(r.http, counterConnections)
	if r.s.cfg().CarrierHTTP.TLS == nil {
		return srv.Serve(l)
	}
	srv.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		if c := r.s.cfg().CarrierHTTP.TLS; c != nil {
			return c, nil
		}
		return nil, errors.New("the configuration has no certificate any more")
	}}
	return srv.ServeTLS(l, "", "")
}

// ByToken implements httpd.Accounts.
func (r *reception) ByToken(sum [sha256.Size]byte) (httpd.Account, bool) {
	now := r.s.Now()
	for _, c := range r.s.cfg().Carriers {
		for _, t := range c.Tokens {
			if t.SHA256 != sum || !t.Expires.IsZero() && !now.Before(t.Expires) {
				continue
			}
			if d, _, ok := r.desk(c.Name); ok {
				return httpd.Account{Name: c.Name, Home: d.home}, true
			}
		}
	}
	return httpd.Account{}, false
}

// counted logs what carriers do over HTTP.
func (s *Service) counted(e httpd.Event) {
	s.metrics.counted(e)
	level := slog.LevelInfo
	switch e.Act {
	case httpd.ActRefused:
		level = slog.LevelWarn
	case httpd.ActFault:
		level = slog.LevelError
	}
	args := []any{"act", string(e.Act), "address", e.Address}
	for _, x := range []struct{ key, value string }{{"carrier", e.Carrier}, {"name", e.Name}, {"why", e.Why}} {
		if x.value != "" {
			args = append(args, x.key, x.value)
		}
	}
	s.Log.Log(context.Background(), level, "http", append(args, "bytes", e.Bytes)...)
}

// CarrierHTTP returns where carriers reach the service over HTTP; nil: nowhere.
func (s *Service) CarrierHTTP() net.Addr {
	r := s.reception()
	if r == nil || r.http == nil {
		return nil
	}
	return r.http.Addr()
}
