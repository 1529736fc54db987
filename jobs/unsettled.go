package jobs

import (
	"context"
	"fmt"

	"concord/exchange/landing"
)

// Unsettled implements landing.Taker. The rejected rows of an entry are listed
// again when their CSV is lost.
func (c *Collector) Unsettled(ctx context.Context, carrier string) ([]landing.Answer, error) {
	before, err := c.rejects.list(carrier)
	if err != nil {
		return nil, err
	}
	entries, err := c.o.Ledger.Unsettled(ctx, carrier)
	if err != nil {
		return nil, fmt.Errorf("find the unsettled files of %s: %w", carrier, err)
	}
	if err := c.rejects.sweep(before, entries); err != nil {
		return nil, err
	}
	answers := make([]landing.Answer, 0, len(entries))
	for _, e := range entries {
		a, err := c.answer(ctx, e)
		if err != nil {
			return nil, err
		}
		answers = append(answers, a)
	}
	return answers, nil
}

// rejectedRows returns the path of the CSV of rejected rows of an entry, and
// makes it anew if it is lost; empty: there is none, or no content to make it
// of.
func (c *Collector) rejectedRows(ctx context.Context, e Entry) (string, error) {
	if e.BadRows == 0 {
		return "", nil
	}
	name, err := c.rejects.path(e.Carrier, e.SHA256, e.ID)
	if err != nil || isThere(name) {
		return name, err
	}
	if c.o.Content == nil || !isThere(c.o.Content(e.SHA256)) {
		return "", nil
	}
	return c.listAgain(ctx, e, name)
}

// listAgain makes the CSV of rejected rows of an entry from its content.
func (c *Collector) listAgain(ctx context.Context, e Entry, name string) (string, error) {
	profile, err := c.o.Profile(e.Carrier)
	if err != nil {
		return "", err
	}
	found, err := c.work(ctx, InspectOptions{Path: c.o.Content(e.SHA256), Name: e.Name, Carrier: e.Carrier, Profile: profile, Rejects: name})
	if err != nil {
		return "", err
	}
	if found.BadRows != e.BadRows { // the profile is another one by now, and the receipt would be contradicted
		return "", c.rejects.remove(name)
	}
	return name, nil
}

// Settle implements landing.Taker. The CSV of rejected rows is not needed any
// more.
func (c *Collector) Settle(ctx context.Context, carrier, id string) error {
	if err := c.o.Ledger.Settle(ctx, carrier, id); err != nil {
		return fmt.Errorf("settle %s of %s: %w", id, carrier, err)
	}
	return c.rejects.forget(carrier, id)
}

// Holds implements landing.Taker.
func (c *Collector) Holds(ctx context.Context, sha256 string) (bool, error) {
	held, err := c.o.Ledger.Holds(ctx, sha256)
	if err != nil {
		return false, fmt.Errorf("look for a content: %w", err)
	}
	return held, nil
}
