package api

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// socketName is the local socket in the data folder.
const socketName = "control.sock"

// ErrNotRunning says that no service works on a data folder.
var ErrNotRunning = errors.New("no concord serve is running on this data folder")

// ListenLocal listens in a data folder for programs of the same user and of
// root. A socket that a killed service left is replaced; the caller holds the
// lock of the folder, so that it is of no living one. Closing it removes it.
func ListenLocal(ctx context.Context, dataDir string) (_ net.Listener, err error) {
	// It is made where nobody else can see it, for until its permissions are
	// set others could connect.
	dir, err := os.MkdirTemp(dataDir, ".control-")
	if err != nil {
		return nil, fmt.Errorf("make the local socket: %w", err)
	}
	defer func() {
		if rerr := os.RemoveAll(dir); rerr != nil {
			err = errors.Join(err, fmt.Errorf("make the local socket: %w", rerr))
		}
	}()
	address, done, err := socketAddress(dir)
	if err != nil {
		return nil, fmt.Errorf("make the local socket: %w", err)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "unix", address)
	if err = errors.Join(err, done()); err != nil {
		return nil, fmt.Errorf("listen on the local socket: %w", err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false) // it gets another name
	s := &localListener{Listener: l, name: filepath.Join(dataDir, socketName)}
	made := filepath.Join(dir, socketName)
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, s.name)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("give the local socket its name: %w", err), l.Close())
	}
	return s, nil
}

// localListener removes its socket when it is closed.
type localListener struct {
	net.Listener
	name  string
	once  sync.Once
	cause error
}

// Close ends the listening and removes the socket; a second time it does
// nothing.
func (l *localListener) Close() error {
	l.once.Do(func() {
		err := os.Remove(l.name)
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		l.cause = errors.Join(l.Listener.Close(), err)
	})
	return l.cause
}

// Accept returns the next connection of this user or of root.
func (l *localListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		uid, known := peerUser(conn)
		if !known || uid == 0 || int64(uid) == int64(os.Geteuid()) {
			return conn, nil
		}
		_ = conn.Close() // root gave the socket away
	}
}

// DialLocal connects to the service that works on a data folder;
// ErrNotRunning when there is none. Close the client.
func DialLocal(ctx context.Context, dataDir string) (*Client, error) {
	dial := func(ctx context.Context) (net.Conn, error) {
		address, done, err := socketAddress(dataDir)
		if err != nil {
			return nil, err
		}
		conn, err := new(net.Dialer).DialContext(ctx, "unix", address)
		return conn, errors.Join(err, done())
	}
	conn, err := dial(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, ErrNotRunning
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("reach the service on %s: %w; become the user that runs it, or root", dataDir, err)
	case err != nil:
		return nil, fmt.Errorf("reach the service on %s: %w", dataDir, err)
	}
	if err := conn.Close(); err != nil {
		return nil, fmt.Errorf("reach the service on %s: %w", dataDir, err)
	}
	t := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	return &Client{base: "http://local", where: "the service on " + dataDir, http: &http.Client{Transport: t}}, nil
}
