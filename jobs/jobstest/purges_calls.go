package jobstest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// taken records a file of quality rows, or one about several carriers, whose calls
// were on a day.
func (c *keeper) taken(carrier, name string, n int) jobs.MicrosoftFile {
	c.Helper()
	f, err := c.k.RecordMicrosoft(c.Context(), jobs.MicrosoftFile{
		Carrier: carrier, Name: name, Bytes: 100, Received: day(15), SHA256: fmt.Sprintf("%x", sha256.Sum256([]byte(name))), Holds: jobs.HoldsQuality, Status: landing.StatusPartly,
		First: day(n).Add(time.Hour), Last: day(n).Add(2 * time.Hour), Notes: []string{"about +493012345678"}, Decided: c.now,
		Reasons: []landing.Reason{{Line: 2, Reason: "a field too many: +493012345678"}},
	})
	c.must(err)
	return f
}

func (c *keeper) known(carrier string) []jobs.MicrosoftFile {
	c.Helper()
	list, err := c.k.MicrosoftFiles(c.Context(), jobs.MicrosoftFilter{Carrier: carrier})
	c.must(err)
	return list
}

func (c *keeper) heldContent(sum string, want bool) {
	c.Helper()
	if got, err := c.k.Holds(c.Context(), sum); err != nil || got != want {
		c.Errorf("%s is held: %v, %v", sum, got, err)
	}
}

func (c *keeper) microsoft() {
	const name = "q_493012345678.csv"
	f := c.taken("fabrikam", name, 2)
	other := c.taken("fabrikam", "q_493012995678.csv", 2) // its masked name is the same
	c.taken("northwind", name, 2)
	c.heldContent(f.SHA256, true)
	p, left, err := c.k.Purge(c.Context(), c.order(jobs.ClassRaw), c.now)
	c.must(err)
	c.reopened()
	if p.Count != 2 || p.Bytes != 200 || !p.From.Equal(day(2).Truncate(24*time.Hour)) || p.To.Sub(p.From) != 24*time.Hour || len(left) != 2 || left[0].Object != fmt.Sprint(jobs.PurgeMicrosoft, f.ID) ||
		left[0].Name != name || !left[0].Microsoft || left[0].SHA256 != f.SHA256 || !left[0].Received.Equal(f.Received) {
		c.Errorf("%+v %+v", p, left)
	}
	for i, x := range c.known("fabrikam") {
		if x.RawPurged != 1 || !strings.HasPrefix(x.Name, jobs.Mask(name)) || strings.Contains(fmt.Sprint(x), "12345678") || x.SHA256 != []string{f.SHA256, other.SHA256}[i] {
			c.Errorf("%+v", x)
		}
	}
	if x := c.known("northwind"); x[0].RawPurged != 0 || x[0].Name != name {
		c.Errorf("%+v", x)
	}
	c.heldContent(f.SHA256, true) // northwind has it
	c.heldContent(other.SHA256, false)
	if list := c.candidates(jobs.ClassRaw, "fabrikam"); len(list) > 0 {
		c.Errorf("%+v", list)
	}
}

// several orders the purge of what is about several carriers.
func (c *keeper) orderShared() jobs.PurgeOrder {
	o := c.order(jobs.ClassRaw)
	o.Carrier, o.Things = "", c.candidates(jobs.ClassRaw, "")
	return o
}

func (c *keeper) several() {
	c.taken("", "shared.csv", 2)
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	h := c.hold("northwind", 2, 3)
	if p, left, err := c.k.Purge(c.Context(), c.orderShared(), c.now); err != nil || p.Seq != 0 || len(left) > 0 {
		c.Errorf("%+v %+v %v", p, left, err)
	}
	if _, ids := c.purge(jobs.ClassRaw); len(ids) != 1 { // nobody holds what is fabrikam's
		c.Error(ids)
	}
	_, _, err := c.k.ReleaseHold(c.Context(), h.ID, "bob", "settled", "DE", c.now)
	c.must(err)
	r := c.enqueue(run("northwind", 2))
	if p, _, err := c.k.Purge(c.Context(), c.orderShared(), c.now); err != nil || p.Seq != 0 {
		c.Errorf("%+v %v", p, err)
	}
	_, err = c.k.Cancel(c.Context(), r.ID, "ann", c.now)
	c.must(err)
	p, left, err := c.k.Purge(c.Context(), c.orderShared(), c.now)
	if err != nil || p.Carrier != "" || p.Count != 1 || len(left) != 1 || left[0].Carrier != "" {
		c.Errorf("%+v %+v %v", p, left, err)
	}
	c.reopened()
	if list, err := c.k.Remaining(c.Context(), ""); err != nil || len(list) != 1 || list[0].Seq != left[0].Seq {
		c.Errorf("%+v %v", list, err)
	}
}

func (c *keeper) waitingRows() {
	f := c.taken("", "shared.csv", 2)
	f.Waiting, f.Rest = 1, "rest"
	c.must(c.k.DealRest(c.Context(), f))
	o := c.orderShared()
	if len(o.Things) != 1 || o.Things[0].Waits == "" {
		c.Errorf("%+v", o.Things)
	}
	if p, _, err := c.k.Purge(c.Context(), o, c.now); err != nil || p.Seq != 0 {
		c.Errorf("%+v %v", p, err)
	}
	f.Waiting, f.Rest = 0, ""
	c.must(c.k.DealRest(c.Context(), f))
	if p, _, err := c.k.Purge(c.Context(), c.orderShared(), c.now); err != nil || p.Count != 1 {
		c.Errorf("%+v %v", p, err)
	}
}

