package pgp

import "io"

// frames follows the packets that a message is made of, and so knows whether it
// ends where one does: one that breaks off may still be completed by its sender,
// one that was changed may not. It passes on all that it reads.
type frames struct {
	r     io.Reader
	head  []byte // of a packet, as far as it was seen
	tag   byte
	left  int64 // of the part of a packet
	more  bool  // another part of the packet follows
	open  bool  // the packet goes on to the end, wherever that is
	begun byte  // the first byte of all
	any   bool
}

// The packets that hold what is encrypted.
const (
	tagEncrypted = 9
	tagProtected = 18
	tagAEAD      = 20
)

// Read implements io.Reader.
func (f *frames) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	for b := p[:n]; len(b) > 0; {
		b = f.step(b)
	}
	return n, err
}

// whole reports whether a packet of encrypted content ended with what was read
// last.
func (f *frames) whole() bool {
	tag := f.tag & 0x3f
	if f.tag&0x40 == 0 {
		tag >>= 2
	}
	holds := tag == tagEncrypted || tag == tagProtected || tag == tagAEAD
	return f.any && holds && f.left == 0 && !f.more && !f.open && len(f.head) == 0
}

func (f *frames) step(b []byte) []byte {
	switch {
	case f.open:
		return nil
	case f.left > 0:
		n := min(f.left, int64(len(b)))
		f.left -= n
		return b[n:]
	}
	if !f.any {
		f.any, f.begun = true, b[0]
	}
	f.head = append(f.head, b[0])
	f.length()
	return b[1:]
}

// length reads how long a packet, or the next part of one, is, once its head is
// there.
func (f *frames) length() {
	h := f.head
	if !f.more {
		f.tag = h[0]
		if f.tag&0x40 == 0 {
			f.oldLength(h[1:])
			return
		}
		if h = h[1:]; len(h) == 0 {
			return
		}
	}
	switch c := h[0]; {
	case c < 192:
		f.part(int64(c), false)
	case c < 224 && len(h) == 2:
		f.part(int64(c-192)<<8+int64(h[1])+192, false)
	case c >= 224 && c < 255:
		f.part(1<<(c&0x1f), true)
	case c == 255 && len(h) == 5:
		f.part(number(h[1:]), false)
	}
}

// oldLength is that of packets in the old format.
func (f *frames) oldLength(h []byte) {
	kind := f.tag & 3
	switch {
	case kind == 3:
		f.open, f.head = true, nil
	case len(h) == 1<<kind:
		f.part(number(h), false)
	}
}

func (f *frames) part(bytes int64, more bool) { f.left, f.more, f.head = bytes, more, nil }

func number(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 + int64(c)
	}
	return n
}
