package main

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/exchange/sftpd"

	"golang.org/x/crypto/ssh"
)

// server is one of the two that are compared.
type server struct {
	name   string
	flags  []string // of the client
	remote string   // folder, as the client names it
	disk   string   // the same on disk

	folders int
}

// fresh makes a folder to put into. What was put before stays until the end: a
// file system that discards the blocks of removed files does so while the next
// ones are being timed.
func (s *server) fresh() error {
	s.folders++
	return os.Mkdir(filepath.Join(s.disk, s.folder()), 0o755)
}

func (s *server) folder() string { return fmt.Sprint("f", s.folders) }

func random(name string, n int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.CopyN(f, rand.Reader, n)
	return errors.Join(err, f.Close())
}

// start starts both servers; OpenSSH's first.
func start(ctx context.Context, dir string) (all []*server, stop func(), err error) {
	var stops []func()
	stop = func() {
		for _, s := range stops {
			s()
		}
	}
	for _, key := range []string{"user", "host"} {
		if err := writeKey(filepath.Join(dir, key)); err != nil {
			return nil, stop, err
		}
	}
	for _, begin := range []func(context.Context, string) (*server, func(), error){openSSH, concord} {
		s, end, err := begin(ctx, dir)
		if err != nil {
			return nil, stop, err
		}
		stops = append(stops, end)
		all = append(all, s)
	}
	return all, stop, nil
}

func writeKey(name string) error {
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(key, "bench")
	if err != nil {
		return err
	}
	line, err := ssh.NewPublicKey(pub)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(name, pem.EncodeToMemory(block), 0o600), os.WriteFile(name+".pub", ssh.MarshalAuthorizedKey(line), 0o644))
}

func client(dir, login, addr string) []string {
	host, port, _ := net.SplitHostPort(addr)
	return []string{
		"-F", "none", "-i", filepath.Join(dir, "user"), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-P", port, login + "@" + host,
	}
}

// openSSH starts sshd with OpenSSH's own SFTP server, as Debian sets it up.
func openSSH(ctx context.Context, dir string) (*server, func(), error) {
	who, err := user.Current()
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	addr := l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	config := fmt.Sprintf("Port %s\nListenAddress 127.0.0.1\nHostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\n"+
		"PermitRootLogin yes\nPidFile none\nSubsystem sftp /usr/lib/openssh/sftp-server\n", port, dir, dir)
	file := filepath.Join(dir, "sshd.conf")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		return nil, nil, err
	}
	_ = os.MkdirAll("/run/sshd", 0o755) // where sshd, as root, locks itself in
	cmd := exec.CommandContext(ctx, "/usr/sbin/sshd", "-D", "-f", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("%w: install the package openssh-server", err)
	}
	disk := filepath.Join(dir, "openssh")
	s := &server{name: "OpenSSH", flags: client(dir, who.Username, addr), remote: disk, disk: disk}
	return s, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }, await(ctx, addr)
}

// await waits until a server answers.
func await(ctx context.Context, addr string) error {
	for {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			return c.Close()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// concord starts this program again as a server.
func concord(ctx context.Context, dir string) (*server, func(), error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, err
	}
	home := filepath.Join(dir, "concord")
	cmd := exec.CommandContext(ctx, self, "serve", home, filepath.Join(dir, "user.pub"))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, nil, err
	}
	addr, err := bufio.NewReader(out).ReadString('\n')
	s := &server{
		name: "Concord", flags: client(dir, carrier, strings.TrimSpace(addr)),
		remote: landing.Inbox, disk: filepath.Join(home, "home", landing.Inbox),
	}
	return s, func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }, err
}

const carrier = "fabrikam"

type accounts struct{ a sftpd.Account }

// Account implements sftpd.Accounts.
func (a accounts) Account(name string) (sftpd.Account, bool) { return a.a, name == a.a.Name }

// serve is Concord's server as it is set by default, and prints its address.
func serve(ctx context.Context, dir, key string) error {
	line, err := os.ReadFile(key)
	if err != nil {
		return err
	}
	pub, _, _, _, err := ssh.ParseAuthorizedKey(line)
	if err != nil {
		return err
	}
	home, err := landing.OpenHome(filepath.Join(dir, "home"), carrier, landing.Terms{MaxFiles: 1 << 20, MaxBytes: 1 << 40}, time.Now)
	if err != nil {
		return err
	}
	keys, err := sftpd.OpenHostKeys(filepath.Join(dir, "keys"), time.Now)
	if err != nil {
		return err
	}
	s, err := sftpd.New(sftpd.Config{
		Accounts: accounts{sftpd.Account{Name: carrier, Keys: []ssh.PublicKey{pub}, Home: home}}, Keys: keys, Now: time.Now,
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return s.Serve(ctx, l)
}
