package sftpd

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"
)

// The request server of the SFTP library knows neither fsync@openssh.com nor
// limits@openssh.com. wire stands between it and the client: it answers the one
// itself, turns the other into a request that the library passes on, and names
// both when the protocol begins.
type wire struct {
	ch      io.ReadWriteCloser
	in      *bufio.Reader
	heard   func() // at each packet
	handles uint64

	head []byte // of a packet, to be read before what is left of it
	left int    // of the packet being read, still in in

	mu     sync.Mutex
	packet []byte // header of the packet being written, held back for its payload
	owed   int    // bytes of the packet being written that are still to come
	queue  []byte // replies of our own, for when no packet is being written
	begun  bool   // the version was sent
}

const (
	fxpVersion   = 2
	fxpFsetstat  = 10
	fxpExtended  = 200
	fxpReply     = 201
	attrExtended = 0x80000000

	maxPacket = 256 << 10
	// maxTransfer is the most that one request reads or writes: what is left
	// of a packet behind its header, as OpenSSH counts it.
	maxTransfer = maxPacket - 1024
	// sshPacket is what the SSH library sends at once.
	sshPacket = 32 << 10

	extFsync  = "fsync@openssh.com"
	extLimits = "limits@openssh.com"
)

func newWire(ch io.ReadWriteCloser, handles int, heard func()) *wire {
	return &wire{ch: ch, in: bufio.NewReaderSize(ch, 4<<10), heard: heard, handles: uint64(handles)}
}

// Read implements io.Reader: what the client sends, packet by packet.
func (w *wire) Read(p []byte) (int, error) {
	for len(w.head) == 0 && w.left == 0 {
		if err := w.next(); err != nil {
			return 0, err
		}
	}
	if len(w.head) > 0 {
		n := copy(p, w.head)
		w.head = w.head[n:]
		return n, nil
	}
	n, err := w.in.Read(p[:min(len(p), w.left)])
	w.left -= n
	return n, err
}

// next begins the next packet.
func (w *wire) next() error {
	var h [5]byte
	if _, err := io.ReadFull(w.in, h[:]); err != nil {
		return err
	}
	w.heard()
	n := binary.BigEndian.Uint32(h[:])
	w.head = append(w.head[:0], h[:]...)
	if n == 0 || n > maxPacket || h[4] != fxpExtended {
		// Whether its length is sane is for the library to say.
		w.left = int(max(n, 1)) - 1
		return nil
	}
	body := make([]byte, n-1)
	if _, err := io.ReadFull(w.in, body); err != nil {
		return err
	}
	return w.extended(body)
}

// extended deals with an extended request.
func (w *wire) extended(body []byte) error {
	if len(body) >= 4 {
		name, rest := cutString(body[4:])
		switch string(name) {
		case extLimits:
			w.head = w.head[:0]
			return w.reply(limitsReply(body[:4], w.handles))
		case extFsync:
			if handle, _ := cutString(rest); handle != nil {
				w.head = fsyncRequest(body[:4], handle)
				return nil
			}
		}
	}
	w.head = append(w.head, body...)
	return nil
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

// reply sends a packet of our own, after the one being written.
func (w *wire) reply(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, b...)
	return w.flush()
}

// flush sends our own packets when no other is being written. Callers hold mu.
func (w *wire) flush() error {
	if w.owed > 0 || len(w.queue) == 0 {
		return nil
	}
	_, err := w.ch.Write(w.queue)
	w.queue = nil
	return err
}

// Write implements io.Writer. The library writes a packet as its header and
// its payload; a header that waits for a payload is sent together with it.
func (w *wire) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.owed == 0 {
		return w.begin(p)
	}
	return w.goOn(p)
}

// begin takes the header of a packet. Callers hold mu.
func (w *wire) begin(p []byte) (int, error) {
	if len(p) < 5 {
		return 0, io.ErrShortWrite
	}
	if !w.begun && p[4] == fxpVersion {
		w.begun = true
		_, err := w.ch.Write(version())
		return len(p), err
	}
	w.owed = max(0, int(binary.BigEndian.Uint32(p))+4-len(p))
	if w.owed > 0 {
		w.packet = append(w.packet[:0], p...)
		return len(p), nil
	}
	if _, err := w.ch.Write(p); err != nil {
		return 0, err
	}
	return len(p), w.flush()
}

// goOn takes more of a packet. Callers hold mu.
func (w *wire) goOn(p []byte) (int, error) {
	w.owed = max(0, w.owed-len(p))
	rest := p
	if len(w.packet) > 0 {
		n := min(len(p), sshPacket-len(w.packet))
		w.packet = append(w.packet, p[:n]...)
		if _, err := w.ch.Write(w.packet); err != nil {
			return 0, err
		}
		w.packet, rest = w.packet[:0], p[n:]
	}
	if len(rest) > 0 {
		if _, err := w.ch.Write(rest); err != nil {
			return 0, err
		}
	}
	return len(p), w.flush()
}

// Close implements io.Closer.
func (w *wire) Close() error { return w.ch.Close() }
