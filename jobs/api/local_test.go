package api_test

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"concord/jobs"
	"concord/jobs/api"
)

// serveLocal serves a world on the socket of a folder until stop is called.
func serveLocal(t *testing.T, w *world, dir string) (stop func()) {
	t.Helper()
	l, err := api.ListenLocal(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	o := w.opts
	o.Local, o.Tokens, o.Log = true, nil, slog.New(slog.DiscardHandler)
	s := &http.Server{Handler: api.Handler(o), ConnContext: api.ConnContext}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			t.Error(err)
		}
	})
	return func() {
		_ = s.Close()
		wg.Wait()
		_ = l.Close()
	}
}

func TestOverTheLocalSocketTheUserCounts(t *testing.T) {
	w := newWorld(t)
	deep := filepath.Join(t.TempDir(), strings.Repeat("a-long-name-", 12))
	if err := os.Mkdir(deep, 0o750); err != nil {
		t.Fatal(err)
	}
	dirs := []string{t.TempDir()}
	if runtime.GOOS == "linux" {
		dirs = append(dirs, deep) // no socket has a path of this length
	}
	for _, dir := range dirs {
		if _, err := api.DialLocal(t.Context(), dir); !errors.Is(err, api.ErrNotRunning) {
			t.Fatalf("nobody serves, and yet: %v", err)
		}
		stop := serveLocal(t, w, dir)
		c, err := api.DialLocal(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Reload(t.Context(), "somebody else"); err != nil {
			t.Error(err)
		}
		rows, err := c.Audit(t.Context(), jobs.AuditFilter{Limit: 1})
		me, uerr := user.Current()
		if err != nil || uerr != nil || runtime.GOOS == "linux" && rows[0].Who != "local:"+me.Username {
			t.Errorf("it was done by %q, %v", rows[0].Who, err)
		}
		info, err := os.Stat(filepath.Join(dir, "control.sock"))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the socket has %v, %v", info.Mode(), err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		stop()
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("a service that ended left %v, %v", left, err)
		}
	}
}

func TestTheSocketOfAKilledServiceIsReplaced(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	l, err := net.Listen("unix", filepath.Join(dir, "control.sock"))
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // as a kill would
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := api.DialLocal(t.Context(), dir); !errors.Is(err, api.ErrNotRunning) {
		t.Fatalf("got %v", err)
	}
	defer serveLocal(t, w, dir)()
	c, err := api.DialLocal(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if _, err := c.Jobs(t.Context()); err != nil {
		t.Error(err)
	}
}
