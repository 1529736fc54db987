package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/crypto/ssh"
)

// hostKeys looks at the keys by which carriers know the server, without making
// any.
func (o *Options) hostKeys() Finding {
	const what = "host keys"
	if o.Config.SFTP.Listen == "" {
		return ok(what, "there is no SFTP server, and none are needed")
	}
	names, err := filepath.Glob(filepath.Join(o.Config.Data, "hostkeys", "ssh_host_*_key"))
	if err != nil || len(names) == 0 {
		return ok(what, "there are none yet; they are made at the first start")
	}
	for _, name := range names {
		info, err := os.Stat(name)
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			return bad(what, "chmod 600 "+name, "%s: others may read it", name)
		}
		text, err := os.ReadFile(name)
		if err == nil {
			_, err = ssh.ParsePrivateKey(text)
		}
		if err != nil {
			return bad(what, "put it back from a backup: with another key, carriers refuse to connect", "%s: %v", name, reason(err))
		}
	}
	return ok(what, "%d keys, which only the service reads", len(names))
}

// port sees whether a server can listen, or does.
func (o *Options) port(ctx context.Context, what, address string) Finding {
	what = "port of " + what
	if address == "" {
		return ok(what, "none is listened on")
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	switch {
	case err == nil && l.Close() == nil:
		if o.Running {
			return warn(what, "start the service anew after a change of its address", "%s is free, though a service runs", address)
		}
		return ok(what, "%s is free", address)
	case errors.Is(err, syscall.EADDRINUSE) && o.Running:
		return ok(what, "%s is in use by the running service", address)
	case errors.Is(err, syscall.EADDRINUSE):
		return bad(what, "end the other program, or choose another port", "%s is in use by another program", address)
	case errors.Is(err, fs.ErrPermission):
		return bad(what, "choose a port from 1024 on, or give the service CAP_NET_BIND_SERVICE", "%s: this user may not listen there", address)
	}
	return bad(what, "correct it in the configuration", "%s: %v", address, err)
}

// microsoft looks at the folder of Microsoft's files.
func (o *Options) microsoft() []Finding {
	const what = "Microsoft's files"
	dir := o.Config.Microsoft
	if _, err := os.ReadDir(dir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return []Finding{warn(what, "make it, or name another one with microsoft.folder", "%s is not there; without it there is nothing to compare with", dir)}
		}
		return []Finding{bad(what, "let the user of the service read it", "%s: %v", dir, reason(err))}
	}
	var all []Finding
	for _, c := range o.Config.Carriers {
		_, err := os.ReadDir(filepath.Join(dir, c.Name))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			all = append(all, warn(what, "make the folder and put files there", "%s has no folder in %s", c.Name, dir))
		case err != nil:
			all = append(all, bad(what, "let the user of the service read it", "%s: %v", filepath.Join(dir, c.Name), reason(err)))
		}
	}
	if all == nil {
		all = append(all, ok(what, "%s can be read, with a folder for each carrier", dir))
	}
	return all
}

// microsoftHosts looks at the hosts of Microsoft's side.
func (o *Options) microsoftHosts(ctx context.Context) (all []Finding) {
	for _, h := range o.Config.MicrosoftHosts {
		if !o.Hosts {
			return append(all, ok("Microsoft's hosts", "%d were not asked; --hosts does that", len(o.Config.MicrosoftHosts)))
		}
		for _, f := range MicrosoftHost(ctx, h) {
			f.What = "Microsoft's host " + h.Name + ", " + f.What
			all = append(all, f)
		}
	}
	return all
}

// carriers looks at the hosts of carriers that have one.
func (o *Options) carriers(ctx context.Context) (all []Finding) {
	var hosts int
	for _, c := range o.Config.Carriers {
		what := "carrier " + c.Name
		switch {
		case c.Host != nil && o.Hosts:
			for _, f := range Host(ctx, c.Host) {
				f.What = what + ", " + f.What
				all = append(all, f)
			}
		case c.Host != nil:
			hosts++
		}
	}
	if hosts > 0 {
		all = append(all, ok("carriers' hosts", "%d were not asked; --hosts does that", hosts))
	}
	return all
}

const webhookTime = 10 * time.Second

// webhook sees whether alerts reach somebody. It sends none.
func (o *Options) webhook(ctx context.Context) Finding {
	const what = "webhook"
	switch {
	case o.Config.Webhook == nil:
		return warn(what, "set alerts.webhook, so that somebody is told of late files and failed runs", "there is none: alerts are in the log and in concord alerts only")
	case !o.Hosts:
		return ok(what, "it was not asked; --hosts does that")
	}
	ctx, cancel := context.WithTimeout(ctx, webhookTime)
	defer cancel()
	status, err := head(ctx, o.Config.Webhook.URL.Reveal())
	if err != nil {
		return bad(what, "check alerts.webhook.url and the way there", "it cannot be reached: %v", err)
	}
	return ok(what, "it answers (%s to a request without an alert)", status)
}

// head asks an address for nothing. Its errors do not name it: who knows it may
// post there.
func head(ctx context.Context, address string) (status string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return "", errors.New("its address is none")
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return "", fmt.Errorf("ask it: %w", err)
	}
	return resp.Status, resp.Body.Close()
}
