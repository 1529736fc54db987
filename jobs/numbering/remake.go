package numbering

import (
	"context"
	"fmt"

	"concord/jobs"
)

// Remade is what is remembered of deliveries, for those that are made anew.
type Remade interface {
	RemakeDelivery(ctx context.Context, d jobs.NumbersDelivery) error
}

// Remake makes the files of a delivery anew by what is known now, after a number
// was erased, and puts those into the outbox that lie there still: there says
// which. Their names stay; the number is in none of them, and a change that told
// of it is told no more.
func (c *Clerk) Remake(ctx context.Context, s Remade, x jobs.NumbersDelivery, to Outbox, there func(name string) bool) error {
	d := &desk{Clerk: c, run: jobs.Run{Carrier: x.Carrier}}
	return d.making(x, func(m *maker) error {
		if err := m.write(ctx); err != nil {
			return err
		}
		if err := s.RemakeDelivery(ctx, m.NumbersDelivery); err != nil {
			return err
		}
		for _, f := range m.Files {
			if !there(f.Name) {
				continue
			}
			if err := m.hand(ctx, to, f.Name); err != nil {
				return fmt.Errorf("deliver numbers to %s once more: %w", m.Carrier, err)
			}
		}
		return nil
	})
}
