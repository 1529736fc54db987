package sftpd

import (
	"encoding/binary"
	"strconv"
)

// The request server of the SFTP library knows neither fsync@openssh.com nor
// limits@openssh.com, and it writes garbage when a client reads from a file that
// is open for writing only. So the one is turned into a request that the library
// passes on, the other is answered here, and to the library each file that is open
// for writing is open for reading too.

const (
	fxpVersion   = 2
	fxpOpen      = 3
	fxpRead      = 5
	fxpWrite     = 6
	fxpFsetstat  = 10
	fxpHandle    = 102
	fxpExtended  = 200
	fxpReply     = 201
	attrExtended = 0x80000000

	// Flags of an open.
	openRead  = 0x01
	openWrite = 0x02 | 0x04 | 0x08 | 0x10 // and append, create and truncate
	// openNoRead is our own: the client did not ask to read.
	openNoRead = 0x4000_0000

	maxPacket = 256 << 10
	// maxTransfer is the most that one request reads or writes: what is left
	// of a packet behind its header, as OpenSSH counts it.
	maxTransfer = maxPacket - 1024
	// maxRewritten is the longest packet that may need to be rewritten: longer
	// names are not served.
	maxRewritten = 32 << 10

	extFsync  = "fsync@openssh.com"
	extLimits = "limits@openssh.com"
)

// rewriteOpen asks for reading on behalf of a client that asks for writing only.
func rewriteOpen(body []byte) {
	if len(body) < 4 {
		return
	}
	_, rest := cutString(body[4:])
	if len(rest) < 4 {
		return
	}
	flags := binary.BigEndian.Uint32(rest) &^ openNoRead
	if flags&openWrite != 0 && flags&openRead == 0 {
		flags |= openRead | openNoRead
	}
	binary.BigEndian.PutUint32(rest, flags)
}

// The library opens files in one goroutine and reads and writes them in others. A
// client that writes to a handle before it was told of it, which is easy to guess,
// meets a file that is half open, and the race between the two can end the process.
// So wire notes which handles were given away, and spoils the others.

// noteHandle notes the handle in a reply, if it has one. Handles are numbers that
// the library counts up.
func (w *wire) noteHandle(reply []byte) {
	if reply[4] != fxpHandle || len(reply) < 9 {
		return
	}
	handle, _ := cutString(reply[9:])
	if n, err := strconv.ParseInt(string(handle), 10, 64); err == nil {
		w.given.Store(n)
	}
}

// maxHandle is more than a handle of the library has.
const maxHandle = 20

// checkHandle spoils the handle of a read or write, of which size bytes are still
// in, unless the client was told of it.
func (w *wire) checkHandle(size int) {
	const before = 4 + 4 // request and length
	p, err := w.in.Peek(min(size, before+maxHandle))
	if len(p) < before || err != nil {
		return // cut off
	}
	handle, rest := cutString(p[4:])
	if rest == nil {
		return // longer than any
	}
	if n, err := strconv.ParseInt(string(handle), 10, 64); err == nil && n > w.given.Load() {
		clear(handle)
	}
}

// extended deals with an extended request; done says that the library need not
// see it.
func (w *wire) extended(body []byte) (done bool, err error) {
	if len(body) < 4 {
		return false, nil
	}
	name, rest := cutString(body[4:])
	switch string(name) {
	case extLimits:
		w.head = w.head[:0]
		return true, w.reply(limitsReply(body[:4], w.handles))
	case extFsync:
		if handle, after := cutString(rest); after != nil {
			w.head = fsyncRequest(body[:4], handle)
			return true, nil
		}
	}
	return false, nil
}

// fsyncRequest is an fsync in the form of a change of attributes of the same
// handle: with a single attribute that only this server knows.
func fsyncRequest(id, handle []byte) []byte {
	b := append([]byte{0, 0, 0, 0, fxpFsetstat}, id...)
	b = appendString(b, handle)
	b = binary.BigEndian.AppendUint32(b, attrExtended)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = appendString(b, []byte(extFsync))
	b = appendString(b, nil)
	return sized(b)
}

// isFsync reports whether attributes are those of fsyncRequest.
func isFsync(flags uint32, attrs []byte) bool {
	if flags != attrExtended || len(attrs) < 4 {
		return false
	}
	name, _ := cutString(attrs[4:])
	return string(name) == extFsync
}

func limitsReply(id []byte, handles uint64) []byte {
	b := append([]byte{0, 0, 0, 0, fxpReply}, id...)
	for _, n := range []uint64{maxPacket, maxTransfer, maxTransfer, handles} {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return sized(b)
}

func appendString(b, s []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(s))), s...)
}

// sized writes the length of a packet into its first bytes.
func sized(b []byte) []byte {
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

// version is what the server can do.
func version() []byte {
	b := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 0, fxpVersion}, 3)
	for _, x := range [][2]string{
		{"posix-rename@openssh.com", "1"}, {"statvfs@openssh.com", "2"}, {extFsync, "1"}, {extLimits, "1"},
	} {
		b = appendString(appendString(b, []byte(x[0])), []byte(x[1]))
	}
	return sized(b)
}
