package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// yamlDoc collects everything that is wrong with one YAML file, so that a
// person can correct all of it at once.
type yamlDoc struct {
	name     string
	problems []yamlProblem
}

type yamlProblem struct {
	line int
	text string
}

// yamlNode is a value of the file: a text, a list or an object. Texts are as
// typed: 00 is "00" and no is "no".
type yamlNode struct {
	doc   *yamlDoc
	path  string // such as columns.start.layout
	line  int
	kind  yamlKind
	text  string
	items []yamlNode
	keys  []yamlKey
}

type yamlKey struct {
	name  string
	value yamlNode
}

type yamlKind uint8

const (
	yamlText yamlKind = iota
	yamlList
	yamlObject
	yamlEmpty
	yamlBroken // already reported
)

// String names the kind for messages.
func (k yamlKind) String() string {
	return [...]string{"a text", "a list", "an object", "empty", "unreadable"}[k]
}

const (
	maxYAML      = 1 << 20 // bytes of one file
	maxYAMLDepth = 8
	maxYAMLOpen  = 100 // brackets and dashes that may be open at once before anything is parsed
)

// readYAML reads a file as a tree. The node is an object unless the file is
// broken, which the document then says.
func readYAML(name string, data []byte) (*yamlDoc, yamlNode) {
	d := &yamlDoc{name: name}
	root := yamlNode{doc: d, line: 1, kind: yamlBroken}
	body, err := parseYAML(data)
	switch {
	case err != nil:
		line, text := whereYAML(err)
		d.problems = append(d.problems, yamlProblem{line, text})
	case body == nil:
		root.report("the file is empty; see PROFILES.md for an example")
	default:
		if root = d.tree(body, "", 1, 0); root.kind != yamlObject && root.kind != yamlBroken {
			root.report("is %s, but a profile is made of lines such as carrier: fabrikam", root.kind)
		}
	}
	return d, root
}

// parseYAML returns the only document of a file; nil when it holds none. The
// parser is not ours, so a panic in it is a broken file.
func parseYAML(data []byte) (body ast.Node, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("it is not YAML")
		}
	}()
	if len(data) > maxYAML {
		return nil, fmt.Errorf("it is longer than %d bytes", maxYAML)
	}
	if opens(data) > maxYAMLOpen {
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

// whereYAML returns the line and the text of an error of the parser.
func whereYAML(err error) (int, string) {
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
func (d *yamlDoc) tree(n ast.Node, path string, line, depth int) yamlNode {
	out := yamlNode{doc: d, path: path, line: line, kind: yamlBroken}
	if n == nil {
		out.kind = yamlEmpty
		return out
	}
	if t := n.GetToken(); t != nil && t.Position != nil {
		out.line = t.Position.Line
	}
	if depth > maxYAMLDepth {
		out.report("is nested too deeply")
		return out
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		out.kind = yamlObject
		for _, kv := range n.Values {
			out.add(kv, depth)
		}
	case *ast.MappingValueNode:
		out.kind = yamlObject
		out.add(n, depth)
	case *ast.SequenceNode:
		out.kind = yamlList
		for i, item := range n.Values {
			out.items = append(out.items, d.tree(item, fmt.Sprintf("%s[%d]", path, i+1), out.line, depth+1))
		}
	case *ast.NullNode:
		out.kind, out.text = yamlEmpty, n.GetToken().Value
	default:
		out.scalar(n)
	}
	return out
}

// scalar sets the text of a node.
func (y *yamlNode) scalar(n ast.Node) {
	y.kind = yamlText
	switch n := n.(type) {
	case *ast.StringNode:
		y.text = n.Value
	case *ast.LiteralNode:
		y.text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		y.text = n.GetToken().Value
	default:
		y.kind = yamlBroken
		y.report("uses %s of YAML, which profiles do without; write the value itself", feature(n))
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
func (y *yamlNode) add(kv *ast.MappingValueNode, depth int) {
	var name string
	line := y.line
	if t := kv.Key.GetToken(); t != nil {
		name, line = t.Value, t.Position.Line
	}
	if s, ok := kv.Key.(*ast.StringNode); ok {
		name = s.Value
	}
	v := y.doc.tree(kv.Value, y.child(name), line, depth+1)
	v.line = line
	for _, k := range y.keys {
		if k.name == name {
			v.report("is there twice, first in line %d; remove one", k.value.line)
			return
		}
	}
	y.keys = append(y.keys, yamlKey{name, v})
}

// child returns the path of a key of the node.
func (y *yamlNode) child(name string) string {
	if y.path == "" {
		return name
	}
	return y.path + "." + name
}

// report notes that something is wrong with the node.
func (y *yamlNode) report(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if y.path != "" {
		text = y.path + ": " + text
	}
	y.doc.problems = append(y.doc.problems, yamlProblem{y.line, text})
}

// reportAt notes that something is wrong below the node, at a path that may
// not be there.
func (y *yamlNode) reportAt(name, format string, args ...any) {
	at := yamlNode{doc: y.doc, path: y.child(name), line: y.line}
	at.report(format, args...)
}

// get returns the value of a key.
func (y *yamlNode) get(name string) (yamlNode, bool) {
	for _, k := range y.keys {
		if k.name == name {
			return k.value, true
		}
	}
	return yamlNode{}, false
}

// isObject reports a node that is no object.
func (y *yamlNode) isObject(example string) bool {
	if y.kind != yamlObject && y.kind != yamlBroken {
		y.report("is %s; write an object such as %s", y.kind, example)
	}
	return y.kind == yamlObject
}

// only reports every key that is not one of names, with the nearest one.
func (y *yamlNode) only(names []string) {
	for _, k := range y.keys {
		if slices.Contains(names, k.name) {
			continue
		}
		if like := nearest(k.name, names); like != "" {
			k.value.report("no such key; did you mean %s?", like)
			continue
		}
		k.value.report("no such key; there are %s", strings.Join(names, ", "))
	}
}

// err returns all problems in the order of lines; nil when there are none.
func (d *yamlDoc) err() error {
	slices.SortFunc(d.problems, func(a, b yamlProblem) int {
		return cmp.Or(a.line-b.line, strings.Compare(a.text, b.text))
	})
	var errs []error
	for _, p := range d.problems {
		errs = append(errs, fmt.Errorf("%s:%d: %s", d.name, p.line, p.text))
	}
	return errors.Join(errs...)
}

// nearest returns the name that is at most two typing errors away; "" when
// none is.
func nearest(word string, names []string) string {
	best, limit := "", min(2, len(word)/2)
	for _, n := range names {
		if d := distance(word, n); d <= limit {
			best, limit = n, d-1
		}
	}
	return best
}

// distance is how many letters must be typed, removed or changed to make b
// of a.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
