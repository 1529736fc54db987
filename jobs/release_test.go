package jobs

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"concord/engine"
)

const csvHeader = "record_id,caller,callee,start,duration_ms\n"

// Four calls of one minute. The carrier's first file bills one too high and
// leaves two out.
var october = map[string]string{
	"m.csv": csvHeader +
		"m1,+4930123456,+33145678901,2026-10-01T12:00:00Z,60000\nm2,+4930123456,+33145678902,2026-10-01T12:10:00Z,60000\n" +
		"m3,+4930123456,+33145678903,2026-10-01T12:20:00Z,60000\nm4,+4930123456,+33145678904,2026-10-01T12:30:00Z,60000\n",
	"c.csv": csvHeader +
		"c1,+4930123456,+33145678901,2026-10-01T12:00:00Z,60000\nc2,+4930123456,+33145678902,2026-10-01T12:10:00Z,75000\n",
	"late.csv": csvHeader + "c3,+4930123456,+33145678903,2026-10-01T12:20:00Z,60000\n",
	// The correction has c1 in another row, and bills c2 less.
	"correction.csv": csvHeader +
		"c2,+4930123456,+33145678902,2026-10-01T12:10:00Z,70000\nc1,+4930123456,+33145678901,2026-10-01T12:00:00Z,60000\n",
}

