package engine_test

import (
	"cmp"
	"slices"
	"strings"

	"concord/engine"
)

// pairing runs the passes of section 3. Its lists are sorted.
type pairing struct {
	rules  engine.Rules
	ms, cs []*record
	pairs  []*pair
}

func pairUp(rules engine.Rules, ms, cs []*record) []*pair {
	p := &pairing{rules: rules, ms: ms, cs: cs}
	p.group(engine.PassID, rules.IDWindow.Microseconds(), func(r *record) string { return r.CorrelationID })
	p.group(engine.PassNumbers, rules.StartTolerance.Microseconds(), numberKey)
	p.split()
	for _, condition := range []func(m, c *record) bool{callerHidden, calleeHidden, callersDiffer, calleesDiffer, swapped} {
		p.oneNumber(condition)
	}
	return p.pairs
}

func numberKey(r *record) string {
	if !r.Caller.Plain() || !r.Callee.Plain() {
		return ""
	}
	return r.Caller.Full() + " " + r.Callee.Full()
}

// left returns the records that have no partner yet and satisfy all of keep.
func left(records []*record, keep ...func(*record) bool) (out []*record) {
	for _, r := range records {
		ok := r.pair == nil
		for _, k := range keep {
			ok = ok && k(r)
		}
		if ok {
			out = append(out, r)
		}
	}
	return out
}

func (p *pairing) join(m, c *record, pass engine.Pass) {
	pr := &pair{m, []*record{c}, pass}
	m.pair, c.pair = pr, pr
	p.pairs = append(p.pairs, pr)
}

// group runs assign3 on each group of leftovers with the same key; an empty
// key is none.
func (p *pairing) group(pass engine.Pass, window int64, key func(*record) string) {
	ms, cs := byKey(left(p.ms), key), byKey(left(p.cs), key)
	for k := range ms {
		p.assign3(pass, window, ms[k], cs[k])
	}
}

func byKey(records []*record, key func(*record) string) map[string][]*record {
	groups := map[string][]*record{}
	for _, r := range records {
		groups[key(r)] = append(groups[key(r)], r)
	}
	delete(groups, "")
	return groups
}

func (p *pairing) assign3(pass engine.Pass, window int64, ms, cs []*record) {
	unanswered := func(r *record) bool { return !r.answered() }
	either := func(*record) bool { return true }
	for _, which := range []func(*record) bool{(*record).answered, unanswered, either} {
		for _, mc := range assign(left(ms, which), left(cs, which), window) {
			p.join(mc[0], mc[1], pass)
		}
	}
}

// split is pass 3.
func (p *pairing) split() {
	visit := slices.Clone(p.pairs)
	slices.SortFunc(visit, func(a, b *pair) int {
		return cmp.Or(cmp.Compare(a.m.at, b.m.at), cmp.Compare(a.m.RecordID, b.m.RecordID),
			cmp.Compare(a.m.file, b.m.file), cmp.Compare(a.m.Row, b.m.Row))
	})
	for _, pr := range visit {
		for pr.m.DurationMS-pr.carrierMS() > p.rules.DurationTolerance.Milliseconds() {
			next := p.nextSegment(pr)
			if next == nil {
				break
			}
			next.pair = pr
			pr.segments = append(pr.segments, next)
		}
	}
}

// nextSegment returns the leftover nearest to the end of the last segment,
// the earliest of those equally near, or nil.
func (p *pairing) nextSegment(pr *pair) (nearest *record) {
	first, last := pr.segments[0], pr.segments[len(pr.segments)-1]
	end := last.at + last.DurationMS*1000
	gap := func(c *record) int64 { return abs(c.at - end) }
	belongs := func(c *record) bool {
		return first.CorrelationID != "" && c.CorrelationID == first.CorrelationID ||
			numberKey(first) != "" && numberKey(c) == numberKey(first)
	}
	for _, c := range left(p.cs, (*record).answered, belongs) {
		if gap(c) <= p.rules.SplitGap.Microseconds() && (nearest == nil || gap(c) < gap(nearest)) {
			nearest = c
		}
	}
	return nearest
}

// oneNumber is one sub-pass of pass 4.
func (p *pairing) oneNumber(condition func(m, c *record) bool) {
	ofM, ofC := map[*record][]*record{}, map[*record][]*record{}
	for _, m := range left(p.ms, (*record).answered) {
		for _, c := range left(p.cs, (*record).answered) {
			if condition(m, c) && abs(c.at-m.at) <= p.rules.StartTolerance.Microseconds() &&
				agree(p.rules, m.DurationMS, c.DurationMS) != "" {
				ofM[m] = append(ofM[m], c)
				ofC[c] = append(ofC[c], m)
			}
		}
	}
	for m, cs := range ofM {
		if len(cs) == 1 && len(ofC[cs[0]]) == 1 {
			p.join(m, cs[0], engine.PassOneNumber)
		}
	}
}

func callerHidden(m, c *record) bool {
	return equal(m.Callee, c.Callee) && hidden(m.Caller, c.Caller)
}

func calleeHidden(m, c *record) bool {
	return equal(m.Caller, c.Caller) && hidden(m.Callee, c.Callee)
}

func callersDiffer(m, c *record) bool {
	return equal(m.Callee, c.Callee) && differ(m.Caller, c.Caller)
}

func calleesDiffer(m, c *record) bool {
	return equal(m.Caller, c.Caller) && differ(m.Callee, c.Callee)
}

func swapped(m, c *record) bool {
	return equal(m.Caller, c.Callee) && equal(m.Callee, c.Caller)
}

// equal: present, unmasked and identical.
func equal(a, b engine.Number) bool { return a.Plain() && b.Plain() && a == b }

// differ: present and unmasked on both sides, and not identical.
func differ(a, b engine.Number) bool { return a.Plain() && b.Plain() && a != b }

// hidden: one side's is withheld, or they are masked-compatible.
func hidden(a, b engine.Number) bool {
	if a.Withheld() || b.Withheld() {
		return true
	}
	return (a.Masked() || b.Masked()) && compatible(a.Full(), b.Full())
}

// compatible: the known digits agree and the lengths agree.
func compatible(a, b string) bool {
	known := min(strings.IndexByte(a+"*", '*'), strings.IndexByte(b+"*", '*'))
	return len(a) == len(b) && a[:known] == b[:known]
}
