package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"unicode"

	"golang.org/x/crypto/ssh"

	"concord/exchange/sftpc"
	"concord/formats/yamltree"
	"concord/jobs"
	"concord/jobs/config"
)

type carrierTestCmd struct {
	configFlag
	Carrier carrierName `arg:"" help:"The carrier."`
	JSON    bool        `name:"json" help:"Print the findings as JSON."`
}

// Help has examples.
func (carrierTestCmd) Help() string {
	return `Connects to the carrier's host as the service would, and looks for the folders. Nothing is changed there.

Examples:
  concord carrier test litware -c /etc/concord/concord.yaml

Exit codes: 0 all is well, 1 something is wrong at the host or on the way, 2 the configuration is.`
}

// finding is one thing that was looked at.
type finding struct {
	What string `json:"what"` // connection, or a key of carriers.NAME.host
	OK   bool   `json:"ok"`
	Text string `json:"text"`
	Hint string `json:"hint,omitempty"` // what to do
}

// hostReport is what --json prints.
type hostReport struct {
	Carrier  string    `json:"carrier"`
	Host     string    `json:"host"`
	OK       bool      `json:"ok"`
	Findings []finding `json:"findings"`
}

// Run looks at everything it can, and fails if something is wrong.
func (c *carrierTestCmd) Run(s *session) error {
	conf, err := c.load()
	if err != nil {
		return err
	}
	h, err := ownHost(conf, string(c.Carrier))
	if err != nil {
		return err
	}
	r := hostReport{Carrier: string(c.Carrier), Host: h.Dial.String(), OK: true, Findings: examine(s.ctx, h)}
	var wrong []string
	for _, f := range r.Findings {
		if !f.OK {
			r.OK = false
			wrong = append(wrong, fmt.Sprintf("%s: %s", f.What, f.Text), "  "+f.Hint)
		}
	}
	if c.JSON {
		if !r.OK {
			s.code = exitFailed
		}
		return printJSON(s.Out, r)
	}
	r.print(s.Out)
	if !r.OK {
		return &jobs.Failure{Kind: jobs.KindFailed, Messages: wrong}
	}
	return nil
}

func (r *hostReport) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %s\n", r.Carrier, r.Host)
	for _, f := range r.Findings {
		if f.OK {
			fmt.Fprintf(w, "  %s: %s\n", f.What, f.Text)
		}
	}
}

// ownHost returns the host of a carrier that has one.
func ownHost(c *config.Config, name string) (*config.Host, error) {
	x, ok := c.Carrier(name)
	if !ok {
		var names []string
		for _, x := range c.Carriers {
			names = append(names, x.Name)
		}
		if like := yamltree.Nearest(name, names); like != "" {
			return nil, usageFailure("%s has no carrier %s; did you mean %s?", c.File, name, like)
		}
		return nil, usageFailure("%s has no carrier %s; add it under carriers", c.File, name)
	}
	if x.Host == nil {
		return nil, usageFailure("carriers.%s has no host: this carrier comes to us, and there is nothing to connect to", name)
	}
	return x.Host, nil
}

// examine connects and looks for the folders.
func examine(ctx context.Context, h *config.Host) []finding {
	client, err := sftpc.Dial(ctx, h.Dial)
	if err != nil {
		return []finding{{What: "connection", Text: plain(err), Hint: advice(err, h)}}
	}
	defer client.Close()
	all := []finding{{What: "connection", OK: true, Text: "the host has a pinned key, the login is accepted, SFTP answers"}}
	for _, f := range []struct{ what, name string }{
		{"inbox", h.Inbox}, {"done", h.Done}, {"receipts", h.Receipts}, {"outbox", h.Outbox},
	} {
		if f.name != "" {
			all = append(all, folder(ctx, client, f.what, f.name))
		}
	}
	return all
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
func folder(ctx context.Context, client *sftpc.Client, what, name string) finding {
	list, err := client.List(ctx, name)
	if err == nil {
		var files int
		for _, e := range list {
			if e.Type == 0 {
				files++
			}
		}
		return finding{What: what, OK: true, Text: fmt.Sprintf("%s is there, with %s", name, count(files, "file"))}
	}
	f := finding{What: what, Text: name + ": " + plain(err), Hint: "ask the carrier what is wrong with this folder"}
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
