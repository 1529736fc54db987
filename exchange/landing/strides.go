package landing

// strides are the lengths of the writes of an upload. Whoever copies a file
// writes one buffer after the other, each in packets of the same lengths; only
// the end of the file comes in a length of its own. A client that stops early,
// and closes the file as if all were well, stops behind a buffer.
type strides struct {
	counts  map[int64]int // by length
	longest int64
	end     int64 // of the write that is last in the file
	last    int64 // its length
}

const (
	// smallestBlock is the least that a client sends at once of a longer
	// file: PuTTY's, and a page of memory through sshfs. Others' blocks are
	// multiples of it.
	smallestBlock = 4096
	// buffer divides the buffers of the clients that cut them into packets
	// of another length, such as curl's 64 KiB.
	buffer = 32 << 10
	// openSSHBlock is what OpenSSH sends at once to a server that allows it.
	openSSHBlock = 255 << 10
	// libssh2Packet is the most that libssh2 sends at once.
	libssh2Packet = 30_000
	// maxLengths is more than any copying client has.
	maxLengths = 256
)

// add takes down a write.
func (s *strides) add(off, n int64) {
	if n == 0 {
		return
	}
	if s.counts == nil {
		s.counts = map[int64]int{}
	}
	if s.counts[n] > 0 || len(s.counts) < maxLengths {
		s.counts[n]++
	}
	s.longest = max(s.longest, n)
	if off+n >= s.end {
		s.end, s.last = off+n, n
	}
}

// endWithBlock reports whether an upload that has added grown bytes ends where
// a broken-off one would.
func (s *strides) endWithBlock(grown int64) bool {
	switch {
	case grown == s.longest: // a short file, unless it is a block as clients use them
		return grown%smallestBlock == 0 || grown == openSSHBlock || grown == libssh2Packet
	case grown%s.longest == 0, grown%buffer == 0:
		return true
	}
	// Shorter ones are lines, which some programs write one by one.
	return s.last >= smallestBlock && s.counts[s.last] > 1
}
