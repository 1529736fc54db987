package page

// balances is what a table of days or countries shows.
type balances struct {
	Head  string
	List  []Named
	Total Balance
}

// DayTable is the table of days.
func (v view) DayTable() balances { return balances{"Day", v.Days, v.Totals} }

// CountryTable is the table of countries, the largest difference first.
func (v view) CountryTable() balances { return balances{"Country", bySize(v.Countries), v.Totals} }

// Groups are the classes that the totals compare, and the others.
func (p *Page) Groups() [2][]Class {
	var g [2][]Class
	for _, c := range p.Classes {
		if c.Compared {
			g[0] = append(g[0], c)
		} else {
			g[1] = append(g[1], c)
		}
	}
	return g
}

// ClassTotal adds the classes up.
func (p *Page) ClassTotal() (all Class) {
	for _, c := range p.Classes {
		all.Microsoft.Records += c.Microsoft.Records
		all.Microsoft.MS += c.Microsoft.MS
		all.Carrier.Records += c.Carrier.Records
		all.Carrier.MS += c.Carrier.MS
		all.Listed += c.Listed
	}
	return all
}

// TopTime is the time of the cases that are shown, of Microsoft and of the
// carrier.
func (p *Page) TopTime() (ms [2]int64) {
	for _, c := range p.Top {
		ms[0] += c.Microsoft
		ms[1] += c.Carrier
	}
	return ms
}
