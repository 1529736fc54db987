// Package cli is the command line: it reads flags, starts jobs and speaks to
// the person or script that gave the command. Results go to the output;
// progress and errors go to the error stream, and say what is wrong, where,
// and what to do. It decides nothing about calls.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"concord/jobs"
	"concord/jobs/control"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitDispute = 3
)

// workerCommand is the hidden command of the child processes.
const workerCommand = "worker-process"

// Streams are where a command reads and speaks.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// commands is the grammar.
type commands struct {
	Match      matchCmd      `cmd:"" help:"Reconcile a carrier's files with Microsoft's and write a report."`
	Profile    profileCmd    `cmd:"" help:"Check a carrier's profile, or propose one."`
	Serve      serveCmd      `cmd:"" help:"Serve carriers: take their files over SFTP and answer with receipts."`
	Jobs       jobsCmd       `cmd:"" help:"List the jobs: what each does, its last run, and when it is due."`
	Run        runCmd        `cmd:"" name:"run" help:"Start a job now."`
	Rerun      rerunCmd      `cmd:"" help:"Do a run again."`
	Cancel     cancelCmd     `cmd:"" help:"Cancel a run."`
	Pause      pauseCmd      `cmd:"" help:"Keep a job from starting runs."`
	Resume     resumeCmd     `cmd:"" help:"Let a paused job start runs again."`
	Backfill   backfillCmd   `cmd:"" help:"Run a job for a span of days or months."`
	Runs       runsCmd       `cmd:"" help:"List runs, or show one."`
	Files      filesCmd      `cmd:"" help:"List what carriers sent and what became of it, or show one file."`
	Reports    reportsCmd    `cmd:"" help:"List reports, show one, or get its files."`
	Cases      casesCmd      `cmd:"" help:"List cases, show one, work on them, or count them by age."`
	Subject    subjectCmd    `cmd:"" help:"Find what is kept about a phone number, or erase it."`
	Purge      purgeCmd      `cmd:"" help:"Remove what is older than it is kept, and leave a proof."`
	Hold       holdCmd       `cmd:"" help:"Keep what is in dispute, whatever its age."`
	Proofs     proofsCmd     `cmd:"" help:"List the proofs of what was purged, erased, held and released, or verify their chain."`
	Alerts     alertsCmd     `cmd:"" help:"List what a person should know of."`
	Audit      auditCmd      `cmd:"" help:"List who did what."`
	Reload     reloadCmd     `cmd:"" help:"Have the running service read its configuration again."`
	Config     configCmd     `cmd:"" help:"Check the configuration of the service, or print an example."`
	Carrier    carrierCmd    `cmd:"" help:"Keys and passwords of carriers; try a carrier's own host."`
	Encrypt    encryptCmd    `cmd:"" help:"Keys for what is kept in the data folder; encrypt or decrypt what is there."`
	User       userCmd       `cmd:"" help:"Passwords of people who log in to the console."`
	Doctor     doctorCmd     `cmd:"" help:"Look at everything that the service needs, and say what to do about what is wrong."`
	Demo       demoCmd       `cmd:"" help:"Make three carriers' files, reconcile each and show the result."`
	Completion completionCmd `cmd:"" help:"Print the script that completes commands in a shell."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// session is what commands share.
type session struct {
	ctx context.Context
	Streams
	code int
}

// Run runs one command and returns the exit code: 0 done; 1 failed; 2 usage
// or configuration; 3 done, but the totals verdict is dispute and --fail-on
// asked to fail on it.
func Run(ctx context.Context, args []string, s Streams) (code int) {
	if len(args) == 1 && args[0] == workerCommand {
		return runWorker(ctx, s)
	}
	defer func() {
		if e, ok := recover().(exit); ok {
			code = int(e)
		}
	}()
	ses := &session{ctx: ctx, Streams: s}
	parser, err := kong.New(&commands{}, kong.Name("concord"), kong.Writers(s.Out, s.Err),
		kong.Description("Reconciles Microsoft's call records with the durations that a carrier reports."),
		kong.Exit(func(code int) { panic(exit(code)) }), kong.UsageOnError())
	if err != nil {
		return ses.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	if args[0] == completeCommand {
		ses.complete(parser.Model, args[1:])
		return exitDone
	}
	k, err := parser.Parse(args)
	if err != nil {
		return ses.fail(&jobs.Failure{Kind: jobs.KindUsage, Messages: []string{err.Error() + "; concord --help lists the commands, concord COMMAND --help their flags"}})
	}
	if err := k.Run(ses); err != nil {
		return ses.fail(err)
	}
	return ses.code
}

// exit carries an exit code out of the parser's help.
type exit int

// runWorker is the life of a child process.
func runWorker(ctx context.Context, s Streams) int {
	if err := jobs.Work(ctx, s.In, s.Out); err != nil {
		fmt.Fprintln(s.Err, err)
		return exitFailed
	}
	return exitDone
}

// explain makes a failure of any error. What was refused because it makes no
// sense, or is about something that is not there, is a matter of the command.
func explain(err error) *jobs.Failure {
	if r, ok := errors.AsType[*control.Refusal](err); ok {
		kind := jobs.KindFailed
		if r.Kind == control.Invalid || r.Kind == control.NotFound {
			kind = jobs.KindUsage
		}
		return &jobs.Failure{Kind: kind, Messages: strings.Split(r.Text, "\n")}
	}
	return jobs.Explain(err)
}

// fail shows an error as one block and returns its exit code.
func (s *session) fail(err error) int {
	f := explain(err)
	fmt.Fprint(s.Err, "concord: ")
	for i, m := range f.Messages {
		if i > 0 {
			fmt.Fprint(s.Err, "         ")
		}
		fmt.Fprintln(s.Err, strings.ReplaceAll(m, "\n", "\n         "))
	}
	if f.Kind == jobs.KindUsage {
		return exitUsage
	}
	return exitFailed
}

type versionCmd struct{}

// Run prints the version of the program.
func (versionCmd) Run(s *session) error {
	version, toolchain := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, toolchain = info.Main.Version, info.GoVersion
	}
	fmt.Fprintf(s.Out, "concord %s (%s)\n", version, toolchain)
	return nil
}

// terminal returns the file behind w when it is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	if !ok {
		return nil, false
	}
	return f, isTerminal(f)
}
