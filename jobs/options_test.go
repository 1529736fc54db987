package jobs

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"concord/engine"
)

func TestEveryFaultOfACommandIsToldAtOnce(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "p.yaml": "carrier: [\n"})
	o := MatchOptions{
		Microsoft: []string{in("m.csv"), in("m.csv"), in(".")}, Carrier: []string{in("gone.csv")}, Profile: in("p.yaml"),
		Period: "october", AsOf: "soon", Memory: 1, Workers: -1, Out: in("nowhere/out"),
	}
	_, err := Match(context.Background(), o, engine.Observer{})
	var f *Failure
	if !errors.As(err, &f) || f.Kind != KindUsage {
		t.Fatalf("error %v", err)
	}
	for _, want := range []string{
		"is given twice", "is a folder, not a file", "gone.csv: there is no such file", "p.yaml", "--period: ", "--as-of: ",
		"--memory: must be at least 16MiB", "--workers: must not be negative", "nowhere does not exist; create it first",
	} {
		if !strings.Contains(f.Error(), want) {
			t.Errorf("not told: %s", want)
		}
	}
	if t.Failed() {
		t.Log(f.Error())
	}
	onlyFiles(t, in("."), 2)
}

func TestAnExistingFolderIsRefusedBeforeAnyWork(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "c.csv": carrierCSV, "out": "a file in its place"})
	_, err := Match(context.Background(), MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv")}, Out: in("out")}, engine.Observer{})
	var f *Failure
	if !errors.As(err, &f) || f.Kind != KindUsage || !strings.Contains(f.Error(), "already exists") {
		t.Errorf("error %v", err)
	}
}

func TestOneFileUnderTwoNamesIsGivenTwice(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "c.csv": carrierCSV})
	if err := os.Link(in("c.csv"), in("link.csv")); err != nil {
		t.Fatal(err)
	}
	_, err := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv"), in("link.csv")}, Out: in("out")}.plan()
	if err == nil || !strings.Contains(err.Error(), "link.csv: is given twice") {
		t.Errorf("error %v", err)
	}
}

func TestFilesOfOneNameAreToldApart(t *testing.T) {
	for _, c := range []struct {
		name        string
		paths, want []string
	}{
		{"names of their own", []string{"/in/a.csv", "/in/b.csv"}, []string{"a.csv", "b.csv"}},
		{"a folder a day", []string{"in/2026-10-01/cdr.csv", "in/2026-10-02/cdr.csv", "in/other.csv"}, []string{"2026-10-01/cdr.csv", "2026-10-02/cdr.csv", "other.csv"}},
		{"folders of one name, too", []string{"a/01/cdr.csv", "b/01/cdr.csv"}, []string{"a/01/cdr.csv", "b/01/cdr.csv"}},
		{"one in the folder above", []string{"cdr.csv", "old/cdr.csv"}, []string{"cdr.csv", "old/cdr.csv"}},
		{"one path is the end of the other", []string{"x/old/cdr.csv", "old/cdr.csv"}, []string{"x/old/cdr.csv", "old/cdr.csv"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := shortNames(c.paths); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestAReportCannotHaveAnyName(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "c.csv": carrierCSV})
	_, err := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv"), ""}, Out: in(strings.Repeat("x", 300))}.plan()
	if err == nil || strings.Contains(err.Error(), "already exists") || !strings.Contains(err.Error(), "--out ") || !strings.Contains(err.Error(), "the name is empty") {
		t.Errorf("error %v", err)
	}
}
