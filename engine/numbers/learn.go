package numbers

// Learn returns what is known of one line in one source after a listing as of
// a time: known is what was known before, said what the listing says of the
// line. Both lie in the order of their beginnings; asOf is not before the
// listing that known comes from.
//
// Without a beginning, the listing says that the line is assigned now: what
// was known goes on if it is the same, and else ends at asOf, when the new
// begins. Nothing said ends what was known. Assignments with a beginning are
// what is true from the first of these on, whatever was known of that time;
// what was known of the time before stays. An end that is still to come is
// none yet.
func Learn(known, said []Assignment, asOf int64) []Assignment {
	switch {
	case len(said) == 0:
		return end(known, asOf)
	case said[0].From == Unsaid:
		return present(known, said[0], asOf)
	}
	next := make([]Assignment, 0, len(known)+len(said))
	for _, k := range known {
		if k.To = min(k.To, said[0].From); k.From < k.To {
			next = append(next, k)
		}
	}
	for _, s := range said {
		if s.To > asOf {
			s.To = Open
		}
		next = append(next, s)
	}
	return next
}

// end ends what is still valid.
func end(known []Assignment, asOf int64) []Assignment {
	next := make([]Assignment, 0, len(known)+1)
	for _, k := range known {
		if k.To == Open {
			k.To = asOf
		}
		if k.From < k.To { // else it was never true
			next = append(next, k)
		}
	}
	return next
}

func present(known []Assignment, said Assignment, asOf int64) []Assignment {
	if n := len(known); n > 0 && known[n-1].To == Open && known[n-1].Facts == said.Facts {
		return known
	}
	said.From, said.To = asOf, Open
	return append(end(known, asOf), said)
}
