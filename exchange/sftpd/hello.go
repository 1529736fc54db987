package sftpd

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
)

// The SSH library takes the first cipher of the client's list that the server
// knows, too. OpenSSH before version 10 puts AES-CTR and ChaCha20 before AES-GCM, which is
// the fastest here by far. So a client is heard before the handshake: if it
// knows AES-GCM, nothing else is offered.

// greeting is a connection whose peer has said who it is and what it can do.
// What was read for that is read again by whoever takes over.
type greeting struct {
	net.Conn
	seen    []byte // read and not yet read again
	sent    []byte // the version line, which is not to be sent again
	client  string // version line of the peer
	ciphers []string
}

const (
	maxVersionLine = 255
	maxOtherLines  = 16
	maxKexInit     = 35000
	// helloWait is how long a client may take to say what it can do; one
	// that waits for us to begin gets everything offered.
	helloWait = 300 * time.Millisecond
)

var errNoSSH = errors.New("the client does not speak SSH 2")

// greet exchanges version lines and listens to what the client can do.
// heard is called once the client has said who it is.
func greet(conn net.Conn, version string, heard func()) (*greeting, error) {
	g := &greeting{Conn: conn, sent: []byte(version + "\r\n")}
	if _, err := conn.Write(g.sent); err != nil {
		return nil, err
	}
	end, err := g.readVersion()
	if err != nil {
		return nil, err
	}
	heard()
	g.readKexInit(end)
	return g, nil
}

// readVersion reads up to the version line and returns where it ends.
func (g *greeting) readVersion() (end int, err error) {
	start := 0
	for range maxOtherLines {
		if end, err = g.readLine(start); err != nil {
			return 0, err
		}
		line := strings.TrimRight(string(g.seen[start:end]), "\r\n")
		if strings.HasPrefix(line, "SSH-") {
			g.client = line
			return end, nil
		}
		start = end
	}
	return 0, errNoSSH
}

// readLine reads a line that begins at a place and returns where it ends.
func (g *greeting) readLine(start int) (end int, err error) {
	for {
		i := bytes.IndexByte(g.seen[start:], '\n')
		if i >= maxVersionLine || i < 0 && len(g.seen)-start >= maxVersionLine {
			return 0, errNoSSH
		}
		if i >= 0 {
			return start + i + 1, nil
		}
		if err := g.more(); err != nil {
			return 0, err
		}
	}
}

// more reads what the client has sent.
func (g *greeting) more() error {
	g.seen = slices.Grow(g.seen, 2048)
	n, err := g.Conn.Read(g.seen[len(g.seen):cap(g.seen)])
	g.seen = g.seen[:len(g.seen)+n]
	if n > 0 {
		return nil
	}
	return err
}

// readKexInit reads the list of ciphers out of the packet behind the version
// line, if it comes soon. Whatever is wrong with it is for the library to say.
func (g *greeting) readKexInit(at int) {
	_ = g.SetReadDeadline(time.Now().Add(helloWait))
	for len(g.seen) < at+4 || len(g.seen) < at+4+g.packetLen(at) {
		if g.more() != nil {
			return
		}
	}
	if n := g.packetLen(at); n > 0 {
		g.ciphers = ciphersOf(g.seen[at+4 : at+4+n])
	}
}

// packetLen returns the length of the packet whose length field is at a place;
// nonsense counts as an empty one.
func (g *greeting) packetLen(at int) int {
	if n := binary.BigEndian.Uint32(g.seen[at:]); n <= maxKexInit {
		return int(n)
	}
	return 0
}

// ciphersOf returns the ciphers from client to server of a SSH_MSG_KEXINIT
// packet, which begins with the length of its padding.
func ciphersOf(packet []byte) []string {
	const msgKexInit, cookie = 20, 16
	if len(packet) < 2+cookie || packet[1] != msgKexInit {
		return nil
	}
	rest := packet[2+cookie:]
	for range 2 { // key exchanges, host keys
		if _, rest = cutString(rest); rest == nil {
			return nil
		}
	}
	list, _ := cutString(rest)
	return strings.Split(string(list), ",")
}

// cutString cuts a string with its length before it; rest is nil if there is
// none.
func cutString(b []byte) (s, rest []byte) {
	if len(b) < 4 {
		return nil, nil
	}
	n := binary.BigEndian.Uint32(b)
	if uint64(n) > uint64(len(b)-4) {
		return nil, nil
	}
	return b[4 : 4+n], b[4+n:]
}

// Read implements net.Conn.
func (g *greeting) Read(p []byte) (int, error) {
	if len(g.seen) == 0 {
		return g.Conn.Read(p)
	}
	n := copy(p, g.seen)
	if g.seen = g.seen[n:]; len(g.seen) == 0 {
		g.seen = nil
	}
	return n, nil
}

// Write implements net.Conn. The library's version line was sent already.
func (g *greeting) Write(p []byte) (int, error) {
	if g.sent == nil {
		return g.Conn.Write(p)
	}
	if !bytes.Equal(p, g.sent) {
		return 0, fmt.Errorf("the version line was to be written first")
	}
	g.sent = nil
	return len(p), nil
}

var (
	fastCiphers = []string{ssh.CipherAES128GCM, ssh.CipherAES256GCM}
	safeCiphers = []string{
		ssh.CipherAES128GCM, ssh.CipherAES256GCM, ssh.CipherChaCha20Poly1305,
		ssh.CipherAES256CTR, ssh.CipherAES192CTR, ssh.CipherAES128CTR,
	}
	safeExchanges = []string{
		ssh.KeyExchangeMLKEM768X25519, ssh.KeyExchangeCurve25519, // the library adds its older name
		ssh.KeyExchangeDH16SHA512, ssh.KeyExchangeDH14SHA256,
	}
	// hmac-sha2-256 without -etm is for clients built on old libssh2.
	safeMACs     = []string{ssh.HMACSHA256ETM, ssh.HMACSHA512ETM, ssh.HMACSHA256, ssh.HMACSHA512}
	safeUserKeys = []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoSKED25519, ssh.KeyAlgoSKECDSA256,
		ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSASHA512,
	}
)

// offers returns the ciphers to offer to a client.
func (g *greeting) offers() []string {
	for _, c := range g.ciphers {
		if slices.Contains(fastCiphers, c) {
			return fastCiphers
		}
	}
	return safeCiphers
}
