package jobs

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"concord/exchange"
	"concord/formats"
)

// Kind says what went wrong, as far as who gave the command must know.
type Kind string

// Kinds of failure.
const (
	KindUsage     Kind = "usage"     // the command or its settings are wrong; nothing was tried
	KindInput     Kind = "input"     // a file cannot be used
	KindFailed    Kind = "failed"    // the work could not be done
	KindCancelled Kind = "cancelled" // it was stopped from outside
)

// Failure is why a job was not done. It leaves nothing half-written.
type Failure struct {
	Kind     Kind     `json:"kind"`
	Messages []string `json:"messages"` // a sentence each: what, where, what to do
}

// Error implements error.
func (f *Failure) Error() string { return strings.Join(f.Messages, "\n") }

// usage makes a usage failure of err.
func usage(err error) error {
	return &Failure{Kind: KindUsage, Messages: lines(err)}
}

// Explain makes a failure of any error.
func Explain(err error) *Failure {
	var f *Failure
	if errors.As(err, &f) {
		return f
	}
	if files := fileErrors(err); len(files) > 0 {
		return &Failure{Kind: KindInput, Messages: files}
	}
	switch {
	case errors.Is(err, context.Canceled):
		return &Failure{Kind: KindCancelled, Messages: []string{"stopped; nothing was written"}}
	case errors.Is(err, exchange.ErrExists):
		return &Failure{Kind: KindUsage, Messages: lines(err)}
	case errors.Is(err, syscall.ENOSPC):
		return &Failure{Kind: KindFailed, Messages: []string{firstLine(err) +
			"; free some space, or choose another folder with --out (and TMPDIR for temporary files)"}}
	}
	switch {
	case errors.Is(err, fs.ErrExist):
		return &Failure{Kind: KindFailed, Messages: []string{firstLine(err) + "; perhaps another run made it meanwhile: choose another folder"}}
	case errors.Is(err, fs.ErrPermission):
		return &Failure{Kind: KindFailed, Messages: []string{firstLine(err) + "; choose a folder in which this user may write"}}
	}
	return &Failure{Kind: KindFailed, Messages: lines(err)}
}

// fileErrors returns the messages of every file that err is about.
func fileErrors(err error) (messages []string) {
	switch e := err.(type) {
	case nil:
	case *formats.FileError:
		messages = append(messages, fileMessage(e))
	case interface{ Unwrap() error }:
		messages = fileErrors(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			messages = append(messages, fileErrors(part)...)
		}
	}
	return messages
}

func fileMessage(e *formats.FileError) string {
	m := e.File + ": " + e.Reason
	if e.Hint != "" {
		m += "; " + e.Hint
	}
	return m
}

// lines returns the lines of an error, each once.
func lines(err error) (list []string) {
	seen := make(map[string]bool)
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if line != "" && !seen[line] {
			seen[line] = true
			list = append(list, line)
		}
	}
	return list
}

func firstLine(err error) string {
	s, _, _ := strings.Cut(err.Error(), "\n")
	return s
}

// reason says why a file cannot be used, without its path, which the caller
// gives.
func reason(err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("there is no such file; check the name and the folder")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("may not be read by this user; check its permissions")
	}
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}