// begun begins a delivery of calls about a day.
func (c *keeper) begun(n int) jobs.CallsDelivery {
	c.Helper()
	d := delivery("fabrikam", 1, 1, 0, n)
	d.Inputs[0].Name = "m_493012345678.csv"
	d, err := c.k.BeginCalls(c.Context(), c.lease, d, c.now)
	c.must(err)
	return d
}

func (c *keeper) deliveries() {
	d := c.begun(2)
	if list := c.candidates(jobs.ClassDeliveries, "fabrikam"); len(list) != 1 || list[0].Waits == "" || list[0].ID != jobs.PurgeCalls+"000001" {
		c.Errorf("%+v", list)
	}
	if _, ids := c.purge(jobs.ClassDeliveries); len(ids) > 0 {
		c.Error(ids)
	}
	c.must(c.k.EndCalls(c.Context(), c.lease, d, c.now))
	o := c.order(jobs.ClassDeliveries)
	sent := jobs.Purgeable{ID: "calls.csv", Count: 1, From: day(2), To: day(2), Remains: jobs.Remains{Name: "calls.csv", Received: day(2)}}
	o.Things = append(o.Things, sent)
	p, left, err := c.k.Purge(c.Context(), o, c.now)
	if err != nil || p.Count != 2 || len(left) != 2 || left[0].Name != "" || left[0].Object != jobs.PurgeCalls+"000001" || left[1].Name != "calls.csv" {
		c.Errorf("%+v %+v %v", p, left, err)
	}
	c.reopened()
	list, err := c.k.CallsDeliveries(c.Context(), jobs.CallsFilter{Carrier: "fabrikam"})
	if err != nil || len(list) != 1 || list[0].Purged != 1 || list[0].Inputs[0].Name != jobs.Mask("m_493012345678.csv") || list[0].Inputs[0].ID != d.Inputs[0].ID || list[0].Basis != d.Basis {
		c.Errorf("%+v %v", list, err)
	}
	if list := c.candidates(jobs.ClassDeliveries, "fabrikam"); len(list) > 0 {
		c.Errorf("%+v", list)
	}
}

func (c *keeper) brokenOff() {
	c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.taken("fabrikam", "q.csv", 2)
	free := c.file("fabrikam", "b.csv", "bb", "2026-10-07")
	d := c.begun(2)
	if _, ids := c.purge(jobs.ClassRaw); !slices.Equal(ids, []string{free.ID}) {
		c.Error(ids)
	}
	c.must(c.k.EndCalls(c.Context(), c.lease, d, c.now))
	if _, ids := c.purge(jobs.ClassRaw); len(ids) != 2 {
		c.Error(ids)
	}
}

func (c *keeper) hosts() {
	const name = "m_493012345678.csv"
	f := c.taken("fabrikam", "host/"+name, 2)
	for _, x := range []jobs.HostFile{
		{Host: "host", Name: "fabrikam/" + name, Bytes: f.Bytes, Changed: f.Received, Taken: c.now},
		{Host: "host", Name: "fabrikam/m_493099995678.csv", Bytes: f.Bytes + 1, Changed: f.Received, Taken: c.now}, // another one
	} {
		c.must(c.k.KeepHostFile(c.Context(), x))
	}
	c.purge(jobs.ClassRaw)
	c.reopened()
	list, err := c.k.HostFiles(c.Context(), "host")
	c.must(err)
	var names []string
	for _, x := range list {
		names = append(names, x.Name)
	}
	slices.Sort(names)
	want := []string{jobs.Mask("fabrikam/" + name), "fabrikam/m_493099995678.csv"}
	slices.Sort(want)
	if !slices.Equal(names, want) {
		c.Errorf("%q", names)
	}
}

func (c *keeper) keys() {
	for _, key := range []string{"placed", "open"} {
		_, err := c.k.BindRows(c.Context(), "fabrikam", key, "body", c.now)
		c.must(err)
	}
	c.must(c.k.PlaceRows(c.Context(), "fabrikam", "placed", c.now))
	_, err := c.k.BindRows(c.Context(), "northwind", "placed", "body", c.now)
	c.must(err)
	if p, _ := c.purge(jobs.ClassLogs); p.Count != 1 {
		c.Errorf("%+v", p)
	}
	for key, fresh := range map[string]bool{"placed": true, "open": false} {
		if b, err := c.k.BindRows(c.Context(), "fabrikam", key, "body", c.now); err != nil || b.Fresh != fresh {
			c.Errorf("%s: %+v %v", key, b, err)
		}
	}
}

func (c *keeper) instead() {
	a := c.file("fabrikam", "a.csv", "aa", "2026-10-02")
	c.taken("northwind", "q.csv", 2)
	c.must(errors.Join(
		c.k.EraseContent(c.Context(), "e1", "aa"), c.k.KeepInstead(c.Context(), "aa", "bb"),
		c.k.EraseContent(c.Context(), "e2", "bb"), c.k.KeepInstead(c.Context(), "bb", "cc"),
	))
	c.heldContent("cc", true)
	_, left, err := c.k.Purge(c.Context(), c.order(jobs.ClassRaw), c.now)
	c.must(err)
	c.reopened()
	var sums []string
	for _, r := range left {
		if sums = append(sums, r.SHA256); r.Object != a.ID || r.Seq == 0 {
			c.Errorf("%+v", r)
		}
	}
	slices.Sort(sums)
	if !slices.Equal(sums, []string{"aa", "bb", "cc"}) {
		c.Error(sums)
	}
	for _, sum := range sums {
		c.heldContent(sum, false)
	}
	needed, err := c.k.NeededContents(c.Context())
	if err != nil || len(needed) != 1 {
		c.Error(needed, err)
	}
	if got, err := c.k.Instead(c.Context(), "aa"); got != "" || err != nil {
		c.Error(got, err)
	}
}
