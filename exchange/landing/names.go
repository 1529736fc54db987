package landing

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
)

// The folders of a home, as a carrier sees them.
const (
	Inbox    = "inbox"
	Outbox   = "outbox"
	Receipts = "receipts"
	Archive  = "archive"
	Rejected = "rejected"
)

// staging holds what is being written. No carrier can name it.
const staging = ".staging"

var folders = []string{Archive, Inbox, Outbox, Receipts, Rejected}

const (
	maxDepth = 16  // folders in one name
	maxName  = 255 // bytes in one part of a name
)

// temporary are endings of names that a client gives to what is not complete.
var temporary = []string{".tmp", ".temp", ".part", ".partial", ".filepart", ".upload"}

// IsTemporary reports whether a name waits for its client to rename it.
func IsTemporary(name string) bool {
	base := strings.ToLower(path.Base(name))
	if base[0] == '.' || base[0] == '~' {
		return true
	}
	for _, suffix := range temporary {
		if strings.HasSuffix(base, suffix) {
			return true
		}
	}
	return false
}

// ReservedPrefix begins names that only the service gives: no client can put a
// file under one, take one from a file, or take such a file away. So a name of this kind
// is a mark on which those can rely who take files.
const ReservedPrefix = "concord-rows_"

// IsReserved reports whether a name is one that only the service gives.
func IsReserved(name string) bool { return reserved(path.Base(name)) }

func reserved(part string) bool {
	return len(part) >= len(ReservedPrefix) && strings.EqualFold(part[:len(ReservedPrefix)], ReservedPrefix)
}

const (
	doneMarker = ".done"
	checksum   = ".sha256"
)

// companionOf returns the name of the file that a marker or a checksum stands
// beside, or "".
func companionOf(name string) string {
	for _, suffix := range []string{doneMarker, checksum} {
		n := len(name) - len(suffix)
		if n > 0 && strings.EqualFold(name[n:], suffix) && name[n-1] != '/' {
			return name[:n]
		}
	}
	return ""
}

// spot is a place in a home: one of its folders and the name below it. The
// zero value is the home itself.
type spot struct {
	top  string
	rest string
}

// String returns the name below the home's root on disk.
func (s spot) String() string {
	if s.top == "" {
		return "."
	}
	return path.Join(s.top, s.rest)
}

// isFolder reports whether the spot is the home or one of its own folders.
func (s spot) isFolder() bool { return s.rest == "" }

// locate finds the spot of a name as a client wrote it.
func locate(name string) (spot, error) {
	if strings.IndexByte(name, 0) >= 0 {
		return spot{}, refuse("a name has no zero bytes")
	}
	clean := path.Clean("/" + name)[1:]
	if clean == "" {
		return spot{}, nil
	}
	top, rest, _ := strings.Cut(clean, "/")
	known := false
	for _, f := range folders {
		known = known || f == top
	}
	if !known {
		return spot{}, &Error{fs.ErrNotExist, "no such file or folder; there are inbox, outbox, receipts, archive and rejected"}
	}
	parts := strings.Split(rest, "/")
	if len(parts) > maxDepth {
		return spot{}, refuse(fmt.Sprintf("the name is more than %d folders deep", maxDepth))
	}
	for _, p := range parts {
		if len(p) > maxName {
			return spot{}, refuse(fmt.Sprintf("a part of the name has more than %d bytes", maxName))
		}
	}
	return spot{top, rest}, nil
}
