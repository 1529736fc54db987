package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"concord/engine"
	"concord/exchange/atrest"
)

// Worker does jobs in child processes of this program.
type Worker struct {
	Program string   // the program to start
	Args    []string // what makes it call Work
	// Keys open and encrypt what is kept; a child is handed them. Nil: it is in
	// clear.
	Keys *atrest.Keys
	// grace is how long a child may take to stop when asked; 0: 5 s.
	grace time.Duration
	// bound changes the limits of a child, for tests; nil: as they are.
	bound func(*limits)
}

// Match reconciles in a child process. Its error is a *Failure. If the child
// dies, each input is decoded alone, in a child of its own, to find the one
// that kills it.
func (w Worker) Match(ctx context.Context, o MatchOptions, watch engine.Observer) (*Outcome, error) {
	p, err := o.plan()
	if err != nil {
		return nil, err
	}
	done, err := p.learn(ctx, w.ReadListing)
	if err != nil {
		return nil, Explain(err)
	}
	defer func() { _ = done() }() // a hidden folder that says what it is
	o.Staging, o.Memory, o.Listings, o.Assigned = p.Staging, p.Memory, nil, p.Assigned
	last, death, err := w.run(ctx, request{Options: o, Limits: limitsFor(p.Memory, p.bytes)}, watch)
	if last != nil && last.Done != nil {
		return last.Done, nil
	}
	left := discard(p.Staging)
	switch {
	case ctx.Err() != nil && p.taken():
		err = p.unsaid()
	case ctx.Err() != nil:
		err = Explain(context.Canceled)
	case err != nil:
		err = Explain(err)
	case last != nil && last.Failed != nil:
		err = last.Failed
	case p.taken():
		err = p.unsaid()
	default:
		err = w.blame(ctx, p, death)
	}
	return nil, left.after(err)
}

// leftover is the name of a folder that could not be removed, and why.
type leftover string

// discard removes what a stopped run left, if it left anything.
func discard(staging string) leftover {
	if _, err := os.Lstat(staging); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	if err := os.RemoveAll(staging); err != nil {
		return leftover(fmt.Sprintf("remove the unfinished folder %s by hand: %v", staging, reason(err)))
	}
	return ""
}

// after tells of the leftover behind what went wrong first.
func (l leftover) after(err error) error {
	if l == "" {
		return err
	}
	f := Explain(err)
	return &Failure{Kind: f.Kind, Messages: append(f.Messages[:len(f.Messages):len(f.Messages)], string(l))}
}

// taken says whether there is something under the report's name, where
// nothing was when the run began.
func (p *plan) taken() bool {
	_, err := os.Lstat(p.Out)
	return err == nil
}

// unsaid is the failure of a run that was ended after its report was
// published, or while another run published one.
func (p *plan) unsaid() error {
	return &Failure{Kind: KindFailed, Messages: []string{"the run was ended before it could say that it was done, but folder " + p.Out +
		" is there and whole, from it or from another run; look into its summary.json, or remove it and run again"}}
}

// death says how a child ended that did not say so itself.
type death string

const (
	noMemory death = "it needs more memory than it may have; allow more with --memory"
	killed   death = "it was ended because it took too long, or because the machine is short of memory"
	defect   death = "this is a defect of concord, not of your files; please report it with the version and the command"
)

// blame looks for the inputs that kill the process which decodes them.
func (w Worker) blame(ctx context.Context, p *plan, d death) error {
	f := &Failure{Kind: KindInput}
	for side, paths := range p.paths() {
		for i, path := range paths {
			size, _ := fileSize(path)
			req := request{Options: p.MatchOptions, Probe: path, Name: p.names[side][i], Side: engine.Side(side), Limits: limitsFor(p.Memory, size)}
			last, _, err := w.run(ctx, req, engine.Observer{})
			switch {
			case ctx.Err() != nil:
				return Explain(context.Canceled)
			case err != nil:
				return Explain(err)
			case last == nil && p.fromRecords():
				f.Kind = KindFailed
				f.Messages = append(f.Messages, unreadable(p.Records[side][i]))
			case last == nil:
				f.Messages = append(f.Messages, undecodable(p.names[side][i]).Messages...)
			case last.Failed != nil:
				f.Messages = append(f.Messages, last.Failed.Messages...)
			}
		}
	}
	if len(f.Messages) == 0 {
		return &Failure{Kind: KindFailed, Messages: []string{"the run ended before it was done and wrote nothing: " + string(d)}}
	}
	return f
}

