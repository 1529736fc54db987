package yamltree

import (
	"strings"
	"testing"
)

var style = Style{Kind: "recipe", Example: "salt: 5g", Manual: "COOKING.md"}

func TestEveryFaultIsToldAtOnce(t *testing.T) {
	const text = `name: no
size: 1.5 GiB
wait: 5 minutes
zone: Mars
parts:
  - {left: 0, leftt: 2}
  - &anchor x
size: 2GiB
colour: [red]
on: maybe
`
	doc, root := Read("a.yaml", []byte(text), style)
	var name string
	root.Each(map[string]func(*Node){
		"name": func(y *Node) { name, _ = y.Word("soup") },
		"size": func(y *Node) { y.Size(1 << 40) },
		"wait": func(y *Node) { y.Duration("5m") },
		"zone": func(y *Node) { y.Zone() },
		"on":   func(y *Node) { y.Boolean() },
		"parts": func(y *Node) {
			for _, item := range y.Items {
				if item.IsObject("{left: 1}") {
					item.Each(map[string]func(*Node){"left": func(y *Node) { y.Whole(1, 9) }})
					item.ReportAt("right", "required")
				}
			}
		},
	})
	if name != "no" {
		t.Errorf("%q: texts are not as typed", name)
	}
	const want = `a.yaml:2: size: "1.5 GiB" is no size from 1 to 1099511627776 bytes; write one such as 64KiB, 16MiB or 2GiB
a.yaml:3: wait: "5 minutes" is no length of time; write one with its unit, such as 5m, 500ms, 90s or 1h30m
a.yaml:4: zone: "Mars" is no time zone; write a name of the zone database, such as Europe/Berlin, or UTC
a.yaml:6: parts[1].left: "0" is no whole number from 1 to 9
a.yaml:6: parts[1].leftt: no such key; did you mean left?
a.yaml:6: parts[1].right: required
a.yaml:7: parts[2]: uses an anchor (& or *) of YAML, which recipes do without; write the value itself
a.yaml:8: size: is there twice, first in line 2; remove one
a.yaml:9: colour: no such key; there are name, on, parts, size, wait, zone
a.yaml:10: on: "maybe" is none of true, false`
	if err := doc.Err(); err == nil || err.Error() != want || doc.Faults() != 10 {
		t.Errorf("%v", err)
	}
}

func TestFilesThatAreNoSettings(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "a.yaml:1: the file is empty; see COOKING.md for an example",
		"- a\n":                         "a.yaml:1: is a list, but a recipe is made of lines such as salt: 5g",
		"a: 1\n---\nb: 2\n":             "a.yaml:1: it holds more than one document; remove the --- between them",
		"a: b: c\n":                     "a.yaml:1: not YAML: ",
		strings.Repeat("[", 101):        "a.yaml:1: it is nested too deeply",
		strings.Repeat("#", maxBytes+1): "a.yaml:1: it is longer than 1048576 bytes",
	} {
		doc, root := Read("a.yaml", []byte(text), style)
		if err := doc.Err(); err == nil || !strings.HasPrefix(err.Error(), want) || root.Kind != Broken {
			t.Errorf("%.20q: %v, root is %v", text, err, root.Kind)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("a: {b: [c, 1, ~]}\n"))
	f.Add([]byte("? [a\n: &x *x\n<<: {}\n- !!t"))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, root := Read("f", data, style)
		if (root.Kind == Object) == (root.Kind == Broken) || root.Kind == Broken && doc.Err() == nil {
			t.Fatalf("%v and %v", root.Kind, doc.Err())
		}
		root.Only([]string{"a"})
		for _, k := range root.Keys {
			k.Value.Texts("x")
			k.Value.Size(9)
		}
		if err := doc.Err(); (err == nil) != (doc.Faults() == 0) {
			t.Fatal(err)
		}
	})
}
