package sftpd_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

func TestShellsAndForwardsAreRefusedInWords(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	c := login(t, site, carrier)
	for _, what := range []string{"exec", "shell"} {
		s, err := c.NewSession()
		must(t, err)
		var said bytes.Buffer
		s.Stderr = &said
		if what == "exec" {
			err = s.Run("rm -rf /")
		} else if err = s.Shell(); err == nil {
			err = s.Wait()
		}
		var exit *ssh.ExitError
		if !errors.As(err, &exit) || exit.ExitStatus() != 1 || !strings.Contains(said.String(), "SFTP only") {
			t.Errorf("%s: %v, and the words %q", what, err, said.String())
		}
	}
	for _, kind := range []string{"direct-tcpip", "x11", "auth-agent@openssh.com", "direct-streamlocal@openssh.com", "tun@openssh.com"} {
		_, _, err := c.OpenChannel(kind, nil)
		var refused *ssh.OpenChannelError
		if !errors.As(err, &refused) || !strings.Contains(refused.Message, "SFTP only") {
			t.Errorf("channel %s: %v", kind, err)
		}
	}
	for _, kind := range []string{"tcpip-forward", "streamlocal-forward@openssh.com", "no-such-thing"} {
		if ok, _, err := c.SendRequest(kind, true, nil); ok || err != nil {
			t.Errorf("request %s: %v, %v", kind, ok, err)
		}
	}
	s, err := c.NewSession()
	must(t, err)
	for _, kind := range []string{"pty-req", "x11-req", "auth-agent-req@openssh.com", "env", "subsystem"} {
		if ok, err := s.SendRequest(kind, true, ssh.Marshal(struct{ S string }{"netconf"})); ok || err != nil {
			t.Errorf("channel request %s: %v, %v", kind, ok, err)
		}
	}
	must(t, put(open(t, c), "inbox/a.csv", []byte("still served"))) // in the same connection
}

func TestOneConnectionHoldsSeveralSessions(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	c := login(t, site, carrier)
	a, b := open(t, c), open(t, c)
	must(t, put(a, "inbox/a.csv", []byte("a")))
	must(t, put(b, "inbox/b.csv", []byte("b")))
	must(t, a.Close())
	if all, err := b.ReadDir("inbox"); err != nil || len(all) != 2 {
		t.Errorf("the other session sees %v, %v", all, err)
	}
	for range 3 * 8 { // a session that has ended leaves its place to the next
		must(t, open(t, c).Close())
	}
}

func TestLimitsSayWhatOneRequestMayAsk(t *testing.T) {
	t.Parallel()
	r := rawSFTP(t, login(t, newSite(t, exchangetest.SiteOptions{}), carrier))
	kind, body := r.ask(reqExtended, "limits@openssh.com")
	var got [4]uint64
	for i := range got {
		got[i] = binary.BigEndian.Uint64(body[8*i:])
	}
	if want := [4]uint64{256 << 10, 255 << 10, 255 << 10, 64}; kind != 201 || got != want {
		t.Fatalf("type %d, %v, want %v", kind, got, want)
	}
	h := r.open("/inbox/a.csv", flagWrite|flagCreate|flagTruncate)
	if code, text := r.status(reqWrite, h, uint64(0), string(make([]byte, got[2]))); code != statusOK {
		t.Fatalf("the longest write: %d %s", code, text)
	}
	r.status(reqClose, h)
	h = r.open("/inbox/a.csv", flagRead)
	if kind, body := r.ask(reqRead, h, uint64(0), uint32(got[1])); kind != 103 || len(body) != 4+int(got[1]) {
		t.Errorf("the longest read: type %d, %d bytes", kind, len(body))
	}
	for i := 1; i < int(got[3]); i++ {
		r.open("/inbox/a.csv", flagRead)
	}
	if code, text := r.status(3, "/inbox/a.csv", uint32(flagRead), uint32(0)); code != statusFailure || !strings.Contains(text, "too many") {
		t.Errorf("one handle more: %d %s", code, text)
	}
	r.status(reqClose, h)
	r.open("/inbox/a.csv", flagRead)
}

// A client reads from a file that it has open for writing only: the library
// would write what its buffers hold.
func TestReadingDoesNotWrite(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	r := rawSFTP(t, login(t, site, carrier))
	for name, flags := range map[string]uint32{"/inbox/a.csv": flagWrite, "/inbox/b.csv": flagWrite | 0x4000_0000} {
		h := r.open(name, flags|flagCreate)
		if code, _ := r.status(reqRead, h, uint64(0), uint32(1000)); code != statusFailure {
			t.Errorf("a read from a file open for writing: %d", code)
		}
		if code, _ := r.status(reqReaddir, h); code != statusFailure {
			t.Errorf("a listing of a file: %d", code)
		}
		r.status(reqWrite, h, uint64(0), "one line\n")
		r.status(reqClose, h)
		if got, err := os.ReadFile(filepath.Join(site.Home(carrier), name)); err != nil || string(got) != "one line\n" {
			t.Errorf("%s holds %q, %v", name, got, err)
		}
	}
	h := r.open("/inbox/a.csv", flagRead|flagWrite|0x4000_0000)
	if kind, body := r.ask(reqRead, h, uint64(4), uint32(100)); kind != 103 || str(body) != "line\n" {
		t.Errorf("a read from a file open for both: type %d, %q", kind, body)
	}
	long := "/" + strings.Repeat("./", 20<<10) + "inbox/c.csv"
	if code, _ := r.status(3, long, uint32(flagWrite|flagCreate), uint32(0)); code != statusFailure {
		t.Errorf("a name too long to be rewritten: %d", code)
	}
}

