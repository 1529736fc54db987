package sftpd

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
)

// pieces is a channel whose client sends in pieces and that keeps what it is
// sent.
type pieces struct {
	in  []byte
	rng *rand.Rand

	mu  sync.Mutex
	out []byte
}

func (c *pieces) Read(p []byte) (int, error) {
	if len(c.in) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(len(p), 1+c.rng.IntN(100))], c.in)
	c.in = c.in[n:]
	return n, nil
}

func (c *pieces) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out = append(c.out, p...)
	return len(p), nil
}

func (c *pieces) Close() error { return nil }

// readAll reads what a library would, in pieces of all sizes.
func readAll(w *wire, rng *rand.Rand) (all []byte) {
	for {
		p := make([]byte, 1+rng.IntN(200))
		n, err := w.Read(p)
		all = append(all, p[:n]...)
		if err != nil {
			return all
		}
	}
}

func stringOf(s string) []byte { return appendString(nil, []byte(s)) }

// pack makes a packet.
func pack(kind byte, parts ...[]byte) []byte {
	return sized(append([]byte{0, 0, 0, 0, kind}, bytes.Join(parts, nil)...))
}

// seen says what the library is to see of what a client sends, and how many
// requests are answered before it.
func seen(data []byte) (library []byte, answered int) {
	for len(data) >= 5 {
		n, kind := int(binary.BigEndian.Uint32(data)), data[4]
		rest := data[min(len(data), 4+max(n, 1)):]
		whole := len(data) >= 4+n
		rewritten := (kind == fxpOpen || kind == fxpExtended) && n > 1 && n <= maxRewritten
		if !whole && rewritten {
			return library, answered // cut off within
		}
		p := slices.Clone(data[:len(data)-len(rest)])
		data = rest
		if handle, end := cutString(p[min(len(p), 9):]); (kind == fxpRead || kind == fxpWrite) && end != nil && whole && handed(handle) {
			clear(handle)
		}
		if !rewritten || n < 5 {
			library = append(library, p...)
			continue
		}
		id, name, after := p[5:9], []byte(nil), []byte(nil)
		name, after = cutString(p[9:])
		handle, end := cutString(after)
		switch {
		case kind == fxpExtended && string(name) == extLimits:
			answered++
		case kind == fxpExtended && string(name) == extFsync && end != nil:
			library = append(library, pack(fxpFsetstat, id, appendString(nil, handle), []byte{0x80, 0, 0, 0, 0, 0, 0, 1}, stringOf(extFsync), stringOf(""))...)
		default:
			if kind == fxpOpen && len(after) >= 4 {
				flags := binary.BigEndian.Uint32(after) &^ openNoRead
				if flags&0x1e != 0 && flags&1 == 0 {
					flags |= 1 | openNoRead
				}
				binary.BigEndian.PutUint32(after, flags)
			}
			library = append(library, p...)
		}
	}
	return library, answered
}

// handed reports whether a handle looks like one that may be given away later.
func handed(handle []byte) bool {
	n, err := strconv.ParseInt(string(handle), 10, 64)
	return err == nil && n > 0 && len(handle) <= maxHandle
}

