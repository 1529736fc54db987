//go:build peers

package peers

import (
	"bytes"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const secret = "north wind's own secret"

// besieged opens a server in which northwind has files and fabrikam wants them.
func besieged(t *testing.T) *place {
	t.Helper()
	p := openInbox(t)
	for _, dir := range []string{"inbox", "outbox", "receipts", "archive", "rejected"} {
		if err := os.WriteFile(filepath.Join(p.Home("northwind"), dir, "secret.csv"), []byte(secret), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Links that an operator has left in fabrikam's home.
	for name, to := range map[string]string{"away": p.Home("northwind"), "up": "../../northwind", "one.csv": filepath.Join(p.Home("northwind"), "inbox/secret.csv")} {
		if err := os.Symlink(to, filepath.Join(p.Home("fabrikam"), "inbox", name)); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// ways are names by which fabrikam might come to northwind's.
func (p *place) ways() []string {
	home := p.Home("northwind")
	return []string{
		"../northwind/inbox/secret.csv", "/../northwind/inbox/secret.csv", "../../../../../.." + home + "/inbox/secret.csv",
		"inbox/../../northwind/inbox/secret.csv", "inbox/./.././../northwind/outbox/secret.csv", home + "/inbox/secret.csv", "/" + home + "/inbox/secret.csv",
		home, "../northwind", "/northwind", "//northwind/inbox", "/../northwind/inbox/", `..\northwind\inbox\secret.csv`, `inbox\..\..\northwind\inbox\secret.csv`,
		`\\northwind\inbox`, "%2e%2e/northwind/inbox/secret.csv", "..%2fnorthwind%2finbox%2fsecret.csv", "..\xc0\xafnorthwind/inbox/secret.csv",
		"．．/northwind/inbox/secret.csv", "..;/northwind/inbox/secret.csv", "~northwind/inbox/secret.csv", "$HOME/../northwind", "file://" + home,
		"/proc/self/root" + home + "/inbox/secret.csv", "/proc/self/cwd", "/dev/fd/3", "/etc/passwd", ".staging", "/.staging/x", "inbox/../.staging/x",
		"inbox/away/inbox/secret.csv", "inbox/away/inbox", "inbox/away", "inbox/up/inbox/secret.csv", "inbox/one.csv", "inbox/one.csv/", "inbox/up/../northwind/inbox",
		"inbox\x00/../../northwind/inbox/secret.csv", "../northwind/inbox/secret.csv\x00.csv", "inbox/secret.csv", strings.Repeat("../", 300) + home, strings.Repeat("inbox/", 40) + strings.Repeat("../", 41) + "northwind",
	}
}

// snapshot is every file and folder but those of one home, by path.
func (p *place) snapshot(t *testing.T, but string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(p.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == but {
			return skip(err)
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		all[name] = info.Mode().String() + " " + info.ModTime().Format(time.RFC3339Nano)
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(name)
			all[name] += " " + string(b)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func skip(err error) error {
	if err != nil {
		return err
	}
	return fs.SkipDir
}

func TestNothingOfOthersIsReached(t *testing.T) {
	p := besieged(t)
	before := p.snapshot(t, p.Home("fabrikam"))
	if got, _ := p.bare(t, "northwind").read("inbox/secret.csv"); got != secret {
		t.Fatal("northwind cannot read its own")
	}
	b := p.bare(t, "fabrikam")
	for _, way := range p.ways() {
		for _, a := range attempts(way) {
			if !b.write("inbox/own.csv", "own") {
				t.Fatal("fabrikam cannot write a file of its own")
			}
			p.try(t, b, a)
		}
		if kind, body := b.ask(fxRealpath, way); kind == fxName && text(body[4:]) != path.Clean("/"+way) {
			t.Errorf("the real path of %q: %q", way, body)
		}
	}
	if after := p.snapshot(t, p.Home("fabrikam")); !maps.Equal(before, after) {
		t.Error("something outside of the home has changed")
	}
	tops, err := os.ReadDir(p.Home("fabrikam"))
	if err != nil || len(tops) != 6 {
		t.Errorf("the home has other folders now: %v %v", tops, err)
	}
}

// attempt is one request.
type attempt struct {
	what byte
	args []any
}

// attempts are all that one can do with a name.
func attempts(way string) []attempt {
	const own, other = "inbox/own.csv", "inbox/taken.csv"
	all := []attempt{
		{fxRename, []any{way, other}}, {fxRename, []any{own, way}}, {fxSymlink, []any{way, "inbox/l1"}}, {fxSymlink, []any{"inbox/l2", way}},
		{fxExtended, []any{"posix-rename@openssh.com", way, other}}, {fxExtended, []any{"posix-rename@openssh.com", own, way}},
		{fxExtended, []any{"hardlink@openssh.com", way, other}}, {fxExtended, []any{"hardlink@openssh.com", own, way}},
		{fxExtended, []any{"statvfs@openssh.com", way}}, {fxExtended, []any{"lsetstat@openssh.com", way, 1, uint64(1)}},
		{fxExtended, []any{"expand-path@openssh.com", way}}, {fxExtended, []any{"copy-data", way, uint64(0), uint64(0), own, uint64(0)}},
		{fxSetstat, []any{way, 1, uint64(1)}}, {fxSetstat, []any{way, 8, 1, 1}}, {fxSetstat, []any{way, 4, 0o777}},
		{fxOpen, []any{way, openRead, 0}}, {fxOpen, []any{way, openCreate, 0}}, {fxOpen, []any{way, openRead | 2, 0}},
		{fxMkdir, []any{way, 0}},
	}
	for _, what := range []byte{fxStat, fxLstat, fxReadlink, fxOpendir, fxRemove, fxRmdir} {
		all = append(all, attempt{what, []any{way}})
	}
	return all
}

// try makes an attempt, and looks through all that comes back.
func (p *place) try(t *testing.T, b *bare, a attempt) {
	t.Helper()
	kind, body := b.ask(a.what, a.args...)
	all := bytes.Clone(body)
	if kind == fxHandle {
		h := text(body)
		_, read := b.ask(fxRead, h, uint64(0), 4096)
		_, list := b.ask(fxReaddir, h)
		_, closed := b.ask(fxClose, h)
		all = append(append(append(all, read...), list...), closed...)
	}
	for _, bad := range []string{secret, "secret.csv", p.Dir, "/tmp", "homes", "staging", "northwind", "root:"} {
		if bytes.Contains(all, []byte(bad)) {
			t.Errorf("request %d of %q: the answer holds %q: %q", a.what, a.args, bad, all)
		}
	}
}

// TestOddNames puts files under names that are hard to handle: each is that
// file and no other, or is refused.
func TestOddNames(t *testing.T) {
	p := besieged(t)
	before := p.snapshot(t, p.Home("fabrikam"))
	b := p.bare(t, "fabrikam")
	cases := map[string]bool{ // whether it is a name
		"two\nlines.csv": true, "carriage\rreturn.csv": true, "evil\u202evsc.exe": true, "\u2066x\u2069.csv": true, "a\u0308.csv": true, "ä.csv": true,
		strings.Repeat("n", 255): true, strings.Repeat("ä", 127): true, strings.Repeat("n", 256): false, strings.Repeat("n", 70_000): false,
		"...": true, "-rf": true, "--": true, "*": true, "?.csv": true, "%2e%2e": true, "\xff\xfe.csv": true, "nul\x00.csv": false, "\x00": false,
		"..": false, ".": false, "": false, " ": true, "back\\slash": true, "quote\"'`$(x).csv": true, "\x1b[2J.csv": true, "CON": true, "a.csv;1": true, ".hidden": true,
	}
	for name, is := range cases {
		if got := b.write("inbox/"+name, name); got != is {
			t.Errorf("%.40q: written %t", name, got)
		}
	}
	for name, is := range cases {
		if got, ok := b.read("inbox/" + name); ok != is || is && got != name {
			t.Errorf("%.40q: read %t, %.40q", name, ok, got)
		}
	}
	if !b.ok(fxRemove, "inbox/*") {
		t.Error("a file named * cannot be removed")
	}
	if _, ok := b.read("inbox/-rf"); !ok {
		t.Error("other files were removed with it")
	}
	if after := p.snapshot(t, p.Home("fabrikam")); !maps.Equal(before, after) {
		t.Error("something outside of the home has changed")
	}
}

// TestClientsStayInTheirHome has the programs of a carrier reach for what is
// another's.
func TestClientsStayInTheirHome(t *testing.T) {
	p := besieged(t)
	before := p.snapshot(t, p.Home("fabrikam"))
	t.Run("each", func(t *testing.T) {
		for _, c := range clients {
			if c.name != "sshfs" { // .. never gets to the server; its links are below
				t.Run(c.name, func(t *testing.T) {
					t.Parallel()
					p.reachOut(t, c)
				})
			}
		}
	})
	for _, c := range []client{{name: "sftp"}, {name: "sshfs"}, {name: "curl"}} {
		d := &day{place: p, client: c, account: p.account(t, "fabrikam", p.Addr)}
		if r := p.reach(t, d, "link", "/inbox/own.csv", "inbox/link.csv"); r.err == nil {
			t.Errorf("%s makes links", c.name)
		}
		d.unmount(t)
	}
	if after := p.snapshot(t, p.Home("fabrikam")); !maps.Equal(before, after) {
		t.Error("something outside of the home has changed")
	}
}

func (p *place) reachOut(t *testing.T, c client) {
	t.Helper()
	d := &day{place: p, client: c, account: p.account(t, "fabrikam", p.Addr)}
	mine := d.local(t, "mine.csv", []byte("mine"))
	for _, way := range []string{"../northwind/inbox/secret.csv", "/../northwind/inbox/secret.csv", "inbox/one.csv", "inbox/away/inbox/secret.csv"} {
		p.reach(t, d, "get", way, filepath.Join(d.dir, "got.csv"))
		p.reach(t, d, "put", mine, way)
	}
}

// reach has a client do what it should not.
func (p *place) reach(t *testing.T, d *day, verb string, args ...string) *run {
	t.Helper()
	r := d.start(t, d.client, verb, args...)
	<-r.done
	got, err := os.ReadFile(filepath.Join(d.dir, "got.csv"))
	if err == nil && strings.Contains(string(got), secret) {
		t.Errorf("%s: %s %q: got it", d.name, verb, args)
	}
	for _, bad := range []string{secret, "homes/", ".staging"} {
		if strings.Contains(r.out.String(), bad) {
			t.Errorf("%s: %s %q: it is told of %q: %s", d.name, verb, args, bad, r.out.String())
		}
	}
	return r
}
