package jobs

import (
	"context"
	"errors"
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