// undecodable says that a file kills whoever reads it.
func undecodable(name string) *Failure {
	return &Failure{Kind: KindInput, Messages: []string{name +
		" could not be decoded within limits; it is damaged or made to do harm: ask the sender for a new copy"}}
}

// unreadable puts records aside that kill whoever reads them, and says so.
func unreadable(r RecordsInput) string {
	if err := os.Rename(r.Path, r.Path+asideEnding); err != nil {
		return fmt.Sprintf("the records of %s cannot be decoded within limits; remove %s, and they are made anew: %v", r.Name, r.Path, reason(err))
	}
	return "the records of " + r.Name + " could not be decoded within limits; do it again: they are made anew from the file as it was received"
}

// run starts a child and returns its last event, or nil and how it died. err
// is about starting it.
func (w Worker) run(ctx context.Context, req request, watch engine.Observer) (last *event, d death, err error) {
	if w.bound != nil {
		w.bound(&req.Limits)
	}
	req.Keys = w.Keys.Share()
	line, err := json.Marshal(req)
	if err != nil {
		return nil, "", fmt.Errorf("ask a worker: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, req.Limits.Wall)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.Program, w.Args...)
	cmd.Env = workerEnv()
	stderr := new(head)
	cmd.Stderr = stderr
	cmd.WaitDelay = w.patience()
	cmd.Cancel = func() error { return stop(cmd.Process) }
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		return nil, "", fmt.Errorf("start a worker: %w", err)
	}
	_, werr := in.Write(append(line, '\n'))
	if werr == nil {
		last = listen(out, watch)
	}
	// in stays open until here: its end tells the child that nobody waits.
	_ = in.Close()
	werr = cmd.Wait()
	if errors.Is(ctx.Err(), context.DeadlineExceeded) && (last == nil || last.Failed != nil) {
		return nil, killed, nil // its last words are about being stopped
	}
	return last, causeOf(werr, stderr.String()), nil
}

func (w Worker) patience() time.Duration {
	if w.grace > 0 {
		return w.grace
	}
	return 5 * time.Second
}

// stop asks a child to stop; if it does not, it is killed in the end.
func stop(p *os.Process) error {
	if err := p.Signal(syscall.SIGTERM); err == nil || errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return p.Kill()
}

// listen passes progress on until the last event, which it returns.
func listen(out io.Reader, watch engine.Observer) *event {
	dec := json.NewDecoder(out)
	for {
		var e event
		if err := dec.Decode(&e); err != nil {
			return nil
		}
		switch {
		case e.last():
			return &e
		case e.Stage != "" && watch.Stage != nil:
			watch.Stage(e.Stage)
		case e.Stage == "" && watch.Rows != nil:
			watch.Rows(e.Side, e.Rows)
		}
	}
}

// causeOf guesses from its last words why a process died.
func causeOf(err error, words string) death {
	var exit *exec.ExitError
	switch {
	case strings.Contains(words, "out of memory"), strings.Contains(words, "cannot allocate memory"):
		return noMemory
	case errors.As(err, &exit) && !exit.Exited():
		return killed
	}
	return defect
}

// workerEnv is all that a worker needs of the environment: nothing that could
// be a secret.
func workerEnv() []string {
	env := []string{"GOTRACEBACK=single"}
	for _, name := range []string{"TMPDIR", "TMP", "TEMP", "TZ", "ZONEINFO", "GOMAXPROCS", "GOCOVERDIR", "SystemRoot"} {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// head keeps the beginning of what is written to it.
type head struct{ b []byte }

const headSize = 4 << 10

// Write implements io.Writer.
func (h *head) Write(p []byte) (int, error) {
	h.b = append(h.b, p[:min(len(p), headSize-len(h.b))]...)
	return len(p), nil
}

func (h *head) String() string { return string(h.b) }

// Self returns the worker that is this program with the given arguments.
func Self(args ...string) (Worker, error) {
	program, err := os.Executable()
	if err != nil {
		return Worker{}, fmt.Errorf("find this program: %w", err)
	}
	return Worker{Program: filepath.Clean(program), Args: args}, nil
}
