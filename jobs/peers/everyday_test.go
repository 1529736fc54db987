//go:build peers

package peers

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pkg/sftp"
)

// TestEveryday has each client do what carriers do every day.
func TestEveryday(t *testing.T) {
	p := openInbox(t, names(clients)...)
	for _, c := range clients {
		d := &day{place: p, client: c}
		steps := []struct {
			verb string
			do   func(*testing.T)
		}{
			{"put", d.putAndGet}, {"list", d.list}, {"rename", d.rename}, {"put", d.overwrite},
			{"resume", d.resumeLost}, {"resume", d.resumeClosed}, {"tree", d.tree}, {"put", d.names},
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d.account = p.account(t, c.name, p.Addr)
			for _, s := range steps {
				if c.can(s.verb) {
					s.do(t)
				}
			}
		})
	}
}

// day is one client at work.
type day struct {
	*place
	client
	account
}

// path returns where a name of the carrier is on disk.
func (d *day) path(name string) string { return filepath.Join(d.Home(d.name), name) }

// local makes a file on the carrier's side.
func (d *day) local(t *testing.T, name string, content []byte) string {
	t.Helper()
	name = filepath.Join(d.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// arrived checks that a file is in the inbox, whole.
func (d *day) arrived(t *testing.T, name string, content []byte) {
	t.Helper()
	is := func() bool {
		b, err := os.ReadFile(d.path(name))
		return err == nil && bytes.Equal(b, content) && d.arrival(t, d.name, strings.TrimPrefix(name, "inbox/"))&unfinished == 0
	}
	if d.late {
		await(t, d.name+": "+name+" whole in the inbox", is)
	} else if !is() {
		t.Errorf("%s: %s is not in the inbox, or not whole", d.name, name)
	}
}

// content returns bytes that repeat nowhere.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(seed, 0))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (d *day) putAndGet(t *testing.T) {
	for _, n := range []int{0, 32 << 10, 3<<20 + 17} {
		want := content(n, uint64(n))
		from, back := d.local(t, "put.csv", want), filepath.Join(d.dir, "got.csv")
		d.must(t, d.client, "put", from, "inbox/put.csv")
		d.arrived(t, "inbox/put.csv", want)
		d.must(t, d.client, "get", "inbox/put.csv", back)
		if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %d bytes of %d, or others: %v", d.name, len(got), n, err)
		}
		if err := os.Remove(back); err != nil {
			t.Fatal(err)
		}
	}
}

func (d *day) list(t *testing.T) {
	for dir, names := range map[string][]string{".": {"inbox", "outbox", "receipts", "archive", "rejected"}, "inbox": {"put.csv"}} {
		out := d.must(t, d.client, "list", dir)
		for _, n := range names {
			if !strings.Contains(out, n) {
				t.Errorf("%s: the list of %s lacks %s:\n%s", d.name, dir, n, out)
			}
		}
		if strings.Contains(out, "staging") {
			t.Errorf("%s: the list shows what is not the carrier's:\n%s", d.name, out)
		}
	}
}

func (d *day) rename(t *testing.T) {
	want := content(3<<20+17, 3<<20+17)
	d.must(t, d.client, "rename", "inbox/put.csv", "inbox/renamed.csv")
	d.arrived(t, "inbox/renamed.csv", want)
	if _, err := os.Stat(d.path("inbox/put.csv")); err == nil {
		t.Errorf("%s: the old name is still there", d.name)
	}
}

func (d *day) overwrite(t *testing.T) {
	for _, n := range []int{200_001, 70_003} { // longer, then shorter
		want := content(n, uint64(n))
		d.must(t, d.client, "put", d.local(t, "over.csv", want), "inbox/over.csv")
		d.arrived(t, "inbox/over.csv", want)
	}
}

const half, whole = 1_000_000, 2_500_000

// resumeLost goes on with an upload whose connection was lost.
func (d *day) resumeLost(t *testing.T) {
	want := content(whole, 5)
	d.raw(t, d.name, func(c *sftp.Client, hangUp func()) {
		f, err := c.Create("inbox/lost.csv")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(want[:half]); err != nil {
			t.Fatal(err)
		}
		hangUp()
	})
	await(t, "the broken upload", func() bool { return d.arrival(t, d.name, "lost.csv") != 0 })
	d.must(t, d.client, "resume", d.local(t, "lost.csv", want), "inbox/lost.csv")
	d.arrived(t, "inbox/lost.csv", want)
}

// resumeClosed goes on with an upload that its own client has ended early.
func (d *day) resumeClosed(t *testing.T) {
	want := content(whole, 6)
	d.must(t, d.client, "put", d.local(t, "closed.csv", want[:half]), "inbox/closed.csv")
	d.must(t, d.client, "resume", d.local(t, "closed.csv", want), "inbox/closed.csv")
	d.arrived(t, "inbox/closed.csv", want)
}

func (d *day) tree(t *testing.T) {
	root := filepath.Join(d.dir, "2026-10")
	for _, name := range []string{"a.csv", "north/b.csv", "north/deep/c.csv", "south/d.csv"} {
		d.local(t, "2026-10/"+name, content(len(name)*1000, 7))
	}
	d.must(t, d.client, "tree", root, "inbox")
	err := fs.WalkDir(os.DirFS(root), ".", func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			d.arrived(t, "inbox/2026-10/"+name, content(len(name)*1000, 7))
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func (d *day) names(t *testing.T) {
	for _, name := range []string{"two  words.csv", "Übersicht März 日本.csv"} {
		want, back := content(len(name)*100, 8), filepath.Join(d.dir, "back.csv")
		d.must(t, d.client, "put", d.local(t, "names/"+name, want), "inbox/"+name)
		d.arrived(t, "inbox/"+name, want)
		d.must(t, d.client, "get", "inbox/"+name, back)
		if got, err := os.ReadFile(back); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %s comes back as %d bytes of %d, or others: %v", d.name, name, len(got), len(want), err)
		}
		if err := os.Remove(back); err != nil {
			t.Fatal(err)
		}
		if d.can("rename") {
			d.must(t, d.client, "rename", "inbox/"+name, "inbox/new "+name)
			d.arrived(t, "inbox/new "+name, want)
		}
	}
}
