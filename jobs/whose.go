package jobs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"concord/engine"
	"concord/formats/report"
)

// whose is Microsoft's side without the calls that name another carrier: they
// are nothing of this carrier's, neither to count nor to see.
type whose struct {
	engine.Source
	others map[string]bool // nil: nobody is known
	mu     sync.Mutex
	files  map[int]*whoseFile
}

// whoseFile is what the calls of one file are called.
type whoseFile struct {
	left  int64            // out, since they are another carrier's
	first string           // of those carriers
	names map[string]int64 // in lower case, when nobody is known; nil: too many
}

// mostNamed bounds the names that are told apart in a file.
const mostNamed = 100

func newWhose(src engine.Source, others []string) *whose {
	n := &whose{Source: src, files: map[int]*whoseFile{}}
	if others != nil {
		n.others = map[string]bool{}
		for _, o := range others {
			n.others[strings.ToLower(o)] = true
		}
	}
	return n
}

// Next implements engine.Source.
func (n *whose) Next(ctx context.Context) (engine.Part, error) {
	p, err := n.Source.Next(ctx)
	if err != nil {
		return nil, err
	}
	return &whosePart{Part: p, of: n, file: whoseFile{names: map[string]int64{}}}, nil
}

// whosePart is a part without those calls.
type whosePart struct {
	engine.Part
	of   *whose
	file whoseFile // of this part
	last string    // as it stands in the call before, which most have too
	run  int64     // how many calls in a row have it
	out  bool      // it is another carrier's
}

// Read implements engine.Part.
func (p *whosePart) Read(ctx context.Context, dst []engine.Call) (int, error) {
	n, err := p.Part.Read(ctx, dst)
	kept := 0
	for i := range dst[:n] {
		if name := dst[i].Carrier; name != p.last {
			p.change(strings.Clone(name))
		}
		p.run++
		if p.out {
			continue
		}
		if kept != i {
			dst[kept] = dst[i]
		}
		kept++
	}
	return kept, err
}

// change counts the run of calls of one name, and begins that of another.
func (p *whosePart) change(name string) {
	lower := strings.ToLower(p.last)
	switch {
	case p.run == 0 || lower == "":
	case p.out:
		p.file.leave(p.run, lower)
	case p.of.others == nil:
		p.file.call(lower, p.run)
	}
	p.last, p.run, p.out = name, 0, p.of.others[strings.ToLower(name)]
}

func (f *whoseFile) call(name string, calls int64) {
	if f.names == nil {
		return
	}
	if f.names[name] += calls; len(f.names) > mostNamed {
		f.names = nil
	}
}

func (f *whoseFile) leave(calls int64, name string) {
	if f.left == 0 || name < f.first {
		f.first = name
	}
	f.left += calls
}

// Close implements engine.Part.
func (p *whosePart) Close() error {
	p.change("")
	p.of.add(p.Place().File, &p.file)
	p.file = whoseFile{}
	return p.Part.Close()
}

// add adds what a part had to its file.
func (n *whose) add(at int, part *whoseFile) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f := n.files[at]
	if f == nil {
		f = &whoseFile{names: map[string]int64{}}
		n.files[at] = f
	}
	if part.left > 0 {
		f.leave(part.left, part.first)
	}
	if part.names == nil {
		f.names = nil
	}
	for name, calls := range part.names {
		f.call(name, calls)
	}
}

// tell adds what was left out of a file to what is said of it.
func (n *whose) tell(at int, in *report.Input) {
	if f := n.files[at]; f != nil {
		in.Filtered += f.left
		in.Notes = append(in.Notes[:len(in.Notes):len(in.Notes)], n.notes(at)...)
	}
}

// notes are what a person should know of whose the calls of a file are. Names
// come from outside, and may hold a number.
func (n *whose) notes(at int) []string {
	f := n.files[at]
	switch {
	case f == nil:
		return nil
	case f.left > 0:
		return []string{fmt.Sprintf("%s of another carrier, such as %q: left out", counted(f.left, "call is", "calls are"), Mask(f.first))}
	case f.names == nil:
		return []string{fmt.Sprintf("its calls name more than %d carriers, and all are taken for this one's", mostNamed)}
	case len(f.names) < 2:
		return nil
	}
	var list []string
	for name, calls := range f.names {
		list = append(list, fmt.Sprintf("%q (%d)", Mask(name), calls))
	}
	slices.Sort(list)
	if len(list) > 5 {
		list = append(list[:5], "others")
	}
	return []string{"its calls name several carriers, and all are taken for this one's: " + strings.Join(list, ", ")}
}

func counted(n int64, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprint(n, " ", more)
}
