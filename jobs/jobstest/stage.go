package jobstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"testing"

	"concord/jobs"
)

// Main lets a test program be the worker that a jobs.Worker starts.
func Main(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := jobs.Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Outbox is that of a carrier, in memory: contents by name.
type Outbox map[string]string

// Deliver takes a file whole, in the place of one of its name, or not at all.
func (b Outbox) Deliver(_ context.Context, name string, src io.Reader) error {
	text, err := io.ReadAll(src)
	if err == nil {
		b[name] = string(text)
	}
	return err
}

// Names returns the names in order.
func (b Outbox) Names() []string { return slices.Sorted(maps.Keys(b)) }

// ErrFault is injected.
var ErrFault = errors.New("injected")

// Fault fails one operation of many: before it has any effect, or after it.
type Fault struct {
	At    int // of which the first is 1
	After bool
	N     int // operations so far
}

// Do does an operation, or seems to.
func (f *Fault) Do(op func() error) error {
	f.N++
	if f.N != f.At {
		return op()
	}
	if f.After {
		return errors.Join(op(), ErrFault)
	}
	return ErrFault
}