func TestFsyncReachesTheUpload(t *testing.T) {
	t.Parallel()
	c := open(t, login(t, newSite(t, exchangetest.SiteOptions{}), carrier))
	if v, ok := c.HasExtension("fsync@openssh.com"); !ok || v != "1" {
		t.Fatalf("fsync: %q %v", v, ok)
	}
	f, err := c.Create("inbox/a.csv")
	must(t, err)
	_, err = f.Write([]byte("a"))
	must(t, err)
	must(t, f.Sync())
	must(t, f.Close())
	if err := f.Sync(); err == nil {
		t.Error("a closed handle was synced")
	}
}

func TestRenameKeepsWhatIsThere(t *testing.T) {
	t.Parallel()
	c := open(t, login(t, newSite(t, exchangetest.SiteOptions{}), carrier))
	must(t, put(c, "inbox/a.csv", []byte("a")))
	must(t, put(c, "inbox/b.csv", []byte("b")))
	var s *sftp.StatusError
	if err := c.Rename("inbox/a.csv", "inbox/b.csv"); !errors.As(err, &s) || s.Code != statusFailure {
		t.Errorf("rename onto a file: %v", err)
	}
	must(t, c.PosixRename("inbox/a.csv", "inbox/b.csv"))
	f, err := c.Open("inbox/b.csv")
	must(t, err)
	if got, err := io.ReadAll(f); err != nil || string(got) != "a" {
		t.Errorf("after posix-rename: %q, %v", got, err)
	}
}

func TestStatVFSIsTheQuota(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{Terms: landing.Terms{MaxBytes: 1 << 20, MaxFiles: 10}})
	c := open(t, login(t, site, carrier))
	must(t, put(c, "inbox/a.csv", make([]byte, 512<<10)))
	v, err := c.StatVFS("/inbox")
	must(t, err)
	if v.TotalSpace() != 1<<20 || v.FreeSpace() != 512<<10 || v.Files != 10 || v.Ffree != 9 {
		t.Errorf("%+v", v)
	}
	if err := put(c, "inbox/b.csv", make([]byte, 600<<10)); err == nil || !strings.Contains(err.Error(), "quota") {
		t.Errorf("beyond the quota: %v", err)
	}
}

func TestAppendersMayCountFromEitherEnd(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	r := rawSFTP(t, login(t, site, carrier))
	for name, at := range map[string]uint64{"from the start of the file": 6, "from where it began": 0} {
		h := r.open("/inbox/a.csv", flagWrite|flagCreate|flagTruncate)
		r.status(reqWrite, h, uint64(0), "first\n")
		r.status(reqClose, h)
		h = r.open("/inbox/a.csv", flagWrite|flagAppend)
		for i, part := range []string{"sec", "ond"} {
			if code, text := r.status(reqWrite, h, at+3*uint64(i), part); code != statusOK {
				t.Fatalf("%s: %d %s", name, code, text)
			}
		}
		r.status(reqClose, h)
		if got, err := os.ReadFile(filepath.Join(site.Home(carrier), "inbox/a.csv")); err != nil || string(got) != "first\nsecond" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestAFileBeingWrittenCanBeLookedAt(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	c := login(t, site, carrier)
	a, b := open(t, c), open(t, c)
	f, err := a.OpenFile("inbox/a.csv", os.O_RDWR|os.O_CREATE|os.O_TRUNC)
	must(t, err)
	_, err = f.WriteAt([]byte("0123456789"), 0)
	must(t, err)
	must(t, f.Truncate(8))
	must(t, f.Chmod(0o600)) // ignored
	must(t, a.Chown("inbox/a.csv", 12, 13))
	when := time.Unix(1_700_000_000, 0)
	must(t, a.Chtimes("inbox/a.csv", when, when))
	for what, stat := range map[string]func() (os.FileInfo, error){
		"by handle": f.Stat, "by name": func() (os.FileInfo, error) { return a.Stat("/inbox/a.csv") },
	} {
		i, err := stat()
		must(t, err)
		if i.Size() != 8 || !i.ModTime().Equal(when) || i.Mode() != 0o644 {
			t.Errorf("%s: %d bytes, %s, %s", what, i.Size(), i.ModTime(), i.Mode())
		}
	}
	if got := make([]byte, 4); true {
		if n, err := f.ReadAt(got, 2); n != 4 || err != nil || string(got) != "2345" {
			t.Errorf("read back: %q, %d, %v", got, n, err)
		}
	}
	if _, err := b.Stat("/inbox/a.csv"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another session sees it: %v", err)
	}
	must(t, f.Close())
	i, err := b.Stat("/inbox/a.csv")
	if err != nil || i.Size() != 8 || !i.ModTime().Equal(when) {
		t.Errorf("after the close: %+v, %v", i, err)
	}
	must(t, a.Truncate("inbox/a.csv", 3))
	if i, err := a.Stat("inbox/a.csv"); err != nil || i.Size() != 3 {
		t.Errorf("cut by name: %+v, %v", i, err)
	}
}
