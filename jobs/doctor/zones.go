package doctor

import (
	"time"

	"concord/jobs/config"
)

// zones compares the days of jobs with those of the reports that they make: a
// month of the one has a part of a day more or less of the other.
func (o *Options) zones() (all []Finding) {
	for _, j := range o.Config.Jobs {
		if j.Kind != config.Reconcile {
			continue
		}
		for _, c := range o.Config.CarriersOf(j) {
			if c.Profile == nil {
				continue
			}
			of, in := zoneOf(j.Zone), zoneOf(c.Profile.Rules().Zone)
			if !sameDays(of, in, o.Now()) {
				all = append(all, warn("days of job "+j.Name, "write period_zone: "+of.String()+" into the profile of "+c.Name+", or zone: "+in.String()+" at the job",
					"its periods are those of %s, and reports of %s list the days of %s: the first and last day of a period are no whole ones", of, c.Name, in))
			}
		}
	}
	return all
}

func zoneOf(z *time.Location) *time.Location {
	if z == nil {
		return time.UTC
	}
	return z
}

// sameDays reports whether the days of a year begin at the same instants.
func sameDays(a, b *time.Location, now time.Time) bool {
	y, m, d := now.Date()
	for n := range 366 {
		if !time.Date(y, m, d+n, 0, 0, 0, 0, a).Equal(time.Date(y, m, d+n, 0, 0, 0, 0, b)) {
			return false
		}
	}
	return true
}
