package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"concord/exchange"
	"concord/exchange/landing"
	"concord/exchange/sftpc"

	"golang.org/x/crypto/ssh"
)

// trustHost writes down the service's host key, as carriers do who were told
// it.
func (d *demo) trustHost() error {
	text, err := os.ReadFile(d.path("data", "hostkeys", "ssh_host_ed25519_key"))
	if err != nil {
		return fmt.Errorf("read the host key: %w", err)
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return fmt.Errorf("read the host key: %w", err)
	}
	line := fmt.Sprintf("[127.0.0.1]:%s %s", d.service.port, ssh.MarshalAuthorizedKey(key.PublicKey()))
	return os.WriteFile(d.path("known_hosts"), []byte(line), 0o600)
}

// sftpProgram is OpenSSH's client; empty: this machine has none.
func sftpProgram() string {
	path, err := exec.LookPath("sftp")
	if err != nil {
		return ""
	}
	return path
}

// put uploads a file as a carrier: with OpenSSH's sftp where it is installed.
func (d *demo) put(carrier, path string) error {
	if sftpProgram() == "" {
		return d.ownClient(carrier, func(ctx context.Context, r exchange.Remote) error {
			f, err := os.Open(path)
			if err != nil {
				return err
			}
			defer func() { _ = f.Close() }()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			return exchange.Publish(ctx, r, "inbox/"+filepath.Base(path), f, info.Size())
		})
	}
	return d.sftp(carrier, fmt.Sprintf("put %q inbox/", path))
}

// get fetches a file as a carrier. It is fs.ErrNotExist when it is not there.
func (d *demo) get(carrier, name, to string) error {
	var err error
	if sftpProgram() == "" {
		err = d.ownClient(carrier, func(ctx context.Context, r exchange.Remote) error {
			return getOne(ctx, r, name, to)
		})
	} else {
		err = d.sftp(carrier, fmt.Sprintf("get %q %q", name, to))
	}
	if info, serr := os.Stat(to); err != nil || serr != nil || info.Size() == 0 {
		return errors.Join(fs.ErrNotExist, err)
	}
	return nil
}

// sftp gives OpenSSH's client one command.
func (d *demo) sftp(carrier, command string) error {
	cmd := exec.CommandContext(d.ctx, sftpProgram(), "-q", "-b", "-", "-P", d.service.port, "-i", d.path("keys", carrier),
		"-o", "IdentitiesOnly=yes", "-o", "UserKnownHostsFile="+d.path("known_hosts"), "-o", "StrictHostKeyChecking=yes", "-F", "none", carrier+"@127.0.0.1")
	cmd.Stdin = strings.NewReader(command + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("sftp as %s: %w: %s", carrier, err, strings.TrimSpace(string(out)))
	}
	return nil
}

// ownClient connects with concord's own client.
func (d *demo) ownClient(carrier string, do func(ctx context.Context, r exchange.Remote) error) error {
	text, err := os.ReadFile(d.path("keys", carrier))
	if err != nil {
		return err
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return err
	}
	pins, err := os.ReadFile(d.path("known_hosts"))
	if err != nil {
		return err
	}
	_, pin, _ := strings.Cut(strings.TrimSpace(string(pins)), " ")
	r, err := sftpc.Dial(d.ctx, sftpc.Config{Addr: "127.0.0.1:" + d.service.port, User: carrier, Signers: []ssh.Signer{key}, HostKeys: []string{pin}})
	if err != nil {
		return err
	}
	return errors.Join(do(d.ctx, r), r.Close())
}

// receipt waits for the receipt of a file and fetches it.
func (d *demo) receipt(carrier, name string) (r landing.Receipt, err error) {
	if err := os.MkdirAll(d.path("receipts"), 0o750); err != nil {
		return r, err
	}
	to := d.path("receipts", carrier+"-"+name+".json")
	err = d.until(fmt.Sprintf("the receipt of %s for %s", carrier, name), 200*time.Millisecond, func() (bool, error) {
		err := d.get(carrier, landing.ReceiptName(name), to)
		return err == nil, d.ctx.Err()
	})
	if err != nil {
		return r, err
	}
	text, err := os.ReadFile(to)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}

// until waits for something that the service does.
func (d *demo) until(what string, every time.Duration, is func() (bool, error)) error {
	late := time.NewTimer(time.Minute)
	defer late.Stop()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if done, err := is(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-d.ctx.Done():
			return d.ctx.Err()
		case <-late.C:
			return fmt.Errorf("%s did not come within a minute; the service's log ends with:\n%s", what, d.logTail())
		}
	}
}
