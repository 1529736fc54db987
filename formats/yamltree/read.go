// Package yamltree reads the settings that people write, in YAML. It is
// stricter than YAML: texts are as typed (00 is "00" and no is "no"), and
// anchors, tags, several documents and a key given twice are refused.
//
// Nothing stops at the first fault. Read returns as much of the tree as can be
// read; its user takes values out of the nodes and reports what is wrong with
// them; Doc.Err then tells all of it at once, each fault with its line and the
// path as the person typed it. A Doc and its nodes belong to one goroutine.
// Reading never panics. It is bounded, but meant for files of operators, not of
// strangers: a megabyte made for it takes a minute.
package yamltree

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Style is what messages say about files of one kind.
type Style struct {
	Kind    string // in the singular, such as profile
	Example string // of a line, such as carrier: fabrikam
	Manual  string // the document that tells more, such as PROFILES.md
}

const (
	maxBytes = 1 << 20 // of one file
	maxDepth = 8
	maxOpen  = 100 // brackets and dashes that may be open at once before anything is parsed
)

// Read reads a file as a tree. name is what messages call it. The root is an
// object, or Broken, which the document then says.
func Read(name string, data []byte, style Style) (*Doc, *Node) {
	d := &Doc{name: name, style: style}
	root := &Node{doc: d, Line: 1, Kind: Broken}
	body, err := parse(data)
	switch {
	case err != nil:
		line, text := where(err)
		d.faults = append(d.faults, &Fault{File: name, Line: line, Text: text})
	case body == nil:
		root.Report("the file is empty; see %s for an example", style.Manual)
	default:
		root = d.tree(body, "", 1, 0)
		if root.Kind != Object && root.Kind != Broken {
			root.Report("is %s, but a %s is made of lines such as %s", root.Kind, style.Kind, style.Example)
			root.Kind = Broken
		}
	}
	return d, root
}

// parse returns the only document of a file; nil when it holds none. The
// parser is not ours, so a panic in it is a broken file.
func parse(data []byte) (body ast.Node, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is not YAML")
		}
	}()
	if len(data) > maxBytes {
		return nil, fmt.Errorf("it is longer than %d bytes", maxBytes)
	}
	if opens(data) > maxOpen {
		return nil, errors.New("it is nested too deeply")
	}
	file, err := parser.ParseBytes(data, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, err
	}
	for _, doc := range file.Docs {
		switch doc.Body.(type) {
		case nil, *ast.DirectiveNode, *ast.CommentGroupNode:
			continue
		}
		if body != nil {
			return nil, errors.New("it holds more than one document; remove the --- between them")
		}
		body = doc.Body
	}
	return body, nil
}

// opens returns how many brackets are open at once, or how many dashes stand
// on one line, at most. The parser's memory grows with the square of both:
// 200 KB of brackets take it more than 20 GiB. Brackets in texts count, too:
// they are few.
func opens(data []byte) (most int) {
	brackets, dashes := 0, 0
	for i, c := range data {
		switch c {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(0, brackets-1)
		case ' ', '\t':
			if i > 0 && (data[i-1] == '-' || data[i-1] == '?') {
				dashes++
			}
		case '\n', '\r':
			dashes = 0
		}
		most = max(most, brackets, dashes)
	}
	return most
}

// where returns the line and the text of an error of the parser.
func where(err error) (int, string) {
	if e, ok := errors.AsType[yaml.Error](err); ok {
		line := 1
		if t := e.GetToken(); t != nil && t.Position != nil {
			line = t.Position.Line
		}
		return line, "not YAML: " + e.GetMessage()
	}
	return 1, err.Error()
}

// tree copies a node.
func (d *Doc) tree(n ast.Node, path string, line, depth int) *Node {
	out := &Node{doc: d, Path: path, Line: line, Kind: Broken}
	if n == nil {
		out.Kind = Empty
		return out
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		out.Line = t.Position.Line
	}
	if depth > maxDepth {
		out.Report("is nested too deeply")
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.Kind = Object
		for _, kv := range n.Values {
			out.add(kv, depth)
		}
	case *ast.MappingValueNode:
		out.Kind = Object
		out.add(n, depth)
	case *ast.SequenceNode:
		out.Kind = List
		for i, item := range n.Values {
			out.Items = append(out.Items, d.tree(item, fmt.Sprintf("%s[%d]", path, i+1), out.Line, depth+1))
		}
	case *ast.NullNode:
		out.Kind, out.Text = Empty, n.GetToken().Value
	default:
		out.scalar(n)
	}
	return out
}

// scalar sets the text of a node.
func (y *Node) scalar(n ast.Node) {
	y.Kind = Text
	switch n := n.(type) {
	case *ast.StringNode:
		y.Text = n.Value
	case *ast.LiteralNode:
		y.Text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		y.Text = n.GetToken().Value
	default:
		y.Kind = Broken
		y.Report("uses %s of YAML, which %ss do without; write the value itself", feature(n), y.doc.style.Kind)
	}
}

func feature(n ast.Node) string {
	switch n.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		return "an anchor (& or *)"
	case *ast.TagNode:
		return "a tag (!)"
	}
	return "a feature"
}

// add appends one key and its value.
func (y *Node) add(kv *ast.MappingValueNode, depth int) {
	var name string
	line := y.Line
	if t := kv.Key.GetToken(); t != nil {
		name, line = t.Value, t.Position.Line
	}
	if s, ok := kv.Key.(*ast.StringNode); ok {
		name = s.Value
	}
	v := y.doc.tree(kv.Value, y.child(name), line, depth+1)
	v.Line = line
	if first, ok := y.Get(name); ok {
		v.Report("is there twice, first in line %d; remove one", first.Line)
		return
	}
	if y.index == nil {
		y.index = make(map[string]*Node)
	}
	y.index[name] = v
	y.Keys = append(y.Keys, Key{name, v})
}
