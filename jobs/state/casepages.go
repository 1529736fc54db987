package state

import (
	"context"
	"slices"
	"strings"
)

// groupsAtOnce is how many small groups are asked for their cases at once.
const groupsAtOnce = 200

// part is a group, or small ones, of which the cases are read in the order of
// their ids, the greatest first.
type part struct {
	groups []any
	n      int    // how many to read at once; 0: all
	below  string // what comes next; empty: the greatest
	ended  bool
}

// list returns the cases of some groups of one period, those with the greatest
// ids first, below one and up to a limit. Ids are hashes, so each group is likely
// to have its share of a page; where it has more, it is read on.
func (s *groups) list(ctx context.Context, of []*group, below string, limit int) (list []registered, err error) {
	parts := partsOf(of, below, limit)
	for i := range parts {
		if list, err = s.readOn(ctx, &parts[i], list); err != nil {
			return nil, err
		}
	}
	for {
		slices.SortFunc(list, func(a, b registered) int { return strings.Compare(b.CaseID, a.CaseID) })
		p := behind(parts)
		if limit > 0 && len(list) >= limit && (p == nil || p.below <= list[limit-1].CaseID) {
			return list[:limit], nil
		}
		if p == nil {
			return list, nil
		}
		if list, err = s.readOn(ctx, p, list); err != nil {
			return nil, err
		}
	}
}

// partsOf deals groups out to parts.
func partsOf(of []*group, below string, limit int) (parts []part) {
	total := int64(0)
	for _, g := range of {
		total += g.Cases
	}
	var small []any
	for _, g := range of {
		if limit == 0 || g.Cases <= int64(limit) {
			small = append(small, g.seq)
			continue
		}
		share := int64(limit) * g.Cases / total
		parts = append(parts, part{groups: []any{g.seq}, n: min(int(share*9/8)+10, limit), below: below})
	}
	for seqs := range slices.Chunk(small, groupsAtOnce) {
		parts = append(parts, part{groups: seqs, n: limit, below: below})
	}
	return parts
}

// behind returns the part that was read the least far; nil: all have ended.
func behind(parts []part) (p *part) {
	for i := range parts {
		if x := &parts[i]; !x.ended && (p == nil || x.below > p.below) {
			p = x
		}
	}
	return p
}

func (s *groups) readOn(ctx context.Context, p *part, list []registered) ([]registered, error) {
	var w where
	w.add("r.in_group IN "+marks(len(p.groups)), p.groups...)
	if p.below != "" {
		w.add("r.case_id < ?", p.below)
	}
	n := 0
	err := s.query(ctx, func(scan func(...any) error) error {
		var c registered
		err := c.scan(scan, func(seq int64) *group { return s.bySeq[seq] })
		list, p.below = append(list, c), c.CaseID
		n++
		return err
	}, "SELECT "+rowColumns+" FROM case_register r"+w.text()+" ORDER BY r.case_id DESC"+w.limit(p.n), w.args...)
	p.ended = p.n == 0 || n < p.n
	return list, err
}
