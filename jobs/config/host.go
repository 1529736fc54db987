package config

import (
	"errors"
	"path"
	"strconv"
	"strings"

	"concord/exchange/sftpc"
	"concord/formats/yamltree"

	"golang.org/x/crypto/ssh"
)

// host reads how a carrier's own host is reached.
func (r *reader) host(c *Carrier, y *yamltree.Node) *Host {
	if !y.IsObject("{address: sftp.example.com, user: concord, key_file: secrets/fabrikam, host_keys: [SHA256:…], inbox: /out}") {
		return nil
	}
	h := &Host{}
	set := map[string]func(*yamltree.Node){
		"inbox":    func(y *yamltree.Node) { h.Inbox = remoteFolder(y, "/out") },
		"done":     func(y *yamltree.Node) { h.Done = remoteFolder(y, "/out/done") },
		"receipts": func(y *yamltree.Node) { h.Receipts = remoteFolder(y, "/receipts") },
		"outbox":   func(y *yamltree.Node) { h.Outbox = remoteFolder(y, "/in") },
	}
	r.dial(y, set, &h.Dial, &h.Password)
	if !y.Has("inbox") {
		y.ReportAt("inbox", "required: name the folder there in which the carrier leaves its files, such as /out, or . for the one that a login begins in")
	}
	for name, folder := range map[string]string{"done": h.Done, "receipts": h.Receipts, "outbox": h.Outbox} {
		if folder != "" && folder == h.Inbox {
			y.ReportAt(name, "is inbox, too: what lies there would be taken for files of the carrier; name another folder")
		}
	}
	r.onlyTaker("carriers."+c.Name, y, "inbox", &h.Dial, h.Inbox)
	return h
}

// dial reads how a host is reached and logged in to, beside the settings that
// are in set.
func (r *reader) dial(y *yamltree.Node, set map[string]func(*yamltree.Node), d *sftpc.Config, password *Secret) {
	set["address"] = func(y *yamltree.Node) { d.Addr, _ = y.Word("sftp.example.com") }
	set["user"] = func(y *yamltree.Node) { d.User, _ = y.Word("concord") }
	set["key_file"] = func(y *yamltree.Node) { d.Signers = r.signers(y) }
	set["host_keys"] = func(y *yamltree.Node) { d.HostKeys = y.Texts(`"ssh-ed25519 AAAA…"`) }
	r.secretKeys(set, "password", password, nil)
	y.Each(set)
	if *password != "" {
		d.Password = func() (string, error) { return password.Reveal(), nil }
	}
	checkDial(y, d)
}

// onlyTaker reports a folder whose files go to two.
func (r *reader) onlyTaker(who string, y *yamltree.Node, setting string, d *sftpc.Config, folder string) {
	if folder == "" || d.Addr == "" || d.User == "" {
		return
	}
	id := d.String() + " " + folder
	if other, is := r.hosts[id]; is {
		y.ReportAt(setting, "%s takes its files from there, too; each needs a folder or a user of its own", other)
		return
	}
	r.hosts[id] = who
}

// checkDial reports what the client says of the settings, each at its key. What
// is there and could not be read was reported before.
func checkDial(y *yamltree.Node, d *sftpc.Config) {
	err := d.Validate()
	if err == nil {
		return
	}
	for text := range strings.SplitSeq(err.Error(), "\n") {
		name, rest, _ := strings.Cut(text, ": ")
		name, index, isItem := strings.Cut(strings.TrimSuffix(name, "]"), "[")
		switch {
		case name == "addr" && (d.Addr != "" || !y.Has("address")):
			y.ReportAt("address", "%s", rest)
		case name == "user" && !y.Has("user"):
			y.ReportAt("user", "%s", rest)
		case strings.HasPrefix(name, "signers") && !hasAny(y, "key_file", "password", "password_file", "password_env"):
			y.ReportAt("key_file", "required, or password_file: say how to log in there; concord carrier keygen makes a key")
		case isItem:
			i, _ := strconv.Atoi(index)
			pinNode(y, i).Report("%s; write what ssh-keyscan prints after the name of the host, or the fingerprint", rest)
		case name == "host_keys" && (!y.Has("host_keys") || len(d.HostKeys) == 0):
			y.ReportAt("host_keys", "required; an unknown host is not trusted: ask the carrier for its host keys, and compare them with what ssh-keyscan prints")
		}
	}
}

// pinNode returns where a host key was typed.
func pinNode(y *yamltree.Node, i int) *yamltree.Node {
	pins, _ := y.Get("host_keys")
	if i < len(pins.Items) {
		return pins.Items[i]
	}
	return pins
}

// signers reads the private key to log in with.
func (r *reader) signers(y *yamltree.Node) []ssh.Signer {
	typed, ok := y.Word("secrets/fabrikam_ed25519")
	if !ok {
		return nil
	}
	b, err := readFile(r.path(typed), maxSecret, private)
	if err != nil {
		y.Report("%s: %v", typed, err)
		return nil
	}
	key, err := ssh.ParsePrivateKey(b)
	var locked *ssh.PassphraseMissingError
	switch {
	case errors.As(err, &locked):
		y.Report("%s: %v", typed, errPassphrase)
		return nil
	case err != nil:
		y.Report("%s: is no private key in OpenSSH's or PEM form; concord carrier keygen makes one", typed)
		return nil
	}
	if err := checkKey(key.PublicKey()); err != nil {
		y.Report("%s: %v", typed, err)
	}
	return []ssh.Signer{key}
}

// remoteFolder returns the name of a folder there, from its root or from where
// a login begins.
func remoteFolder(y *yamltree.Node, example string) string {
	s, ok := y.Word(example)
	if !ok {
		return ""
	}
	if strings.ContainsAny(s, "\\\x00\n") || s == ".." || strings.Contains("/"+s+"/", "/../") {
		y.Report("%q is no folder; write its whole name with slashes, such as %s", s, example)
		return ""
	}
	return path.Clean(s)
}
