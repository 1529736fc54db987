package engine

import (
	"cmp"
	"iter"
	"slices"
)

// usageSums is usage over all workers.
type usageSums struct {
	dims  []dimension
	index map[dimension]uint32
	table usageTable
}

func newUsageSums() *usageSums { return &usageSums{index: map[dimension]uint32{}} }

// add takes a cell of one worker.
func (s *usageSums) add(d dimension, day int32, c *usageCell) {
	i, ok := s.index[d]
	if !ok {
		i = uint32(len(s.dims))
		s.dims = append(s.dims, d)
		s.index[d] = i
	}
	s.table.addCell(usageKey(i, day), c)
}

// rows yields the sums in the order of the report; dates are cut to dateLen
// characters. The row is valid until the next one.
func (s *usageSums) rows(dateLen int) iter.Seq[*UsageRow] {
	return func(yield func(*UsageRow) bool) {
		if s == nil {
			return
		}
		cells := s.table.cells()
		slices.SortFunc(cells, func(a, b *usageCell) int {
			da, db := &s.dims[a.dim()], &s.dims[b.dim()]
			return cmp.Or(cmp.Compare(da.tenant, db.tenant), cmp.Compare(da.user, db.user), cmp.Compare(a.day(), b.day()),
				cmp.Compare(da.direction.String(), db.direction.String()), cmp.Compare(da.callType, db.callType),
				cmp.Compare(countryName(da.other), countryName(db.other)))
		})
		for _, c := range cells {
			d := &s.dims[c.dim()]
			row := UsageRow{
				TenantID: d.tenant, UserID: d.user, Date: dayName(c.day())[:dateLen], Direction: d.direction, CallType: d.callType,
				Country: countryName(d.other), Calls: int64(c.calls), MicrosoftMS: c.m, CarrierMS: c.c, UsedMS: c.used,
				OperatorSourcedCalls: int64(c.operator),
			}
			if !yield(&row) {
				return
			}
		}
	}
}

// month returns the first day of a day's month.
func month(day int32) int32 {
	name := dayName(day)
	d := int32(name[8]-'0')*10 + int32(name[9]-'0')
	return day - d + 1
}
