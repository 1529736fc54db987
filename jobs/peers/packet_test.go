//go:build peers

package peers

import (
	"encoding/binary"
	"io"
	"testing"
)

// Types of SFTP packets, version 3.
const (
	fxInit, fxOpen, fxClose, fxRead, fxWrite, fxLstat           = 1, 3, 4, 5, 6, 7
	fxSetstat, fxOpendir, fxReaddir, fxRemove, fxMkdir, fxRmdir = 9, 11, 12, 13, 14, 15
	fxRealpath, fxStat, fxRename, fxReadlink, fxSymlink         = 16, 17, 18, 19, 20
	fxExtended                                                  = 200

	fxStatus, fxHandle, fxData, fxName = 101, 102, 103, 104

	openRead, openCreate = 1, 2 | 8 | 16
)

// bare speaks SFTP packet by packet, and hears every word of an answer.
type bare struct {
	t   *testing.T
	in  io.Writer
	out io.Reader
	id  uint32
}

func (p *place) bare(t *testing.T, carrier string) *bare {
	t.Helper()
	_, conn := p.dial(t, carrier)
	t.Cleanup(func() { _ = conn.Close() })
	s, err := conn.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	b := &bare{t: t}
	if b.in, err = s.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if b.out, err = s.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.RequestSubsystem("sftp"); err != nil {
		t.Fatal(err)
	}
	b.send([]byte{fxInit, 0, 0, 0, 3})
	b.receive()
	return b
}

func (b *bare) send(packet []byte) {
	b.t.Helper()
	if _, err := b.in.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...)); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bare) receive() []byte {
	b.t.Helper()
	var n [4]byte
	if _, err := io.ReadFull(b.out, n[:]); err != nil {
		b.t.Fatal(err)
	}
	packet := make([]byte, binary.BigEndian.Uint32(n[:]))
	if _, err := io.ReadFull(b.out, packet); err != nil {
		b.t.Fatal(err)
	}
	return packet
}

// ask sends a request of texts and numbers and returns the type of the answer
// and what is behind its number.
func (b *bare) ask(what byte, args ...any) (kind byte, body []byte) {
	b.t.Helper()
	b.id++
	packet := binary.BigEndian.AppendUint32([]byte{what}, b.id)
	for _, a := range args {
		switch a := a.(type) {
		case string:
			packet = append(binary.BigEndian.AppendUint32(packet, uint32(len(a))), a...)
		case int:
			packet = binary.BigEndian.AppendUint32(packet, uint32(a))
		case uint64:
			packet = binary.BigEndian.AppendUint64(packet, a)
		}
	}
	b.send(packet)
	r := b.receive()
	return r[0], r[5:]
}

// ok reports whether a request succeeds.
func (b *bare) ok(what byte, args ...any) bool {
	b.t.Helper()
	kind, body := b.ask(what, args...)
	return kind != fxStatus || binary.BigEndian.Uint32(body) == 0
}

// text returns the text at the start of an answer.
func text(body []byte) string { return string(body[4 : 4+binary.BigEndian.Uint32(body)]) }

// read returns a file as far as one request goes.
func (b *bare) read(name string) (content string, ok bool) {
	b.t.Helper()
	kind, body := b.ask(fxOpen, name, openRead, 0)
	if kind != fxHandle {
		return "", false
	}
	h := text(body)
	kind, body = b.ask(fxRead, h, uint64(0), 4096)
	b.ask(fxClose, h)
	if kind != fxData {
		return "", false
	}
	return text(body), true
}

// write makes a file, and reports whether that went well to the end.
func (b *bare) write(name, content string) bool {
	b.t.Helper()
	kind, body := b.ask(fxOpen, name, openCreate, 0)
	if kind != fxHandle {
		return false
	}
	h := text(body)
	ok := b.ok(fxWrite, h, uint64(0), content)
	return b.ok(fxClose, h) && ok
}
