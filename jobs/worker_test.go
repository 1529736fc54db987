package jobs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"concord/engine"
)

// TestMain lets the test program be a worker that may misbehave.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "worker" {
		os.Exit(misbehave(os.Args[2]))
	}
	os.Exit(m.Run())
}

// misbehave does as a worker that decodes killer.csv, which ends it in the
// given way; anything else it does well.
func misbehave(how string) int {
	in := bufio.NewReader(os.Stdin)
	line, _ := in.ReadBytes('\n')
	var req request
	if err := json.Unmarshal(line, &req); err != nil {
		return 1
	}
	if !meets(req, "killer.csv") {
		if Work(context.Background(), io.MultiReader(bytes.NewReader(line), in), os.Stdout) != nil {
			return 1
		}
		return 0
	}
	if req.Inspect != nil || req.Listing != nil {
		if how != "mute" {
			_ = json.NewEncoder(os.Stdout).Encode(event{Stage: stageInspect})
		}
		_ = req.Limits.apply()
		end(how)
		return 0
	}
	if how == "publish" && req.Probe == "" { // a run that is killed before its last words
		_, _ = Match(context.Background(), req.Options, engine.Observer{})
		return 1
	}
	if req.Deliver != nil {
		if !req.DecodeOnly {
			_ = os.Mkdir(req.Deliver.Staging, 0o777)
		}
		_ = req.Limits.apply()
		end(how)
		return 0
	}
	if req.Probe == "" {
		_ = os.Mkdir(req.Options.Staging, 0o777)
	}
	_ = os.WriteFile(filepath.Join(req.Options.Staging, "half"), nil, 0o666) // fails for a probe
	_ = req.Limits.apply()
	end(how)
	return 0
}

func meets(req request, name string) bool {
	if req.Inspect != nil {
		return req.Inspect.Name == name
	}
	if req.Listing != nil {
		return req.Listing.Name == name
	}
	if req.Probe != "" {
		return filepath.Base(req.Probe) == name
	}
	if req.Deliver != nil {
		return slices.ContainsFunc(append(req.Deliver.Calls, req.Deliver.Quality...), func(f string) bool { return filepath.Base(f) == name })
	}
	for _, f := range append(req.Options.Carrier, req.Options.Microsoft...) {
		if filepath.Base(f) == name {
			return true
		}
	}
	return false
}

var sinkhole []byte

func end(how string) {
	switch how {
	case "panic":
		panic("+4930123456 is a number that nobody may see")
	case "memory":
		sinkhole = make([]byte, 8<<30)
		for i := 0; i < len(sinkhole); i += 4096 {
			sinkhole[i] = 1
		}
	case "spin":
		for i := 0; ; i++ {
			sinkhole = append(sinkhole[:0], byte(i))
		}
	case "hang":
		deaf := make(chan os.Signal, 1)
		signal.Notify(deaf, syscall.SIGTERM)
		for range deaf { // hears that it should end, and does not
		}
	case "nothing":
	}
}

func worker(how string) Worker {
	return Worker{Program: os.Args[0], Args: []string{"worker", how}, grace: 20 * time.Millisecond, bound: func(l *limits) {
		if how == "hang" {
			l.Wall = 2 * time.Second
		}
		if how == "spin" {
			l.CPU = 1
		}
	}}
}

const (
	microsoftCSV = "record_id,caller,callee,start,duration_ms\nm1,+4930123456,+33145678900,2026-10-01T12:00:00Z,60000\n"
	carrierCSV   = "record_id,caller,callee,start,duration_ms\nc1,+4930123456,+33145678900,2026-10-01T12:00:01Z,75000\n"
)

