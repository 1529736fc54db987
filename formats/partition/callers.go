package partition

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"concord/engine"
	"concord/engine/spill"
)

// Callers know which carriers have calls of a correlation id, which is what
// Microsoft calls the call record of a call.
type Callers struct {
	sorter *spill.Sorter
	next   func() (spill.Entry, error, bool)
	stop   func()

	id    string // that the cursor stands at
	at    int
	some  bool // whether a carrier has it
	other bool // and another one has it, too
	ahead spill.Entry
	more  bool
}

// NewCallers returns Callers that know of no call. Memory is in bytes; what
// does not fit goes to scratch.
func NewCallers(scratch spill.Scratch, memory int) *Callers {
	return &Callers{sorter: spill.NewSorter(scratch, memory)}
}

// Add takes in the calls of a carrier, by its place in Options.Carriers.
func (c *Callers) Add(ctx context.Context, carrier int, src engine.Source) error {
	dst := make([]engine.Call, batchCalls)
	for {
		p, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := errors.Join(c.part(ctx, carrier, p, dst), p.Close()); err != nil {
			return err
		}
	}
}

func (c *Callers) part(ctx context.Context, carrier int, p engine.Part, dst []engine.Call) error {
	var key []byte
	last := ""
	for {
		n, err := p.Read(ctx, dst)
		for i := range dst[:n] {
			id := strings.ToLower(dst[i].CorrelationID)
			if id == "" || id == last || strings.IndexByte(id, 0) >= 0 {
				continue
			}
			last = strings.Clone(id)
			key = binary.BigEndian.AppendUint32(append(append(key[:0], id...), 0), uint32(carrier))
			if err := c.sorter.Add(key, nil); err != nil {
				return fmt.Errorf("sort correlation ids: %w", err)
			}
		}
		_, isRow := errors.AsType[*engine.RowError](err)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !isRow:
			return err
		}
	}
}

// owner returns the only carrier that has calls of an id, and whether any has.
// Ids are asked for in ascending order. Of an id that several carriers have
// nobody is the owner: what is shown to one of them might be the other's.
func (c *Callers) owner(id string) (at int, only, some bool, err error) {
	if c.next == nil {
		c.next, c.stop = iter.Pull2(spill.Sorted(c.sorter))
		if err := c.advance(); err != nil {
			return 0, false, false, err
		}
	}
	for c.more {
		key := string(c.ahead.Key[:len(c.ahead.Key)-5])
		if key > id {
			break
		}
		carrier := int(binary.BigEndian.Uint32(c.ahead.Key[len(c.ahead.Key)-4:]))
		if key != c.id || !c.some {
			c.id, c.at, c.some, c.other = key, carrier, true, false
		}
		c.other = c.other || carrier != c.at
		if err := c.advance(); err != nil {
			return 0, false, false, err
		}
	}
	if !c.some || c.id != id {
		return 0, false, false, nil
	}
	return c.at, !c.other, true, nil
}

func (c *Callers) advance() (err error) {
	c.ahead, err, c.more = c.next()
	if err != nil {
		return fmt.Errorf("sort correlation ids: %w", err)
	}
	return nil
}

// Close releases what is held.
func (c *Callers) Close() error {
	if c.stop != nil {
		c.stop()
	}
	return c.sorter.Close()
}
