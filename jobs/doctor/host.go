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

// Host connects to a carrier's own host as the service would, and looks for the
// folders. Nothing is changed there.
func Host(ctx context.Context, h *config.Host) []Finding {
	client, err := sftpc.Dial(ctx, h.Dial)
	if err != nil {
		return []Finding{bad("connection", advice(err, h), "%s", plain(err))}
	}
	defer func() { _ = client.Close() }()
	all := []Finding{ok("connection", "the host has a pinned key, the login is accepted, SFTP answers")}
	for _, f := range []struct{ what, name string }{
		{"inbox", h.Inbox}, {"done", h.Done}, {"receipts", h.Receipts}, {"outbox", h.Outbox},
	} {
		if f.name != "" {
			all = append(all, folder(ctx, client, f.what, f.name))
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
func folder(ctx context.Context, client *sftpc.Client, what, name string) Finding {
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
	f := bad(what, "ask the carrier what is wrong with this folder", "%s: %s", name, plain(err))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		f.Text, f.Hint = name+": there is no such folder", "correct it in the configuration, or ask the carrier to make it"+seen(ctx, client)
	case errors.Is(err, fs.ErrPermission):
		f.Text, f.Hint = name+": the host does not let us look into it", "ask the carrier to let our user read there"
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
func advice(err error, h *config.Host) string {
	var d *sftpc.DialError
	if !errors.As(err, &d) {
		return "try again"
	}
	switch d.Problem {
	case sftpc.Unresolved:
		return "check host.address for typing errors, and this machine's name service"
	case sftpc.Refused:
		return "check the port of host.address; if it is right, ask the carrier whether its SFTP service runs"
	case sftpc.Unreachable, sftpc.TimedOut:
		return "check host.address; if it is right, ask the carrier whether its firewall lets this machine in"
	case sftpc.NotSSH:
		return "check the port of host.address: something else answers there"
	case sftpc.NoAlgorithm:
		return "the host knows outdated algorithms only; ask the carrier to update it"
	case sftpc.HostKeyDiffers:
		return "ask the carrier, by another way than this connection, whether its key has changed; if so, add the new one to host.host_keys. If not, someone else answers"
	case sftpc.LoginRefused:
		return "check host.user; " + credentials(h)
	case sftpc.NoSFTP:
		return "ask the carrier to allow SFTP for this user"
	}
	return "try again; if it stays so, ask the carrier what its host says of the connection"
}

// credentials says with what we came.
func credentials(h *config.Host) string {
	if len(h.Dial.Signers) == 0 {
		return "ask the carrier whether the password is right"
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(h.Dial.Signers[0].PublicKey())))
	return "ask the carrier whether it lets this key in: " + line
}
