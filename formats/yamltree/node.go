package yamltree

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Doc collects everything that is wrong with one file, so that a person can
// correct all of it at once.
type Doc struct {
	name   string
	style  Style
	faults []*Fault
}

// Fault is one thing that is wrong with a file, and what to do about it.
type Fault struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Text string `json:"text"` // begins with the path of the setting, if it is about one
}

// Error implements error.
func (f *Fault) Error() string { return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Text) }

// Faults returns how many were reported so far.
func (d *Doc) Faults() int { return len(d.faults) }

// Err returns all faults in the order of lines, each a *Fault, joined; nil when
// there are none.
func (d *Doc) Err() error {
	slices.SortFunc(d.faults, func(a, b *Fault) int {
		return cmp.Or(a.Line-b.Line, strings.Compare(a.Text, b.Text))
	})
	errs := make([]error, len(d.faults))
	for i, f := range d.faults {
		errs[i] = f
	}
	return errors.Join(errs...)
}

// Node is a value of the file.
type Node struct {
	Kind  Kind
	Path  string  // such as columns.start.layout; items count from 1: keys[2]
	Line  int     // of the key, when it has one
	Text  string  // of a text; of an empty node the word that stands for it
	Items []*Node // of a list
	Keys  []Key   // of an object, in the order of the file, no two alike

	doc   *Doc
	index map[string]*Node // of Keys
}

// Key is one line of an object.
type Key struct {
	Name  string
	Value *Node
}

// Kind says what a node is.
type Kind uint8

// Kinds of nodes.
const (
	Text Kind = iota
	List
	Object
	Empty
	Broken // already reported
)

// String names the kind for messages.
func (k Kind) String() string {
	return [...]string{"a text", "a list", "an object", "empty", "unreadable"}[k]
}

// Doc returns the document that the node is of.
func (y *Node) Doc() *Doc { return y.doc }

// Report notes that something is wrong with the node.
func (y *Node) Report(format string, args ...any) {
	y.doc.faults = append(y.doc.faults, y.Fault(format, args...))
}

// Fault says something about the node without a report of it.
func (y *Node) Fault(format string, args ...any) *Fault {
	text := fmt.Sprintf(format, args...)
	if y.Path != "" {
		text = y.Path + ": " + text
	}
	return &Fault{File: y.doc.name, Line: y.Line, Text: text}
}

// ReportAt notes that something is wrong below the node, at a path that may
// not be there.
func (y *Node) ReportAt(name, format string, args ...any) {
	at := Node{doc: y.doc, Path: y.child(name), Line: y.Line}
	at.Report(format, args...)
}

// child returns the path of a key of the node.
func (y *Node) child(name string) string {
	if y.Path == "" {
		return name
	}
	return y.Path + "." + name
}

// Get returns the value of a key.
func (y *Node) Get(name string) (*Node, bool) {
	v, ok := y.index[name]
	return v, ok
}

// Has reports whether a key is there.
func (y *Node) Has(name string) bool {
	_, ok := y.Get(name)
	return ok
}

// IsObject reports a node that is no object.
func (y *Node) IsObject(example string) bool {
	if y.Kind != Object && y.Kind != Broken {
		y.Report("is %s; write an object such as %s", y.Kind, example)
	}
	return y.Kind == Object
}

// Only reports every key that is not one of names, with the nearest one.
func (y *Node) Only(names []string) {
	for _, k := range y.Keys {
		if slices.Contains(names, k.Name) {
			continue
		}
		if like := Nearest(k.Name, names); like != "" {
			k.Value.Report("no such key; did you mean %s?", like)
			continue
		}
		k.Value.Report("no such key; there are %s", strings.Join(names, ", "))
	}
}

// Each calls the func of every key that is there, in the order of the names,
// and reports the other keys.
func (y *Node) Each(set map[string]func(*Node)) {
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	y.Only(names)
	for _, name := range names {
		if v, ok := y.Get(name); ok {
			set[name](v)
		}
	}
}
