package landing

import "io/fs"

// How a file came to be in the inbox is kept in the permission bits of the
// file itself: they change in the same instant as its name, and outlive a crash.
// The patterns, execution for the group but not for the owner, are none that a
// program would give a file that it drops here by other ways.
const (
	modePartial  fs.FileMode = 0o610 // broken off; a client may go on at its end
	modeSized    fs.FileMode = 0o611 // given a size beforehand and not filled yet
	modeDoubtful fs.FileMode = 0o410
	modeClosed   fs.FileMode = 0o450
	modeVouched  fs.FileMode = 0o411
)

// arrival is how a file came to be in the inbox.
type arrival int

const (
	dropped arrival = iota // by something other than an upload
	partial
	sized
	doubtful
	closed
	vouched
)

func arrivalOf(mode fs.FileMode) arrival {
	switch mode.Perm() {
	case modePartial:
		return partial
	case modeSized:
		return sized
	case modeDoubtful:
		return doubtful
	case modeClosed:
		return closed
	case modeVouched:
		return vouched
	}
	return dropped
}

// unfinished reports whether a client still has to write to the file.
func (a arrival) unfinished() bool { return a == partial || a == sized }
