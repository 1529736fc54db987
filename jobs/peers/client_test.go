//go:build peers

package peers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// client is a program that carriers have. What it is told to do is in the
// script of its name.
type client struct {
	name string
	// cannot are the functions that its script has not, since the program has
	// no such command.
	cannot []string
	// late says that it has not waited for the file's close when it ends.
	late bool
}

var clients = []client{
	{name: "sftp"},
	{name: "scp", cannot: []string{"list", "rename", "resume"}},
	{name: "lftp"},
	{name: "sshfs", late: true},
	{name: "psftp"},
	{name: "pscp", cannot: []string{"rename", "resume"}},
	{name: "curl"},
	{name: "paramiko"},
	{name: "rclone", cannot: []string{"resume"}},
}

func names(clients []client) (list []string) {
	for _, c := range clients {
		list = append(list, c.name)
	}
	return list
}

func (c client) can(verb string) bool { return !slices.Contains(c.cannot, verb) }

// account is one carrier's way to a server: what its scripts find in the
// environment.
type account struct {
	dir string
	env []string
}

// account makes the files that a carrier's programs want.
func (p *place) account(t *testing.T, carrier, addr string) account {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	a := account{dir: t.TempDir()}
	file := func(name, text string) string {
		name = filepath.Join(a.dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	var known strings.Builder
	for _, k := range p.Keys.Announced() {
		fmt.Fprintf(&known, "[%s]:%s %s", host, port, ssh.MarshalAuthorizedKey(k))
	}
	ppk := filepath.Join(a.dir, "key.ppk")
	if out, err := exec.Command("puttygen", p.KeyFile(carrier), "-O", "private", "-o", ppk).CombinedOutput(); err != nil {
		t.Fatalf("puttygen: %v\n%s", err, out)
	}
	scripts, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	conf := fmt.Sprintf("[concord]\ntype = sftp\nhost = %s\nport = %s\nuser = %s\nkey_file = %s\nknown_hosts_file = %s\nshell_type = none\ndisable_hashcheck = true\n",
		host, port, carrier, p.KeyFile(carrier), file("known_hosts", known.String()))
	a.env = append(os.Environ(),
		"HOME="+a.dir, "LC_ALL=C.UTF-8", "SCRIPTS="+scripts, "HOST="+host, "PORT="+port, "ACCOUNT="+carrier, "KEY="+p.KeyFile(carrier), "PPK="+ppk,
		"KNOWN_HOSTS="+filepath.Join(a.dir, "known_hosts"), "HOST_KEY="+ssh.FingerprintSHA256(p.Keys.Announced()[0]),
		"RCLONE_CONF="+file("rclone.conf", conf), "MOUNT="+filepath.Join(a.dir, "mount"))
	return a
}

// run is a program at work, with all the processes that it has started.
type run struct {
	*exec.Cmd
	out  bytes.Buffer
	done chan struct{} // closed when it has ended
	err  error
}

// start has a client do something.
func (a account) start(t *testing.T, c client, verb string, args ...string) *run {
	t.Helper()
	const call = `set -eu; . "$SCRIPTS/$0.sh"; "$@"`
	r := &run{Cmd: exec.Command("bash", append([]string{"-c", call, c.name, verb}, args...)...), done: make(chan struct{})}
	r.Env, r.Dir = a.env, a.dir
	r.Stdout, r.Stderr = &r.out, &r.out
	r.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	r.WaitDelay = 5 * time.Second // for what has left the group with our pipe
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(r.done)
		r.err = r.Wait()
	}()
	t.Cleanup(r.end)
	return r
}

// end kills what is left of the group, and waits.
func (r *run) end() {
	_ = syscall.Kill(-r.Process.Pid, syscall.SIGKILL)
	<-r.done
}

// program returns the process that the script has started.
func (r *run) program() int {
	pid := r.Process.Pid
	list, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if f := strings.Fields(string(list)); err == nil && len(f) > 0 {
		pid, _ = strconv.Atoi(f[0])
	}
	return pid
}

// wait waits for the end.
func (r *run) wait(ctx context.Context) error {
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		r.end()
		return errors.Join(ctx.Err(), r.err)
	}
}

// must has a client do something that has to work, and returns what it said.
func (a account) must(t *testing.T, c client, verb string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r := a.start(t, c, verb, args...)
	if err := r.wait(ctx); err != nil {
		t.Fatalf("%s: %s %q: %v\n%s", c.name, verb, args, err, r.out.String())
	}
	return r.out.String()
}
