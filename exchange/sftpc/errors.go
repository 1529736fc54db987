package sftpc

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"concord/exchange"
)

// Problem is why a host could not be reached, in words.
type Problem string

// The problems that a person can do something about.
const (
	Unresolved     Problem = "the host name cannot be resolved"
	Refused        Problem = "the host refuses the connection"
	Unreachable    Problem = "the host cannot be reached"
	TimedOut       Problem = "the host does not answer in time"
	NotSSH         Problem = "the host does not speak SSH"
	NoAlgorithm    Problem = "host and client have no safe algorithm in common"
	HostKeyDiffers Problem = "the host key is not a pinned one"
	LoginRefused   Problem = "the host refuses the login"
	NoSFTP         Problem = "the host offers no SFTP"
	Broken         Problem = "the connection broke while it was made"
)

// DialError says why there is no connection to a host.
type DialError struct {
	Addr    string
	Problem Problem
	// Methods are the ways to log in that the host offers, with LoginRefused.
	Methods []string
	Err     error
}

func (e *DialError) Error() string {
	text := fmt.Sprintf("connect to %s: %s", e.Addr, e.Problem)
	if len(e.Methods) > 0 {
		text += " (it offers " + strings.Join(e.Methods, ", ") + ")"
	}
	return fmt.Sprintf("%s: %v", text, e.Err)
}

func (e *DialError) Unwrap() error { return e.Err }

// Is makes an exchange.ErrPermanent of what only a person can change.
func (e *DialError) Is(target error) bool {
	lasting := []Problem{HostKeyDiffers, LoginRefused, NoAlgorithm}
	return target == exchange.ErrPermanent && slices.Contains(lasting, e.Problem)
}

// HostKeyError says which key a host has shown and which ones are pinned.
type HostKeyError struct {
	Offered string // type and SHA256 fingerprint
	Pinned  []string
	Err     error
}

func (e *HostKeyError) Error() string {
	return fmt.Sprintf("%v: offered %s; pinned %s", e.Err, e.Offered, strings.Join(e.Pinned, ", "))
}

func (e *HostKeyError) Unwrap() error { return e.Err }

// reached explains an error of making the network connection.
func reached(err error) Problem {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return TimedOut
	case errors.As(err, &dns):
		return Unresolved
	case errors.Is(err, syscall.ECONNREFUSED):
		return Refused
	}
	return Unreachable
}

// shaken explains an error of the handshake; login says whether it had come to
// that.
func shaken(err error, login bool) Problem {
	var key *HostKeyError
	var algorithm *ssh.AlgorithmNegotiationError
	switch {
	case errors.As(err, &key), errors.As(err, &algorithm) && algorithm.What == "host key":
		return HostKeyDiffers // or there is none of a pinned type
	case errors.As(err, &algorithm):
		return NoAlgorithm
	case errors.Is(err, os.ErrDeadlineExceeded):
		return TimedOut
	case lost(err):
		return Broken
	case login:
		return LoginRefused
	}
	return NotSSH
}

func lost(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

var (
	errClosed  = errors.New("the client is closed")
	errStalled = errors.New("the host has not answered in time")
	errSilent  = errors.New("the host has fallen silent")
	errLost    = errors.New("the host has closed the connection")
	errFolder  = errors.New("is a folder")
)

// Codes of later drafts of the protocol that some hosts use.
const (
	codeUnsupported  = 8
	codeNoSuchPath   = 10
	codeWriteProtect = 12
	codeBadName      = 20
)

// grade tells what a retry cannot help.
func grade(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		err = pe.Err
	}
	var status *sftp.StatusError
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, errFolder):
		return exchange.Permanent(err)
	case errors.Is(err, sftp.ErrSSHFxConnectionLost):
		return errLost
	case !errors.As(err, &status):
		return err
	case status.Code == codeNoSuchPath:
		return exchange.Permanent(fs.ErrNotExist)
	case status.Code == codeUnsupported, status.Code == codeWriteProtect, status.Code == codeBadName:
		return exchange.Permanent(err)
	}
	return err
}
