package sftpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/exchange/sftpc"
)

// room is a client and a host in a bubble, in which time passes at once and a
// goroutine left behind is a failure.
type room struct {
	*sftpc.Client
	net    *exchangetest.Network
	server *exchangetest.SSHServer
}

func bubble(t *testing.T, s *exchangetest.SSHServer, test func(t *testing.T, r room)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if s.SFTP == nil {
			s.SFTP = inMemory
		}
		n := exchangetest.NewNetwork(5 * time.Millisecond)
		c, err := sftpc.Dial(t.Context(), config(s, n))
		if err != nil {
			t.Fatal(err)
		}
		test(t, room{c, n, s})
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		n.Cut()
		s.Wait()
	})
}

// calls are one of each.
var calls = map[string]func(ctx context.Context, r exchange.Remote) error{
	"list": func(ctx context.Context, r exchange.Remote) error {
		_, err := r.List(ctx, "")
		return err
	},
	"stat": func(ctx context.Context, r exchange.Remote) error {
		_, err := r.Stat(ctx, "a")
		return err
	},
	"put": func(ctx context.Context, r exchange.Remote) error {
		return r.Put(ctx, "b", bytes.NewReader(make([]byte, 8<<20)))
	},
	"get":    func(ctx context.Context, r exchange.Remote) error { return r.Get(ctx, "a", io.Discard, 0) },
	"rename": func(ctx context.Context, r exchange.Remote) error { return r.Rename(ctx, "a", "b") },
	"remove": func(ctx context.Context, r exchange.Remote) error { return r.Remove(ctx, "a") },
}

// within checks that a call failed in time.
func within(t *testing.T, start time.Time, most time.Duration, err error) {
	t.Helper()
	if took := time.Since(start); err == nil || took > most {
		t.Errorf("after %v, %v at most: %v", took, most, err)
	}
}

func TestACallDoesNotOutliveItsContext(t *testing.T) {
	for name, call := range calls {
		for _, after := range []time.Duration{0, 7 * time.Millisecond, 12 * time.Millisecond, 3 * time.Second} {
			t.Run(name+" after "+after.String(), func(t *testing.T) {
				bubble(t, &exchangetest.SSHServer{}, func(t *testing.T, r room) {
					if err := r.Put(t.Context(), "a", bytes.NewReader(make([]byte, 8<<20))); err != nil {
						t.Fatal(err)
					}
					ctx, cancel := context.WithCancel(t.Context())
					time.AfterFunc(after, func() {
						r.net.Freeze()
						cancel()
					})
					if after > time.Second {
						r.net.Freeze()
					}
					start := time.Now()
					err := call(ctx, r)
					if err == nil && time.Since(start) < after {
						return // it was faster
					}
					within(t, start, after+2*time.Second, err)
					if !errors.Is(err, context.Canceled) {
						t.Errorf("error %v", err)
					}
				})
			})
		}
	}
}

func TestASilentHostIsNotWaitedFor(t *testing.T) {
	for name, call := range calls {
		t.Run(name, func(t *testing.T) {
			bubble(t, &exchangetest.SSHServer{}, func(t *testing.T, r room) {
				if err := r.Put(t.Context(), "a", bytes.NewReader(make([]byte, 8<<20))); err != nil {
					t.Fatal(err)
				}
				r.net.Freeze()
				start := time.Now()
				err := call(t.Context(), r)
				within(t, start, 75*time.Second, err)
				if errors.Is(err, exchange.ErrPermanent) {
					t.Errorf("permanent: %v", err)
				}
				start = time.Now()
				within(t, start, 0, call(t.Context(), r))
			})
		})
	}
}