// files writes files into a new folder and returns their names.
func files(t *testing.T, content map[string]string) func(string) string {
	dir := t.TempDir()
	for name, text := range content {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return func(name string) string { return filepath.Join(dir, name) }
}

func TestAChildThatDiesIsOneErrorAboutOneFile(t *testing.T) {
	for _, how := range []string{"panic", "memory", "spin", "hang", "nothing"} {
		if runtime.GOOS != "linux" && (how == "memory" || how == "spin") {
			continue // only the wall clock bounds a worker there
		}
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			in := files(t, map[string]string{"m.csv": microsoftCSV, "good.csv": carrierCSV, "killer.csv": carrierCSV})
			o := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("good.csv"), in("killer.csv")}, Out: in("out")}
			_, err := worker(how).Match(context.Background(), o, engine.Observer{})
			var f *Failure
			if !errors.As(err, &f) || f.Kind != KindInput || len(f.Messages) != 1 || !strings.HasPrefix(f.Messages[0], "killer.csv could not be decoded within limits") {
				t.Errorf("error %v", err)
			}
			onlyFiles(t, in("."), 3)
		})
	}
}

func TestARunThatWasKilledAfterItPublishedDoesNotSayThatNothingWasWritten(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "killer.csv": carrierCSV})
	o := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("killer.csv")}, Out: in("out")}
	_, err := worker("publish").Match(context.Background(), o, engine.Observer{})
	if err == nil || !strings.Contains(err.Error(), "is there and whole") || strings.Contains(err.Error(), "nothing") {
		t.Errorf("error %v", err)
	}
	onlyFiles(t, in("."), 3)
}

func TestWhatCouldNotBeRemovedIsToldAfterTheReason(t *testing.T) {
	if l := discard(filepath.Join(t.TempDir(), "none")); l != "" {
		t.Errorf("%q is left", l)
	}
	err := leftover("remove it by hand").after(usage(errors.New("the disk is read-only")))
	if f := Explain(err); f.Kind != KindUsage || f.Error() != "the disk is read-only\nremove it by hand" {
		t.Errorf("%s: %v", f.Kind, f)
	}
}

// onlyFiles checks that a folder holds nothing but the n files put there.
func onlyFiles(t *testing.T, dir string, n int) {
	t.Helper()
	if left, _ := os.ReadDir(dir); len(left) != n {
		t.Errorf("left behind: %v", left)
	}
}

func TestACancelledRunStopsSoonAndLeavesNothing(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "killer.csv": carrierCSV})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(100*time.Millisecond, cancel)
	begin := time.Now()
	w := worker("hang")
	w.bound = nil
	_, err := w.Match(ctx, MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("killer.csv")}, Out: in("out")}, engine.Observer{})
	var f *Failure
	if !errors.As(err, &f) || f.Kind != KindCancelled {
		t.Errorf("error %v", err)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("stopped after %v", d)
	}
	onlyFiles(t, in("."), 2)
}

func TestAWorkerGivesTheSameReportAsThisProcess(t *testing.T) {
	in := files(t, map[string]string{"m.csv": microsoftCSV, "c.csv": carrierCSV})
	o := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{in("c.csv")}, Out: in("here"), Verdicts: true, Users: true}
	if _, err := Match(context.Background(), o, engine.Observer{}); err != nil {
		t.Fatal(err)
	}
	o.Out = in("there")
	got, err := worker("nothing").Match(context.Background(), o, engine.Observer{})
	if err != nil {
		t.Fatal(err)
	}
	if got.Summary.Totals.DifferenceMS() != 15_000 {
		t.Errorf("difference of %d ms", got.Summary.Totals.DifferenceMS())
	}
	for _, name := range []string{"manifest.json", "summary.json", "discrepancies.csv"} {
		a, errA := os.ReadFile(filepath.Join(in("here"), name))
		b, errB := os.ReadFile(filepath.Join(in("there"), name))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestNoSecretReachesAWorker(t *testing.T) {
	t.Setenv("DATABASE_URL", "postgres://user:secret@host/db")
	for _, v := range workerEnv() {
		if strings.Contains(v, "secret") {
			t.Error("the environment is handed on")
		}
	}
}
