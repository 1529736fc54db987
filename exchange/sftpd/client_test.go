package sftpd_test

import (
	"encoding/binary"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/sftpd"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

const carrier, other = "fabrikam", "northwind"

// hostKeys are made once: an RSA key takes a second.
var hostKeys = sync.OnceValues(func() (fs.FS, error) {
	dir, err := os.MkdirTemp("", "hostkeys")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	k, err := sftpd.OpenHostKeys(dir, time.Now)
	if err != nil {
		return nil, err
	}
	kept := fstest.MapFS{}
	for _, name := range []string{"ssh_host_ed25519_key", "ssh_host_rsa_key"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		kept[name] = &fstest.MapFile{Data: text, Mode: 0o600}
	}
	return kept, k.Close()
})

// newSite starts a server.
func newSite(t testing.TB, o exchangetest.SiteOptions) *exchangetest.Site {
	t.Helper()
	keys, err := hostKeys()
	must(t, err)
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	dir := filepath.Join(o.Dir, "hostkeys")
	must(t, os.CopyFS(dir, keys))
	all, err := fs.ReadDir(keys, ".")
	must(t, err)
	for _, e := range all {
		must(t, os.Chmod(filepath.Join(dir, e.Name()), 0o600))
	}
	return exchangetest.NewSite(t, o)
}

// visit connects to a site from an address of loopback.
func visit(from, to string) (net.Conn, error) {
	d := net.Dialer{Timeout: 10 * time.Second}
	if from != "" {
		d.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	return d.Dial("tcp", to)
}

// knock logs in from an address, as whoever the config says.
func knock(site *exchangetest.Site, from string, c ssh.ClientConfig) (*ssh.Client, error) {
	raw, err := visit(from, site.Addr)
	if err != nil {
		return nil, err
	}
	if c.HostKeyCallback == nil {
		c.HostKeyAlgorithms = []string{ssh.KeyAlgoED25519}
		c.HostKeyCallback = ssh.FixedHostKey(site.Keys.Announced()[0])
	}
	_ = raw.SetDeadline(time.Now().Add(15 * time.Second))
	conn, chans, reqs, err := ssh.NewClientConn(raw, site.Addr, &c)
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	_ = raw.SetDeadline(time.Time{})
	return ssh.NewClient(conn, chans, reqs), nil
}

func keyOf(site *exchangetest.Site, carrier string) ssh.ClientConfig {
	return ssh.ClientConfig{User: carrier, Auth: []ssh.AuthMethod{ssh.PublicKeys(site.Signer(carrier))}}
}

// login logs a carrier in with its key.
func login(t testing.TB, site *exchangetest.Site, carrier string) *ssh.Client {
	t.Helper()
	c, err := knock(site, "", keyOf(site, carrier))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// open begins an SFTP session.
func open(t testing.TB, c *ssh.Client, opts ...sftp.ClientOption) *sftp.Client {
	t.Helper()
	f, err := sftp.NewClient(c, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func put(c *sftp.Client, name string, content []byte) error {
	f, err := c.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(content); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// waitFor polls for something that another goroutine is about to do.
func waitFor(t testing.TB, what string, ok func() bool) {
	t.Helper()
	late := time.After(10 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("after 10 s: no %s", what)
		}
	}
}

// count returns how many lines of the audit are about something.
func count(site *exchangetest.Site, act sftpd.Act) (n int) {
	for _, e := range site.Events() {
		if e.Act == act {
			n++
		}
	}
	return n
}

// rawSession is an SFTP session whose packets a test writes byte by byte.
type rawSession struct {
	t  testing.TB
	ch ssh.Channel
	id uint32
}

// rawSFTP begins one, up to the version.
func rawSFTP(t testing.TB, c *ssh.Client) *rawSession {
	t.Helper()
	ch, reqs, err := c.OpenChannel("session", nil)
	must(t, err)
	go ssh.DiscardRequests(reqs)
	ok, err := ch.SendRequest("subsystem", true, ssh.Marshal(struct{ Name string }{"sftp"}))
	if err != nil || !ok {
		t.Fatalf("subsystem: %v, %v", ok, err)
	}
	r := &rawSession{t: t, ch: ch}
	r.send(1, uint32(3))
	if kind, _ := r.receive(); kind != 2 {
		t.Fatalf("answer of type %d to the first packet", kind)
	}
	return r
}

// packet makes a packet of numbers, strings and, as []byte, raw bytes.
func packet(kind byte, parts ...any) []byte {
	b := []byte{0, 0, 0, 0, kind}
	for _, p := range parts {
		switch p := p.(type) {
		case uint32:
			b = binary.BigEndian.AppendUint32(b, p)
		case uint64:
			b = binary.BigEndian.AppendUint64(b, p)
		case string:
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(p))), p...)
		case []byte:
			b = append(b, p...)
		}
	}
	binary.BigEndian.PutUint32(b, uint32(len(b)-4))
	return b
}

func (r *rawSession) send(kind byte, parts ...any) {
	r.t.Helper()
	if _, err := r.ch.Write(packet(kind, parts...)); err != nil {
		r.t.Fatal(err)
	}
}

// receive returns the next packet, without its length and type.
func (r *rawSession) receive() (kind byte, body []byte) {
	r.t.Helper()
	var h [5]byte
	if _, err := io.ReadFull(r.ch, h[:]); err != nil {
		r.t.Fatal(err)
	}
	body = make([]byte, binary.BigEndian.Uint32(h[:])-1)
	if _, err := io.ReadFull(r.ch, body); err != nil {
		r.t.Fatal(err)
	}
	return h[4], body
}

// ask sends a request with an id of its own and returns what follows the id in
// the answer.
func (r *rawSession) ask(kind byte, parts ...any) (answer byte, body []byte) {
	r.t.Helper()
	r.id++
	r.send(kind, append([]any{r.id}, parts...)...)
	answer, body = r.receive()
	if got := binary.BigEndian.Uint32(body); got != r.id {
		r.t.Fatalf("an answer to request %d, not %d", got, r.id)
	}
	return answer, body[4:]
}

// status asks for something that is answered with a status.
func (r *rawSession) status(kind byte, parts ...any) (code uint32, text string) {
	r.t.Helper()
	answer, body := r.ask(kind, parts...)
	if answer != 101 {
		r.t.Fatalf("answer of type %d to a request of type %d", answer, kind)
	}
	return binary.BigEndian.Uint32(body), str(body[4:])
}

// open opens a file and returns its handle.
func (r *rawSession) open(name string, flags uint32) string {
	r.t.Helper()
	answer, body := r.ask(3, name, flags, uint32(0))
	if answer != 102 {
		r.t.Fatalf("open %s: answer of type %d: %q", name, answer, body)
	}
	return str(body)
}

// str reads a string with its length before it.
func str(b []byte) string { return string(b[4 : 4+binary.BigEndian.Uint32(b)]) }

// Codes of a status, types of requests and flags of an open.
const (
	statusOK, statusEOF, statusNoFile, statusDenied   = 0, 1, 2, 3
	statusFailure, statusBadMessage, statusUnknown    = 4, 5, 8
	reqClose, reqRead, reqWrite, reqFstat, reqSetstat = 4, 5, 6, 8, 9
	reqFsetstat, reqReaddir, reqRemove, reqRealpath   = 10, 12, 13, 16
	reqStat, reqRename, reqReadlink, reqSymlink       = 17, 18, 19, 20
	reqExtended                                       = 200
	flagRead, flagWrite, flagAppend, flagCreate       = 1, 2, 4, 8
	flagTruncate, flagExclusive                       = 16, 32
)