func TestAnIdleConnectionIsWatched(t *testing.T) {
	for _, deaf := range []bool{false, true} {
		bubble(t, &exchangetest.SSHServer{Deaf: deaf}, func(t *testing.T, r room) {
			start := time.Now()
			select {
			case <-r.Done():
			case <-time.After(time.Hour):
			}
			alive := time.Since(start) >= time.Hour
			if alive == deaf || deaf && time.Since(start) > 61*time.Second {
				t.Errorf("deaf: %v; ended after %v", deaf, time.Since(start))
			}
			if err := calls["list"](t.Context(), r); (err == nil) == deaf || deaf && !strings.Contains(err.Error(), "silent") {
				t.Errorf("deaf: %v; list: %v", deaf, err)
			}
		})
	}
}

func TestAHostThatHangsBehindItsKeepalivesIsNotWaitedFor(t *testing.T) {
	hangs := func(ch ssh.Channel) {
		h := sftp.InMemHandler()
		h.FileList = hanging{}
		serve(ch, h)
	}
	bubble(t, &exchangetest.SSHServer{SFTP: hangs}, func(t *testing.T, r room) {
		start := time.Now()
		err := calls["stat"](t.Context(), r)
		within(t, start, 75*time.Second, err)
		if !strings.Contains(err.Error(), "not answered") {
			t.Errorf("error %v", err)
		}
	})
}

// hanging answers after two hours.
type hanging struct{}

func (hanging) Filelist(*sftp.Request) (sftp.ListerAt, error) {
	time.Sleep(2 * time.Hour)
	return nil, os.ErrNotExist
}

func (h hanging) Lstat(r *sftp.Request) (sftp.ListerAt, error) { return h.Filelist(r) }

func TestSlowIsNotSilent(t *testing.T) {
	content := exchangetest.Content(3 << 20)
	bubble(t, &exchangetest.SSHServer{}, func(t *testing.T, r room) {
		slow := bytes.NewReader(content)
		err := r.Put(t.Context(), "a", readerFunc(func(p []byte) (int, error) {
			if slow.Len()%(1<<20) == 0 {
				time.Sleep(5 * time.Minute)
			}
			return slow.Read(p)
		}))
		if err != nil {
			t.Fatalf("a slow source: %v", err)
		}
		var got bytes.Buffer
		err = r.Get(t.Context(), "a", writerFunc(func(p []byte) (int, error) {
			if got.Len()%(1<<20) == 0 {
				time.Sleep(5 * time.Minute)
			}
			return got.Write(p)
		}), 0)
		if err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("a slow destination: %v, %d bytes", err, got.Len())
		}
	})
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestADistantHostIsUsable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &exchangetest.SSHServer{SFTP: inMemory}
		n := exchangetest.NewNetwork(time.Second) // by way of a few satellites
		c, err := sftpc.Dial(t.Context(), config(s, n))
		if err != nil {
			t.Fatal(err)
		}
		content, start := exchangetest.Content(8<<20), time.Now()
		if err := exchange.Publish(t.Context(), c, "a", bytes.NewReader(content), int64(len(content))); err != nil {
			t.Fatal(err)
		}
		// Four windows, and open, close, look and rename.
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("256 packets took %v at a round trip of 2s", took)
		}
		start = time.Now()
		if err := c.Get(t.Context(), "a", io.Discard, 0); err != nil || time.Since(start) > 30*time.Second {
			t.Errorf("256 packets took %v at a round trip of 2s: %v", time.Since(start), err)
		}
		c.Close()
		s.Wait()
	})
}

func TestACancelledPushTidiesUp(t *testing.T) {
	bubble(t, &exchangetest.SSHServer{}, func(t *testing.T, r room) {
		ctx, cancel := context.WithCancel(t.Context())
		reads := 0
		endless := readerFunc(func(p []byte) (int, error) {
			if reads++; reads == 50 {
				cancel()
			}
			return len(p), nil
		})
		err := exchange.Publish(ctx, r, "a", endless, 1<<40)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		if left, err := r.List(t.Context(), ""); err != nil || len(left) > 0 {
			t.Errorf("left behind: %+v, %v", left, err)
		}
	})
}
