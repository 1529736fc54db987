package exchangetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"concord/exchange"
)

// Mem is a Remote in memory. Its folders are where its files are. What a Put has
// written so far can be seen, as on a real host. Its clock moves by a second
// with each change.
type Mem struct {
	mu    sync.Mutex
	files map[string]file
	clock time.Time
}

type file struct {
	data []byte
	time time.Time
}

// NewMem returns an empty remote.
func NewMem() *Mem {
	return &Mem{files: map[string]file{}, clock: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// Names returns the names of all files, sorted.
func (m *Mem) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files))
}

// Bytes returns the content of a file, and whether it is there.
func (m *Mem) Bytes(name string) ([]byte, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[name]
	return bytes.Clone(f.data), ok
}

// List implements exchange.Remote.
func (m *Mem) List(ctx context.Context, dir string) ([]exchange.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	prefix := strings.TrimPrefix(path.Clean("/"+dir)+"/", "/")
	found := map[string]exchange.Entry{}
	for name, f := range m.files {
		rest, below := strings.CutPrefix(name, strings.TrimPrefix(prefix, "/"))
		base, _, deeper := strings.Cut(rest, "/")
		switch {
		case !below:
		case deeper:
			found[base] = exchange.Entry{Name: base, Type: fs.ModeDir}
		default:
			found[base] = entry(name, f)
		}
	}
	if len(found) == 0 && prefix != "" && prefix != "/" {
		return nil, missing("list", dir)
	}
	return slices.SortedFunc(maps.Values(found), func(a, b exchange.Entry) int {
		return strings.Compare(a.Name, b.Name)
	}), ctx.Err()
}

func entry(name string, f file) exchange.Entry {
	return exchange.Entry{Name: path.Base(name), Size: int64(len(f.data)), Time: f.time}
}

func missing(verb, name string) error {
	return exchange.Permanent(fmt.Errorf("%s %s: %w", verb, name, fs.ErrNotExist))
}

// find returns the file for an operation on it.
func (m *Mem) find(ctx context.Context, verb, name string) (file, error) {
	f, ok := m.files[name]
	switch {
	case ctx.Err() != nil:
		return f, ctx.Err()
	case !ok:
		return f, missing(verb, name)
	}
	return f, nil
}

// Stat implements exchange.Remote.
func (m *Mem) Stat(ctx context.Context, name string) (exchange.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.find(ctx, "look at", name)
	if err != nil {
		return exchange.Entry{}, err
	}
	return entry(name, f), nil
}

// Put implements exchange.Remote.
func (m *Mem) Put(ctx context.Context, name string, src io.Reader) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.change(name, func([]byte) []byte { return nil })
	for buf := make([]byte, 1000); ; {
		n, err := src.Read(buf)
		m.change(name, func(b []byte) []byte { return append(b, buf[:n]...) })
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case ctx.Err() != nil:
			return ctx.Err()
		}
	}
}

func (m *Mem) change(name string, to func([]byte) []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.clock = m.clock.Add(time.Second)
	m.files[name] = file{to(m.files[name].data), m.clock}
}

// Get implements exchange.Remote.
func (m *Mem) Get(ctx context.Context, name string, dst io.Writer, from int64) error {
	m.mu.Lock()
	f, err := m.find(ctx, "read", name)
	m.mu.Unlock()
	if err != nil {
		return err
	}
	for part := range slices.Chunk(f.data[min(from, int64(len(f.data))):], 1000) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := dst.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// Rename implements exchange.Remote.
func (m *Mem) Rename(ctx context.Context, from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.find(ctx, "rename", from)
	if err == nil {
		delete(m.files, from)
		m.files[to] = f
	}
	return err
}

// Remove implements exchange.Remote.
func (m *Mem) Remove(ctx context.Context, name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, err := m.find(ctx, "remove", name)
	if err == nil {
		delete(m.files, name)
	}
	return err
}

// SHA256 implements exchange.Hasher.
func (m *Mem) SHA256(ctx context.Context, name string) ([32]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, err := m.find(ctx, "hash", name)
	return sha256.Sum256(f.data), err
}
