package sftpd

import (
	"bufio"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
)

// wire stands between the SFTP library's request server and the client. It reads
// packet by packet and rewrites a few, see requests.go; it writes its own replies
// between those of the library.
type wire struct {
	ch      io.ReadWriteCloser
	in      *bufio.Reader
	heard   func() // at each packet
	handles uint64
	ended   atomic.Bool
	given   atomic.Int64 // the last handle that the client was told of

	head []byte // of a packet, to be read before what is left of it
	left int    // of the packet being read, still in in

	mu     sync.Mutex
	packet []byte // header of the packet being written, held back for its payload
	owed   int    // bytes of the packet being written that are still to come
	queue  []byte // replies of our own, for when no packet is being written
	begun  bool   // the version was sent
}

// sshPacket is what the SSH library sends at once.
const sshPacket = 32 << 10

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
	if w.ended.Load() {
		return io.EOF
	}
	w.heard()
	n := binary.BigEndian.Uint32(h[:])
	w.head = append(w.head[:0], h[:]...)
	if (h[4] == fxpRead || h[4] == fxpWrite) && n <= maxPacket {
		w.checkHandle(max(1, int(n)) - 1)
	}
	if h[4] != fxpOpen && h[4] != fxpExtended || n <= 1 || n > maxRewritten {
		// Whether its length is sane is for the library to say.
		w.left = int(max(n, 1)) - 1
		return nil
	}
	body := make([]byte, n-1)
	if _, err := io.ReadFull(w.in, body); err != nil {
		return err
	}
	if h[4] == fxpOpen {
		rewriteOpen(body)
	} else if done, err := w.extended(body); done {
		return err
	}
	w.head = append(w.head, body...)
	return nil
}

// end lets the library see no further request.
func (w *wire) end() { w.ended.Store(true) }

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
	w.noteHandle(p)
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
		n := min(len(p), max(0, sshPacket-len(w.packet)))
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
