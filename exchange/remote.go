package exchange

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"
)

// Remote is a place that holds whole files: a folder, a carrier's SFTP host.
// Names are UTF-8 or whatever bytes the place allows, with slashes between
// folder and file; the empty name is the folder that one starts in. A Remote is
// safe for concurrent use on different names.
//
// Every method returns soon after its context has ended. What it had begun may
// then still happen, but it does not touch its caller's reader or writer again.
// Errors are ErrPermanent when a retry cannot help, and fs.ErrNotExist when the
// name is not there.
type Remote interface {
	// List returns what is in a folder, by name, without what is below.
	List(ctx context.Context, dir string) ([]Entry, error)
	// Stat describes the name itself: a link is not followed.
	Stat(ctx context.Context, name string) (Entry, error)
	// Put writes exactly this name, in place of what it held, and makes the
	// content last where the remote can. After an error anything may be
	// there: nothing, a part, or a file of the right length with holes.
	Put(ctx context.Context, name string, src io.Reader) error
	// Get writes the content from an offset on to dst, in order. After an
	// error dst has received a beginning of that.
	Get(ctx context.Context, name string, dst io.Writer, from int64) error
	// Rename gives a file another name, in place of what that held. Where a
	// remote cannot do so in one step, the other name is gone for a moment.
	Rename(ctx context.Context, from, to string) error
	// Remove removes one file. It does not remove folders.
	Remove(ctx context.Context, name string) error
}

// Hasher is a Remote that can hash what it holds.
type Hasher interface {
	// SHA256 returns errors.ErrUnsupported when it cannot after all.
	SHA256(ctx context.Context, name string) ([32]byte, error)
}

// FolderMaker is a Remote in which folders have to be made before something can
// be put into them.
type FolderMaker interface {
	// MkdirAll makes a folder and those above it, unless they are there.
	MkdirAll(ctx context.Context, dir string) error
}

// Entry is one name in a Remote.
type Entry struct {
	Name string      // the last element
	Size int64       // bytes, of a file
	Time time.Time   // of the last change; SFTP has whole seconds
	Type fs.FileMode // the type bits; 0 is a regular file
}

// Same reports whether two descriptions of one name are of the same content,
// as far as size and time tell.
func (e Entry) Same(o Entry) bool {
	return e.Type == o.Type && e.Size == o.Size && e.Time.Equal(o.Time)
}

var (
	// ErrPermanent marks what a retry cannot help: no permission, no such
	// file, a refused login, an unknown host key. All other errors may pass.
	ErrPermanent = errors.New("permanent")
	// ErrChanged says that a remote file is not what it was when first seen.
	ErrChanged = errors.New("the file was changed meanwhile")
	// ErrIncomplete says that not all bytes of a file have arrived.
	ErrIncomplete = errors.New("not all of the file arrived")
)

// Permanent makes err an ErrPermanent without a change to its text.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

type permanent struct{ error }

func (p permanent) Unwrap() error        { return p.error }
func (p permanent) Is(target error) bool { return target == ErrPermanent }
