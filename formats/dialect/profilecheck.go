package dialect

import (
	"fmt"
	"strings"
	"time"

	"concord/formats/yamltree"
)

// check judges an expression as a whole.
func (x *exprReader) check() {
	switch x.id.info().kind {
	case KindTime:
		x.checkTime()
	case KindDuration:
		_, given := x.y.Get("unit")
		if x.e.unit == unitUnset && x.e.minus == nil && !given {
			x.y.ReportAt("unit", "required: say what the duration counts: %s", strings.Join(listed(unitNames()), ", "))
		}
		if x.e.divide > 1 && x.e.unit >= unitHMS {
			x.y.ReportAt("divide", "has no meaning for a duration with colons; remove it")
		}
	}
}

func listed(names [8]string) []string { return names[1:] }

// checkTime sees that a layout is there and that local times have a zone.
func (x *exprReader) checkTime() {
	if len(x.e.layouts) == 0 {
		if _, given := x.y.Get("layout"); given {
			return // reported
		}
		x.e.layouts = []string{layoutRFC3339}
	}
	if x.e.zone != nil || x.r.p.zone != nil || x.zoneBroken() {
		return
	}
	for _, l := range x.e.layouts {
		if c := compileLayout(l); !c.offset && !c.isEpoch() {
			x.y.ReportAt("zone", "required: %q has no offset from UTC; say where its clock hangs, such as Europe/Berlin, or UTC", l)
			return
		}
	}
}

// zoneBroken reports whether a zone was given that could not be read.
func (x *exprReader) zoneBroken() bool {
	_, own := x.y.Get("zone")
	_, global := x.r.root.Get("zone")
	return own || global
}

// layouts reads one layout or several candidates.
func (x *exprReader) layouts(y *yamltree.Node) {
	list := y.Texts(`"02.01.2006 15:04:05"`)
	for i, l := range list {
		at := y
		if y.Kind == yamltree.List {
			at = y.Items[i]
		}
		if err := checkLayout(l); err != nil {
			at.Report("%v", err)
			return
		}
		for _, other := range list[:i] {
			if confusable(l, other) {
				at.Report("%q and %q read the same text as different times; keep the one that the carrier writes", other, l)
			}
		}
	}
	x.e.layouts = list
}

// checkLayout reports a layout that does not say a whole date and time.
func checkLayout(l string) error {
	if c := compileLayout(l); c.rfc || c.isEpoch() {
		return nil
	}
	if strings.Contains(l, "MST") {
		return fmt.Errorf("%q: names of zones such as CET are not unique; leave MST out of the layout, or write literal text otherwise, and set zone", l)
	}
	at := time.Date(2037, time.November, 22, 13, 24, 0, 0, time.UTC)
	back, err := time.Parse(l, at.Format(l))
	if l == "" || err != nil || !back.Equal(at) || !strings.ContainsAny(l, "0123456789") {
		return fmt.Errorf("%q is no layout of a whole date and time; write how the carrier would write 2 January 2006, 15:04:05, "+
			"such as \"02.01.2006 15:04:05\" or \"2006-01-02 15:04:05\"; or rfc3339, unix, unix_ms, unix_us", l)
	}
	return nil
}

// confusable reports whether some text is a different time in two layouts.
func confusable(a, b string) bool {
	la, lb := compileLayout(a), compileLayout(b)
	if a == b || la.rfc || lb.rfc {
		return false
	}
	if la.isEpoch() || lb.isEpoch() {
		return la.isEpoch() && lb.isEpoch()
	}
	for _, at := range [...]time.Time{
		time.Date(2011, time.December, 10, 9, 8, 7, 0, time.UTC),
		time.Date(2010, time.January, 2, 3, 4, 5, 0, time.UTC),
		time.Date(2024, time.May, 6, 21, 45, 50, 0, time.UTC),
	} {
		text := at.Format(a)
		x, err1 := time.Parse(a, text)
		y, err2 := time.Parse(b, text)
		if err1 == nil && err2 == nil && !x.Equal(y) {
			return true
		}
	}
	return false
}
