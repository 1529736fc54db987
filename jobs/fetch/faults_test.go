package fetch

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"concord/exchange"
	"concord/exchange/exchangetest"
)

// crowd is a host whose folder of a carrier has more than is taken of one.
type crowd struct {
	*exchangetest.Mem
	files int
	name  string // with a verb for the number
}

// List implements exchange.Remote.
func (c crowd) List(_ context.Context, dir string) (list []exchange.Entry, err error) {
	if dir == "out" {
		return []exchange.Entry{{Name: "fabrikam", Type: fs.ModeDir}}, nil
	}
	for i := range c.files {
		list = append(list, exchange.Entry{Name: fmt.Sprintf(c.name, i), Size: 1})
	}
	return list, nil
}

// What is wrong with a host is told in a few lines, however much it is.
func TestManyFaultsAreAFewLines(t *testing.T) {
	for name, c := range map[string]struct {
		crowd
		lines int
		want  string
	}{
		"too many files":               {crowd{files: maxFiles + 3000, name: "%d.csv"}, 1, "more than 100000 files"},
		"names that are none":          {crowd{files: 3000, name: "a:%d"}, mostFaults + 1, "\n2980 more"},
		"files that cannot be fetched": {crowd{files: 200, name: "%d.csv"}, mostFaults + 1, "\n180 more"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newWorld(t).process()
			h.Numbers = ""
			c.Mem = exchangetest.NewMem()
			_, err := h.Look(t.Context(), c)
			if err == nil {
				_, err = h.Look(t.Context(), c)
			}
			if err == nil || strings.Count(err.Error(), "\n")+1 != c.lines || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%.300q", fmt.Sprint(err))
			}
		})
	}
}
