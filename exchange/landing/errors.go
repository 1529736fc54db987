package landing

import (
	"errors"
	"io/fs"
	"syscall"
)

// Error is what a client is told. Its text names no path of the server.
type Error struct {
	Kind error // fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, or what went wrong
	Text string
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the kind.
func (e *Error) Unwrap() error { return e.Kind }

// The refusals whose kind a caller tells apart.
var (
	ErrQuota = errors.New("quota")
	ErrBusy  = errors.New("busy")
	// ErrBroken is an upload whose connection was lost, or that left gaps.
	ErrBroken = errors.New("broken off")
)

// ErrDoubt is the error of a Taker that cannot tell whether a decision was
// recorded. The content of the file stays until that is known.
var ErrDoubt = errors.New("it may have been recorded nevertheless")

func refuse(text string) error    { return &Error{fs.ErrPermission, text} }
func notFound() error             { return &Error{fs.ErrNotExist, "no such file or folder"} }
func taken() error                { return &Error{fs.ErrExist, "there is something of this name already"} }
func busy(text string) error      { return &Error{ErrBusy, text} }
func overQuota(text string) error { return &Error{ErrQuota, text} }

// tell turns an error of the file system into one for a client.
func tell(err error) error {
	var known *Error
	var errno syscall.Errno
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, fs.ErrNotExist):
		return notFound()
	case errors.Is(err, fs.ErrExist) && !errors.Is(err, syscall.ENOTEMPTY):
		return taken()
	case errors.As(err, &errno):
		return &Error{errno, told(errno)}
	case errors.Is(err, fs.ErrPermission):
		return refuse("permission denied")
	}
	// Such as os.Root's word for a path that leaves it: all that a client
	// may know is that it may not go there.
	return &Error{err, "this is not possible here"}
}

// told is what a client hears of a system error.
func told(errno syscall.Errno) string {
	switch errno {
	case syscall.ENOSPC, syscall.EDQUOT:
		return "the disk of the server is full; nothing was taken, try again later"
	case syscall.ENOTEMPTY:
		return "the folder is not empty"
	case syscall.EISDIR:
		return "it is a folder"
	case syscall.ENOTDIR:
		return "a part of the name is a file, not a folder"
	case syscall.ENAMETOOLONG:
		return "the name is too long"
	case syscall.EMFILE, syscall.ENFILE:
		return "the server has too many files open; try again later"
	case syscall.EIO:
		return "the disk of the server failed; nothing was taken"
	}
	return errno.Error()
}
