package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"concord/exchange/sftpc"
	"concord/jobs/config"
)

// place is a host that is connected to, in words for who looks after it here.
type place struct {
	dial    sftpc.Config
	folders []named
	setting string // of its address and the like
	owner   string // who runs it
}

// named is a folder of a host, by its setting.
type named struct{ what, name string }

// Host connects to a carrier's own host as the service would, and looks for the
// folders. Nothing is changed there.
func Host(ctx context.Context, h *config.Host) []Finding {
	p := place{dial: h.Dial, setting: "host", owner: "the carrier", folders: []named{
		{"inbox", h.Inbox}, {"done", h.Done}, {"receipts", h.Receipts}, {"outbox", h.Outbox},
	}}
	return p.look(ctx)
}

// MicrosoftHost does the same with a host of Microsoft's side. What it makes there by
// itself need not be there.
func MicrosoftHost(ctx context.Context, h *config.MicrosoftHost) []Finding {
	p := place{dial: h.Dial, setting: "microsoft.hosts." + h.Name, owner: "who runs it", folders: []named{
		{"folder", h.Folder}, {"numbers", h.Numbers},
	}}
	return p.look(ctx)
}

func (p *place) look(ctx context.Context) []Finding {
	client, err := sftpc.Dial(ctx, p.dial)
	if err != nil {
		return []Finding{bad("connection", p.advice(err), "%s", plain(err))}
	}
	defer func() { _ = client.Close() }()
	all := []Finding{ok("connection", "the host has a pinned key, the login is accepted, SFTP answers")}
	for _, f := range p.folders {
		if f.name != "" {
			all = append(all, p.folder(ctx, client, f.what, f.name))
		}
	}
	return all
}

func countFiles(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// plain is an error in one line without what could move a terminal's cursor: a
// part of it comes from the host.
func plain(err error) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, err.Error())
}

// folder looks into a folder of the host.
func (p *place) folder(ctx context.Context, client *sftpc.Client, what, name string) Finding {
	list, err := client.List(ctx, name)
	if err == nil {
		var files int
		for _, e := range list {
			if e.Type == 0 {
				files++
			}
		}
		return ok(what, "%s is there, with %s", name, countFiles(files))
	}
	f := bad(what, "ask "+p.owner+" what is wrong with this folder", "%s: %s", name, plain(err))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text, f.Hint = name+": there is no such folder", "correct it in the configuration, or ask "+p.owner+" to make it"+seen(ctx, client)
	case errors.Is(err, fs.ErrPermission):
		f.Text, f.Hint = name+": the host does not let us look into it", "ask "+p.owner+" to let our user read there"
	}
	return f
}

// seen lists what a login begins with, to find the right name by.
func seen(ctx context.Context, client *sftpc.Client) string {
	const enough = 10
	list, err := client.List(ctx, "")
	var names []string
	for _, e := range list {
		if e.Type.IsDir() && len(names) < enough {
			names = append(names, fmt.Sprintf("%q", e.Name))
		}
	}
	if err != nil || len(names) == 0 {
		return ""
	}
	return "; the folders that our login begins with: " + strings.Join(names, ", ")
}

// advice says what to do about a connection that was not made.
func (p *place) advice(err error) string {
	var d *sftpc.DialError
	if !errors.As(err, &d) {
		return "try again"
	}
	switch d.Problem {
	case sftpc.Unresolved:
		return "check " + p.setting + ".address for typing errors, and this machine's name service"
	case sftpc.Refused:
		return "check the port of " + p.setting + ".address; if it is right, ask " + p.owner + " whether its SFTP service runs"
	case sftpc.Unreachable, sftpc.TimedOut:
		return "check " + p.setting + ".address; if it is right, ask " + p.owner + " whether its firewall lets this machine in"
	case sftpc.NotSSH:
		return "check the port of " + p.setting + ".address: something else answers there"
	case sftpc.NoAlgorithm:
		return "the host knows outdated algorithms only; ask " + p.owner + " to update it"
	case sftpc.HostKeyDiffers:
		return "ask " + p.owner + ", by another way than this connection, whether its key has changed; if so, add the new one to " + p.setting + ".host_keys. If not, someone else answers"
	case sftpc.LoginRefused:
		return "check " + p.setting + ".user; " + p.credentials()
	case sftpc.NoSFTP:
		return "ask " + p.owner + " to allow SFTP for this user"
	}
	return "try again; if it stays so, ask " + p.owner + " what its host says of the connection"
}

// credentials says with what we came.
func (p *place) credentials() string {
	if len(p.dial.Signers) == 0 {
		return "ask " + p.owner + " whether the password is right"
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(p.dial.Signers[0].PublicKey())))
	return "ask " + p.owner + " whether it lets this key in: " + line
}