// publish makes version v of the carrier's files; it supersedes the one
// before, if there is one.
func publish(t *testing.T, in func(string) string, v int, carrier ...string) *Outcome {
	t.Helper()
	out, err := Match(context.Background(), versionOptions(in, v, carrier...), engine.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func versionOptions(in func(string) string, v int, carrier ...string) MatchOptions {
	o := MatchOptions{Microsoft: []string{in("m.csv")}, CarrierName: "fabrikam", Out: versionFolder(in, v), Release: &Release{Version: v}}
	for _, name := range carrier {
		o.Carrier = append(o.Carrier, in(name))
	}
	if v > 1 {
		o.Release.Previous, o.Release.PreviousVersion = versionFolder(in, v-1), v-1
	}
	return o
}

func versionFolder(in func(string) string, v int) string { return in("v" + string(rune('0'+v))) }

// events returns what became of the cases in a folder, without their ids.
func events(t *testing.T, folder string) (list []CaseEvent) {
	t.Helper()
	for e, err := range Events(nil, folder) {
		if err != nil {
			t.Fatal(err)
		}
		if len(e.CaseID) != 24 {
			t.Errorf("case id %q", e.CaseID)
		}
		e.CaseID = ""
		list = append(list, e)
	}
	return list
}

func TestALateFileAndACorrectionChangeOnlyWhatTheySay(t *testing.T) {
	in := files(t, october)
	first := publish(t, in, 1, "c.csv")
	second := publish(t, in, 2, "c.csv", "late.csv")
	third := publish(t, in, 3, "late.csv", "correction.csv")
	for _, c := range []struct {
		name string
		out  *Outcome
		want []CaseEvent
	}{
		{"the first version changes nothing", first, nil},
		{"a late file settles what was missing", second, []CaseEvent{{Event: "closed", Before: "missing_at_carrier"}}},
		{"a correction bills less, and a row that it moves is no change", third, []CaseEvent{{Event: "changed", Class: "duration_over", Before: "duration_over", DiffMS: 10_000, BeforeMS: 15_000}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := events(t, c.out.Out)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if ch := c.out.Changes; ch.Opened.Cases+ch.Changed.Cases+ch.Closed.Cases != int64(len(got)) {
				t.Errorf("counts %+v", ch)
			}
			if c.out.Manifest != manifestOf(t, c.out.Out) {
				t.Error("the outcome has another hash than manifest.json")
			}
		})
	}
}

func manifestOf(t *testing.T, folder string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// An operator must be able to make a version anew and compare it.
func TestAVersionIsTheSameOnAnyMachine(t *testing.T) {
	in := files(t, october)
	publish(t, in, 1, "c.csv")
	want := publish(t, in, 2, "c.csv", "late.csv")
	o := versionOptions(in, 2, "c.csv", "late.csv")
	o.Out, o.Workers, o.Memory, o.Release.PreviousManifest = in("again"), 1, minMemory, manifestOf(t, versionFolder(in, 1))
	got, err := worker("nothing").Match(context.Background(), o, engine.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Manifest != want.Manifest {
		t.Error("two reports of one version differ")
	}
	if diff := cmp.Diff(want.Changes, got.Changes); diff != "" {
		t.Errorf("what the child says of the changes (-here +child):\n%s", diff)
	}
}

func TestAReportWaitsUnseenForItsName(t *testing.T) {
	in := files(t, october)
	publish(t, in, 1, "c.csv")
	o := versionOptions(in, 2, "c.csv", "late.csv")
	o.Unpublished, o.Staging = true, in(".staging-r2")
	out, err := worker("nothing").Match(context.Background(), o, engine.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(o.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is to be seen before it is settled: %v", err)
	}
	if out.Staging != o.Staging || out.Manifest != manifestOf(t, out.Staging) || len(events(t, out.Staging)) != 1 {
		t.Errorf("staged in %s", out.Staging)
	}
	for range 2 {
		if err := Settle(out.Staging, out.Out); err != nil {
			t.Fatal(err)
		}
	}
	if out.Manifest != manifestOf(t, out.Out) || len(events(t, out.Out)) != 1 {
		t.Error("what was settled is not what was written")
	}
	onlyFiles(t, in("."), len(october)+2)
}

// Whoever is killed behind its last file has not said what it made: the
// service has recorded nothing, so nothing may stay.
func TestAReportThatWasNotReportedDoesNotStayStaged(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "killer.csv": carrierCSV})
	o := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("killer.csv")}, Out: in("out"), Unpublished: true}
	if _, err := worker("publish").Match(context.Background(), o, engine.Observer{}); err == nil {
		t.Error("a child that said nothing has succeeded")
	}
	onlyFiles(t, in("."), 2)
}

func TestAVersionThatWasTamperedWithIsNotSuperseded(t *testing.T) {
	in := files(t, october)
	publish(t, in, 1, "c.csv")
	name := filepath.Join(versionFolder(in, 1), "discrepancies.csv")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(strings.Replace(string(b), ",75,", ",76,", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err = worker("nothing").Match(context.Background(), versionOptions(in, 2, "c.csv", "late.csv"), engine.Observer{})
	var f *Failure
	if !errors.As(err, &f) || f.Kind != KindFailed || !strings.Contains(f.Error(), "discrepancies.csv of version 1 was changed on disk") || strings.Contains(f.Error(), "4930") {
		t.Errorf("error %v", err)
	}
	onlyFiles(t, in("."), len(october)+1)
}

func TestAReleaseThatMakesNoSenseIsRefusedBeforeAnyWork(t *testing.T) {
	in := files(t, october)
	publish(t, in, 1, "c.csv")
	for _, c := range []struct {
		name string
		r    Release
		want string
	}{
		{"no version", Release{}, "versions count from 1"},
		{"a version before without a folder", Release{Version: 2, PreviousVersion: 1}, "name the folder of the version before"},
		{"a hash without a folder", Release{Version: 2, PreviousManifest: "aa"}, "name the folder of the version before"},
		{"a folder without a version", Release{Version: 2, Previous: versionFolder(in, 1)}, "version 2 cannot supersede version 0"},
		{"itself", Release{Version: 1, Previous: versionFolder(in, 1), PreviousVersion: 1}, "version 1 cannot supersede version 1"},
		{"a folder that is not there", Release{Version: 3, Previous: in("v2"), PreviousVersion: 2}, "manifest.json of version 2 in folder " + in("v2") + ": there is no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := versionOptions(in, 2, "c.csv")
			o.Release = &c.r
			_, err := Match(context.Background(), o, engine.Observer{})
			var f *Failure
			if !errors.As(err, &f) || f.Kind != KindUsage || !strings.Contains(f.Error(), c.want) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestEventsThatAreNotThereAreAnError(t *testing.T) {
	var last error
	for _, err := range Events(nil, t.TempDir()) {
		last = err
	}
	if last == nil || !strings.Contains(last.Error(), "there is no such file") {
		t.Errorf("error %v", last)
	}
}
