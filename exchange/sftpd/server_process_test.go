package sftpd_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/exchange/landing"
	"concord/exchange/sftpd"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"
)

// asServer makes the test binary the server of another one.
const asServer = "CONCORD_TEST_SFTP_SERVER"

// serverProcess is a server in a process of its own.
type serverProcess struct {
	site *exchangetest.Site // with what clients need of it
	pid  int
	in   io.Writer
	out  *bufio.Scanner
}

// TestServerProcess is that process. It says where it listens, and then how many
// goroutines it has whenever it is asked.
func TestServerProcess(t *testing.T) {
	dir := os.Getenv(asServer)
	if dir == "" {
		t.Skip("is run by other tests")
	}
	site := newSite(t, exchangetest.SiteOptions{Dir: dir, Terms: landing.Terms{MaxFiles: 1 << 20}})
	fmt.Println("at " + site.Addr)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		fmt.Printf("at %d\n", runtime.NumGoroutine())
	}
}

func startServer(t *testing.T) *serverProcess {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0], "-test.run=^TestServerProcess$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), asServer+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the server: %v", err)
		}
	})
	p := &serverProcess{pid: cmd.Process.Pid, in: in, out: bufio.NewScanner(out)}
	addr := p.line(t)
	keys, err := sftpd.OpenHostKeys(filepath.Join(dir, "hostkeys"), time.Now)
	must(t, err)
	t.Cleanup(func() { _ = keys.Close() })
	p.site = &exchangetest.Site{Addr: addr, Dir: dir, Keys: keys}
	return p
}

// login logs a carrier in.
func (p *serverProcess) login(carrier, from string) (*ssh.Client, error) {
	text, err := os.ReadFile(filepath.Join(p.site.Dir, carrier+".key"))
	if err != nil {
		return nil, err
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return nil, err
	}
	return knock(p.site, from, ssh.ClientConfig{User: carrier, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}})
}

// upload logs in and puts a file of some MiB, as an honest client does, and
// returns how long that took.
func (p *serverProcess) upload(from, name string, mib int) (time.Duration, error) {
	begun := time.Now()
	c, err := p.login(carrier, from)
	if err != nil {
		return 0, fmt.Errorf("login: %w", err)
	}
	defer func() { _ = c.Close() }()
	f, err := sftp.NewClient(c)
	if err != nil {
		return 0, err
	}
	content := bytes.Repeat([]byte("one line of a file\n"), mib<<20/19)
	if err := put(f, name, content); err != nil {
		return 0, err
	}
	i, err := f.Stat(name)
	if err == nil && i.Size() != int64(len(content)) {
		err = fmt.Errorf("%d bytes arrived of %d", i.Size(), len(content))
	}
	return time.Since(begun), err
}

func (p *serverProcess) line(t testing.TB) string {
	t.Helper()
	for p.out.Scan() {
		if rest, ok := strings.CutPrefix(p.out.Text(), "at "); ok {
			return rest
		}
	}
	t.Fatal("the server process has ended")
	return ""
}

func (p *serverProcess) goroutines(t testing.TB) int {
	t.Helper()
	_, err := io.WriteString(p.in, "\n")
	must(t, err)
	n, err := strconv.Atoi(p.line(t))
	must(t, err)
	return n
}

// peak returns the most memory that the process had so far, in MiB.
func (p *serverProcess) peak(t testing.TB) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.pid))
	must(t, err)
	_, rest, _ := bytes.Cut(text, []byte("VmHWM:"))
	n, err := strconv.Atoi(strings.Fields(string(rest))[0])
	must(t, err)
	return n >> 10
}
