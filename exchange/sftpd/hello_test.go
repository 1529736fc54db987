package sftpd

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/ssh"
)

// kexInit is a packet of a client that knows some ciphers.
func kexInit(ciphers string) []byte {
	p := append([]byte{6, 20}, make([]byte, 16)...)
	for _, list := range []string{"curve25519-sha256", "ssh-ed25519", ciphers, ciphers, "", "", "", "", "", ""} {
		p = appendString(p, []byte(list))
	}
	p = append(p, make([]byte, 5+6)...)
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(p))), p...)
}

const hello = "SSH-2.0-Client\r\n"

// said is what a client says after a while.
type said struct {
	after time.Duration
	text  string
}

// greetClient lets a client say something and returns what came of it, and how
// long that took.
func greetClient(t *testing.T, lines ...said) (g *greeting, took time.Duration, err error) {
	t.Helper()
	client, server := net.Pipe()
	var wg sync.WaitGroup
	defer wg.Wait()
	defer func() { _ = client.Close(); _ = server.Close() }()
	wg.Go(func() {
		got := make([]byte, len(serverVersion)+2)
		if _, err := io.ReadFull(client, got); err != nil || string(got) != serverVersion+"\r\n" {
			t.Errorf("the server says %q, %v", got, err)
		}
		for _, l := range lines {
			time.Sleep(l.after)
			if _, err := io.WriteString(client, l.text); err != nil {
				return
			}
		}
	})
	begun := time.Now()
	_ = server.SetDeadline(begun.Add(20 * time.Second))
	g, err = greet(server, serverVersion, func() {})
	return g, time.Since(begun), err
}

func TestClientsAreHeardBeforeTheHandshake(t *testing.T) {
	gcm, ctr := string(kexInit("aes128-ctr,aes256-gcm@openssh.com")), string(kexInit("aes128-ctr,chacha20-poly1305@openssh.com"))
	var inPieces []said
	for _, b := range []byte(hello + gcm) {
		inPieces = append(inPieces, said{time.Millisecond / 8, string([]byte{b})})
	}
	for name, c := range map[string]struct {
		lines []said
		fast  bool
		took  time.Duration
	}{
		"all at once":               {[]said{{0, hello + gcm}}, true, 0},
		"a list without GCM":        {[]said{{0, hello + ctr}}, false, 0},
		"a little later":            {[]said{{time.Second, hello}, {200 * time.Millisecond, gcm}}, true, 1200 * time.Millisecond},
		"too late":                  {[]said{{0, hello}, {time.Second, gcm}}, false, helloWait},
		"never":                     {[]said{{0, hello}}, false, helloWait},
		"half of it":                {[]said{{0, hello + gcm[:40]}}, false, helloWait},
		"byte by byte":              {inPieces, true, time.Duration(len(inPieces)) * time.Millisecond / 8},
		"other lines before":        {[]said{{0, "hello\r\nworld\n" + hello + gcm}}, true, 0},
		"without a carriage return": {[]said{{0, "SSH-2.0-Client\n" + gcm}}, true, 0},
		"a packet of 4 GiB":         {[]said{{0, hello + "\xff\xff\xff\xff" + gcm}}, false, 0},
		"an empty packet":           {[]said{{0, hello + "\x00\x00\x00\x00"}}, false, 0},
		"another packet":            {[]said{{0, hello + "\x00\x00\x00\x05\x01\x02abc"}}, false, 0},
		"a list longer than all":    {[]said{{0, hello + strings.Replace(gcm, "curve", "\xff\xffrve", 1)}}, true, 0},
		"more behind":               {[]said{{0, hello + gcm + "what is guessed"}}, true, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			g, took, err := greetClient(t, c.lines...)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := slices.Equal(g.offers(), fastCiphers); got != c.fast || took != c.took || g.client != "SSH-2.0-Client" {
				t.Errorf("%s: fast %v, %s, %q", name, got, took, g.client)
			}
			var sent string
			for _, l := range c.lines {
				sent += l.text
			}
			again := make([]byte, len(g.seen))
			if _, err := io.ReadFull(g, again); err != nil || !strings.HasPrefix(sent, string(again)) {
				t.Errorf("%s: read again: %q, %v", name, again, err)
			}
		})
	}
}

func TestWhoDoesNotSpeakSSHIsLeft(t *testing.T) {
	for name, lines := range map[string][]said{
		"HTTP":                     {{0, "GET / HTTP/1.1\r\n"}, {0, strings.Repeat("A: b\r\n", 20)}},
		"a line without end":       {{0, strings.Repeat("x", 300)}},
		"a version without end":    {{0, "SSH-2.0-" + strings.Repeat("x", 300)}},
		"a version of 1,000 bytes": {{0, "SSH-2.0-" + strings.Repeat("x", 1000) + "\r\n"}},
		"17 lines before it":       {{0, strings.Repeat("\n", 17) + hello}},
		"nothing":                  nil,
	} {
		synctest.Test(t, func(t *testing.T) {
			if _, took, err := greetClient(t, lines...); err == nil || took > 20*time.Second {
				t.Errorf("%s: %v after %s", name, err, took)
			}
		})
	}
}

func FuzzCiphersOf(f *testing.F) {
	f.Add(kexInit("aes128-ctr,aes256-gcm@openssh.com")[4:])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, packet []byte) {
		for _, c := range ciphersOf(packet) {
			if !bytes.Contains(packet, []byte(c)) {
				t.Errorf("%q is not in the packet", c)
			}
		}
		if got := (&greeting{ciphers: ciphersOf(packet)}).offers(); !slices.Contains(got, ssh.CipherAES128GCM) {
			t.Errorf("%q", got)
		}
	})
}
