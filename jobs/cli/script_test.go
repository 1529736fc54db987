package cli_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/rogpeppe/go-internal/testscript"

	"concord/jobs/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"concord": func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		os.Exit(cli.Run(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
	}})
}

// TestScripts runs whole commands as a person would.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fails":     fails,
			"parquet":   writeParquet,
			"truncate":  truncate,
			"bytes":     writeBytes,
			"smalldisk": smallDisk,
			"onlythese": onlyThese,
			"sftphost":  startHost,
			"aged":      makeOld,
			"field":     takeField,
			"running":   untilRunning,
		},
		Condition: func(cond string) (bool, error) { return cond == "mount" && canMount(t), nil },
	})
}

// fails runs a command that must end with an exit code: fails CODE PROGRAM ARG….
func fails(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || strconv.Itoa(exit.ExitCode()) != args[0] {
		ts.Fatalf("exit code %s expected: %v", args[0], err)
	}
}

// parquetCall is a canonical record.
type parquetCall struct {
	RecordID   string    `parquet:"record_id"`
	Caller     string    `parquet:"caller"`
	Callee     string    `parquet:"callee"`
	Start      time.Time `parquet:"start,timestamp(microsecond)"`
	DurationMS int64     `parquet:"duration_ms"`
}

// writeParquet makes a canonical Parquet file: parquet NAME ROWS.
func writeParquet(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	rows := make([]parquetCall, n)
	for i := range rows {
		rows[i] = parquetCall{"r" + strconv.Itoa(i), "+4930123456", "+33145678900",
			time.Date(2026, 10, 1, 12, i, 0, 0, time.UTC), 60_000}
	}
	ts.Check(parquet.WriteFile(ts.MkAbs(args[0]), rows))
}

// truncate sets the size of a file: truncate NAME SIZE.
func truncate(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.ParseInt(args[1], 0, 64)
	ts.Check(err)
	ts.Check(os.Truncate(ts.MkAbs(args[0]), n))
}

// writeBytes makes a file of a Go string: bytes NAME TEXT.
func writeBytes(ts *testscript.TestScript, _ bool, args []string) {
	text, err := strconv.Unquote(`"` + args[1] + `"`)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o666))
}

// onlyThese checks what is in a folder, hidden files too: onlythese DIR NAME…
func onlyThese(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "." {
		args = append(args, ".tmp") // the script's own, for temporary files
		onlyThese(ts, false, []string{".tmp"})
	}
	want := make(map[string]bool)
	for _, name := range args[1:] {
		want[name] = true
	}
	entries, err := os.ReadDir(ts.MkAbs(args[0]))
	ts.Check(err)
	for _, e := range entries {
		if !want[e.Name()] {
			ts.Fatalf("%s was left in %s", e.Name(), args[0])
		}
		delete(want, e.Name())
	}
	for name := range want {
		ts.Fatalf("%s is not in %s", name, args[0])
	}
}

// smallDisk makes a folder that holds little: smalldisk DIR BYTES.
func smallDisk(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ts.Check(os.Mkdir(dir, 0o777))
	ts.Check(mount(dir, args[1]))
	ts.Defer(func() { ts.Check(unmount(dir)) })
}

func canMount(t *testing.T) bool {
	dir := filepath.Join(t.TempDir(), "mnt")
	if os.Mkdir(dir, 0o777) != nil || mount(dir, "64k") != nil {
		return false
	}
	return unmount(dir) == nil
}
