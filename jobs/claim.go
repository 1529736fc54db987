package jobs

import (
	"fmt"
	"slices"

	"concord/exchange/landing"
)

// claim is one file that is whole or will never be, before it is compared
// with those that the carrier has sent.
type claim struct {
	// entry is what it comes to if it is good and nothing before it matters.
	entry Entry
	// fault is why it is rejected whatever came before; empty: it is good.
	fault string
	// marked and reuse say how it may be a correction: by its name, or because
	// every number that is used again is one.
	marked, reuse bool
	// how tells the carrier how to mark a correction; empty: there is no way.
	how string
}

// decide is the rule of what becomes of a file, given what is known.
func (c *claim) decide(k Known) Entry {
	e := c.outcome(k)
	e.Erased = k.Erased
	return e
}

func (c *claim) outcome(k Known) Entry {
	switch {
	case c.repeats(k):
		return c.duplicate(k)
	case k.Erased != "":
		return c.rejected("this content was removed at a person's request, and is not taken again: leave out what it is about, and send the rest in a file of its own")
	case c.fault != "":
		return c.rejected(c.fault)
	case c.numberTaken(k) && !c.marked && !c.reuse:
		return c.rejected(c.takenReason(k.Number))
	}
	return c.accepted(k)
}

// repeats says whether the content is there already. Files without rows are
// all alike: only one of the same number, or name, is a repetition.
func (c *claim) repeats(k Known) bool {
	switch e := k.Content; {
	case e == nil:
		return false
	case e.Rows > 0:
		return true
	case c.entry.Sequence != nil:
		return sameNumber(c.entry.Sequence, e.Sequence)
	default:
		return e.Name == c.entry.Name
	}
}

func sameNumber(a, b *int64) bool { return a != nil && b != nil && *a == *b }

// numberTaken says whether a file with rows has the same number.
func (c *claim) numberTaken(k Known) bool {
	return c.entry.Sequence != nil && k.Number != nil && k.Number.Rows > 0
}

func (c *claim) takenReason(by *Entry) string {
	s := fmt.Sprintf("the sequence number %d was used before, by %s with other content: give this file a number of its own", *c.entry.Sequence, by.Name)
	if c.how == "" {
		return s
	}
	return s + ", or, if it corrects that file, " + c.how
}

// duplicate is the entry of content that is there already: nothing of it
// counts.
func (c *claim) duplicate(k Known) Entry {
	e, first := c.entry, k.Content
	e.Status = landing.StatusDuplicate
	e.Accepted, e.Rejected, e.Filtered, e.DurationMS = 0, 0, 0, 0
	e.BadRows, e.Reasons, e.MoreReasons, e.Notes = 0, nil, 0, nil
	e.DuplicateOf, e.DuplicateOfID = first.Name, first.ID
	switch same := sameNumber(e.Sequence, first.Sequence); {
	case same && k.Number != nil && k.Number.ID != first.ID:
		e.Notes = append(e.Notes, fmt.Sprintf("%s was replaced by %s since, which still counts", first.Name, k.Number.Name))
	case e.Sequence != nil && !same && k.Number == nil:
		e.Notes = append(e.Notes, fmt.Sprintf("the rows of sequence number %d have not arrived", *e.Sequence))
	}
	return e
}

// rejected is the entry of a file of which nothing counts, because of why. Its
// bad rows are told only when they are what is wrong with it.
func (c *claim) rejected(why string) Entry {
	e := c.entry
	e.Status = landing.StatusRejected
	e.Accepted, e.Rejected, e.DurationMS = 0, e.Rows-e.Filtered, 0
	reasons := []landing.Reason{{Reason: why}}
	if c.fault == "" {
		e.Reasons, e.MoreReasons, e.BadRows = nil, 0, 0
	}
	e.Reasons = append(reasons, e.Reasons...)
	return e
}

// accepted is the entry of a file that counts.
func (c *claim) accepted(k Known) Entry {
	e := c.entry
	e.Notes = slices.Clone(e.Notes)
	e.Status = landing.StatusAccepted
	if e.Rejected > 0 {
		e.Status = landing.StatusPartly
	}
	if e.Sequence == nil {
		return e
	}
	c.replace(&e, k.Number)
	if k.Highest != nil && *e.Sequence > *k.Highest+1 {
		e.Missing = []landing.Range{{From: *k.Highest + 1, To: *e.Sequence - 1}}
	}
	return e
}

// replace notes what the file takes the place of.
func (c *claim) replace(e, before *Entry) {
	switch {
	case before == nil && c.marked:
		e.Notes = append(e.Notes, fmt.Sprintf("no earlier file has the sequence number %d: there was nothing to correct", *e.Sequence))
	case before == nil:
	case before.Rows == 0 && !c.marked:
		e.Notes = append(e.Notes, fmt.Sprintf("it takes the place of %s, which had nothing to report", before.Name))
	default:
		e.Replaces, e.ReplacesID = before.Name, before.ID
	}
}
