//go:build peers

package peers

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// TestAuditOfAlgorithms has ssh-audit look at what the server offers.
func TestAuditOfAlgorithms(t *testing.T) {
	p := openInbox(t)
	host, port, _ := strings.Cut(p.Addr, ":")
	out, err := exec.Command("ssh-audit", "-b", "-n", "-p", port, host).CombinedOutput()
	t.Logf("ssh-audit: %v\n%s", err, out)
	if !strings.Contains(string(out), "(kex)") || !strings.Contains(string(out), "(key)") || strings.Contains(string(out), "[fail]") {
		t.Error("ssh-audit does not approve")
	}
}

// TestKeyScan has ssh-keyscan write the known_hosts that a carrier pins.
func TestKeyScan(t *testing.T) {
	p := openInbox(t)
	host, port, _ := strings.Cut(p.Addr, ":")
	out, err := exec.Command("ssh-keyscan", "-p", port, host).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(p.KnownHosts())), "\n") {
		if !strings.Contains(string(out), line) {
			t.Errorf("ssh-keyscan does not find %s, but\n%s", line, out)
		}
	}
}

// TestKeysToComeAreLearned has OpenSSH learn the keys that a rotation has made,
// before they take over.
func TestKeysToComeAreLearned(t *testing.T) {
	p := openInbox(t)
	a := p.account(t, "northwind", p.Addr)
	old := p.Keys.Announced()
	// Only the old Ed25519 key is known; the RSA key is learned as well.
	a.write(t, "known_hosts", strings.SplitAfter(a.known(t), "\n")[0])
	if err := p.Keys.Rotate(time.Hour); err != nil {
		t.Fatal(err)
	}
	all := p.Keys.Announced()
	if len(all) != 2*len(old) {
		t.Fatalf("%d keys are announced", len(all))
	}
	if err := syscall.Mkfifo(a.dir+"/commands", 0o600); err != nil {
		t.Fatal(err)
	}
	r := a.start(t, client{name: "learning_sftp"}, "session", "commands")
	commands, err := os.OpenFile(a.dir+"/commands", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range all { // while the session lasts
		line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(k)))
		await(t, "the client learns "+line, func() bool { return strings.Contains(a.known(t), line) })
	}
	if err := commands.Close(); err != nil {
		t.Fatal(err)
	}
	<-r.done
	a.must(t, client{name: "sftp"}, "list", "inbox") // strictly, with what it has learned
}

func (a account) known(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(a.dir + "/known_hosts")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func (a account) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(a.dir+"/"+name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
