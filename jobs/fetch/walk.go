package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"concord/exchange"
	"concord/exchange/landing"
)

const (
	maxDepth = 8   // folders in one name
	maxName  = 200 // bytes in one part of a name: there is room for what is added
	maxFiles = 100_000
)

// tree is a folder of the host all of which is taken for the same.
type tree struct {
	dir     string // there
	carrier string // whose call records and numbers are in it
	shared  bool   // listings of several carriers
	known   string // first part of the names as they are remembered
	done    string // first part of the names in the folder for what was taken
}

// item is one file of the host.
type item struct {
	remote string // its name there
	name   string // as it is remembered
	done   string // its name below the folder for what was taken
	dir    string // folder here
	rel    string // name below dir
	entry  exchange.Entry
}

// sharedName stands for no carrier: no name of one has brackets.
const sharedName = "(numbers)"

// items lists the files that are taken, those that were changed first before
// the others. What cannot be listed hides nothing else.
func (l *look) items(ctx context.Context) ([]item, error) {
	trees, err := l.trees(ctx)
	w := &walk{look: l}
	w.faults.add(err)
	for _, t := range trees {
		w.folder(ctx, t, "", 0)
	}
	slices.SortFunc(w.items, func(a, b item) int {
		return cmp.Or(a.entry.Time.Compare(b.entry.Time), strings.Compare(a.name, b.name))
	})
	return w.items, w.faults.all()
}

// trees are the folders to look through.
func (l *look) trees(ctx context.Context) (list []tree, err error) {
	if l.Numbers != "" {
		list = append(list, tree{dir: l.Numbers, shared: true, known: sharedName, done: "numbers"})
	}
	switch {
	case l.Folder == "":
		return list, nil
	case l.Carrier != "":
		return append(list, tree{dir: l.Folder, carrier: l.Carrier, known: l.Carrier}), nil
	}
	entries, err := l.r.List(ctx, l.Folder)
	if err != nil {
		return list, fmt.Errorf("look into %s: %w", l.Folder, err)
	}
	for _, e := range entries {
		dir := path.Join(l.Folder, e.Name)
		switch {
		case hidden(e.Name), dir == l.Done, dir == l.Numbers:
		case !e.Type.IsDir() || !slices.Contains(l.Carriers, e.Name):
			l.stranger(ctx, e.Name)
		default:
			list = append(list, tree{dir: dir, carrier: e.Name, known: e.Name, done: e.Name})
		}
	}
	return list, nil
}

// stranger tells once of what is nobody's.
func (l *look) stranger(ctx context.Context, name string) {
	if l.strange == nil {
		l.strange = map[string]bool{}
	}
	if l.strange[name] || len(l.strange) >= maxStrange {
		return
	}
	l.strange[name] = true
	l.Log.WarnContext(ctx, "what lies beside the folders of carriers is left alone: call the folder as the carrier is called here", "host", l.Name, "name", fmt.Sprintf("%.80q", name))
}

const maxStrange = 100

// walk goes through the folders of a host.
type walk struct {
	*look
	items  []item
	faults faults
	full   bool // it was told that there are too many
}

func (w *walk) folder(ctx context.Context, t tree, rel string, depth int) {
	dir := path.Join(t.dir, rel)
	entries, err := w.r.List(ctx, dir)
	if err != nil {
		w.faults.add(fmt.Errorf("look into %q: %w", dir, err))
		return
	}
	for _, e := range entries {
		if ctx.Err() != nil {
			return
		}
		w.entry(ctx, t, path.Join(rel, e.Name), e, depth)
	}
}

// entry looks at one name. Links are not followed, and what is no file is none.
func (w *walk) entry(ctx context.Context, t tree, rel string, e exchange.Entry, depth int) {
	remote := path.Join(t.dir, rel)
	isDir := e.Type.IsDir()
	switch why := bad(e.Name); {
	case hidden(e.Name), isDir && (remote == w.Done || remote == w.Numbers && !t.shared), !isDir && e.Type != 0:
		return
	case why != "":
		w.faults.add(fmt.Errorf("%.80q %s; it is taken when it has another one", e.Name, why))
	case isDir && depth == maxDepth:
		w.faults.add(fmt.Errorf("%q is more than %d folders deep; it is not looked into", remote, maxDepth))
	case isDir:
		w.folder(ctx, t, rel, depth+1)
	case len(w.items) == maxFiles && !w.full:
		w.full = true
		w.faults.add(fmt.Errorf("there are more than %d files; move those away that were taken", maxFiles))
	case len(w.items) < maxFiles:
		dir, name := w.base(t, rel)
		w.items = append(w.items, item{
			remote: remote, name: path.Join(t.known, rel), done: path.Join(t.done, rel), dir: dir, rel: name, entry: e,
		})
	}
}

// hidden reports names of what is not finished, or not meant for others.
func hidden(name string) bool {
	return name == "" || strings.HasPrefix(name, ".") || landing.IsTemporary(name)
}

// bad returns why a name cannot be one of a file here; "" when it can. A host
// is not believed to keep to what names are.
func bad(name string) string {
	switch {
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }):
		return "is a name with control characters, or not UTF-8"
	case strings.ContainsAny(name, `/\:`):
		return "is a name with a slash, a backslash or a colon"
	case len(name) > maxName:
		return fmt.Sprintf("is a name of more than %d bytes", maxName)
	}
	return ""
}

// cutFolder cuts a folder off the beginning of a name.
func cutFolder(name, folder string) (below string, ok bool) {
	return strings.CutPrefix(name, folder+"/")
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