// Whatever a client sends in whatever pieces, the library sees the same packets,
// but for the few that it does not know.
func FuzzWireRead(f *testing.F) {
	id := []byte{0, 0, 0, 7}
	f.Add(slices.Concat(pack(1, id), pack(fxpExtended, id, stringOf(extLimits)), pack(fxpExtended, id, stringOf(extFsync), stringOf("3")), pack(4, id, stringOf("3"))), uint64(1))
	f.Add(pack(fxpOpen, id, stringOf("/inbox/a.csv"), []byte{0, 0, 0, 0x1a, 0, 0, 0, 0}), uint64(2))
	f.Add(pack(fxpOpen, id, stringOf("/inbox/a.csv"), []byte{0x40, 0, 0, 1}), uint64(3))
	f.Add(pack(fxpExtended, id, stringOf(extFsync), []byte{0, 0, 1}), uint64(4))
	f.Add(pack(fxpExtended, []byte{1}), uint64(5))
	f.Add(append(pack(6, id, make([]byte, 5000)), 0xff, 0xff, 0xff, 0xff, fxpOpen, 1, 2, 3), uint64(6))
	f.Add([]byte{0, 0, 0, 0, fxpExtended, 0, 0, 0, 1, fxpOpen, 0, 0, 0, 2, fxpOpen, 9}, uint64(7))
	f.Add(pack(fxpOpen, id, stringOf(string(make([]byte, maxRewritten))), []byte{0, 0, 0, 2}), uint64(8))
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		rng := rand.New(rand.NewPCG(seed, 1))
		c := &pieces{in: data, rng: rng}
		want, answered := seen(data)
		if got := readAll(newWire(c, 64, func() {}), rng); !bytes.Equal(got, want) {
			t.Errorf("the library sees\n%x, want\n%x", got, want)
		}
		if one := len(limitsReply(id, 64)); len(c.out) != answered*one {
			t.Errorf("%d bytes of answers, want %d answers of %d", len(c.out), answered, one)
		}
	})
}

// Replies of the library and our own are written beside each other, the former
// in pieces: none is torn.
func TestRepliesAreNotTorn(t *testing.T) {
	t.Parallel()
	c := &pieces{}
	w := newWire(c, 64, func() {})
	var wg sync.WaitGroup
	const each = 2000
	wg.Go(func() {
		for range each {
			if err := w.reply(limitsReply([]byte{1, 2, 3, 4}, 64)); err != nil {
				t.Error(err)
			}
		}
	})
	wg.Go(func() {
		rng := rand.New(rand.NewPCG(1, 2))
		for i := range each {
			p := pack(103, binary.BigEndian.AppendUint32(nil, uint32(i)), make([]byte, rng.IntN(40<<10)*rng.IntN(2)))
			for head := 9; len(p) > 0; head = 1 + rng.IntN(50<<10) {
				n := min(head, len(p))
				if got, err := w.Write(p[:n]); got != n || err != nil {
					t.Errorf("%d of %d bytes, %v", got, n, err)
				}
				p = p[n:]
			}
		}
	})
	wg.Wait()
	next, ours := uint32(0), 0
	for out := c.out; len(out) > 0; {
		n := binary.BigEndian.Uint32(out)
		p := out[4 : 4+n]
		switch out = out[4+n:]; {
		case p[0] == fxpReply && len(p) == 37:
			ours++
		case p[0] == 103 && binary.BigEndian.Uint32(p[1:]) == next:
			next++
		default:
			t.Fatalf("a packet of type %d after %d and %d", p[0], next, ours)
		}
	}
	if next != each || ours != each {
		t.Errorf("%d and %d packets", next, ours)
	}
}

func TestTheVersionNamesWhatTheServerCanDo(t *testing.T) {
	t.Parallel()
	c := &pieces{}
	w := newWire(c, 64, func() {})
	theirs := pack(fxpVersion, []byte{0, 0, 0, 3}, stringOf("hardlink@openssh.com"), stringOf("1"))
	if n, err := w.Write(theirs); n != len(theirs) || err != nil {
		t.Fatal(n, err)
	}
	for _, name := range []string{"posix-rename@openssh.com", "statvfs@openssh.com", extFsync, extLimits} {
		if !bytes.Contains(c.out, stringOf(name)) {
			t.Errorf("%s is not named", name)
		}
	}
	if bytes.Contains(c.out, []byte("hardlink")) || int(binary.BigEndian.Uint32(c.out)) != len(c.out)-4 {
		t.Errorf("%q", c.out)
	}
}

func TestNothingIsReadAfterTheEnd(t *testing.T) {
	t.Parallel()
	w := newWire(&pieces{in: pack(4, make([]byte, 9)), rng: rand.New(rand.NewPCG(1, 1))}, 64, func() {})
	w.end()
	if n, err := w.Read(make([]byte, 100)); n != 0 || err != io.EOF {
		t.Errorf("%d, %v", n, err)
	}
}
