//go:build peers

package peers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"concord/exchange/exchangetest"
)

// TestAFullDisk has a home on a disk of two megabytes. A client that sends more
// is told so, nothing is taken, and what fits is taken afterwards.
func TestAFullDisk(t *testing.T) {
	dir := t.TempDir()
	homes := filepath.Join(dir, "homes")
	if err := os.Mkdir(homes, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", homes, "tmpfs", 0, "size=2m"); err != nil {
		t.Fatalf("a small disk cannot be mounted here: %v; run as root, with CAP_SYS_ADMIN in a container", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(homes, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	p := &place{Site: exchangetest.NewSite(t, exchangetest.SiteOptions{Dir: dir})}
	a := p.account(t, "fabrikam", p.Addr)
	large, small := filepath.Join(a.dir, "large.csv"), filepath.Join(a.dir, "small.csv")
	err := errors.Join(os.WriteFile(large, make([]byte, 5<<20), 0o600), os.WriteFile(small, []byte("1,2\n"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"sftp", "lftp", "paramiko", "curl", "rclone"} {
		c := client{name: name}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		r := a.start(t, c, "put", large, "inbox/large.csv")
		if err := r.wait(ctx); err == nil {
			t.Errorf("%s does not notice that the disk is full", name)
		}
		cancel()
		if out := r.out.String(); strings.Contains(out, dir) {
			t.Errorf("%s is told of the server's folders: %s", name, out)
		}
		if left, err := os.ReadDir(filepath.Join(p.Home("fabrikam"), "inbox")); err != nil || len(left) > 0 {
			t.Errorf("%s: in the inbox there is %v, %v", name, left, err)
		}
		a.must(t, c, "put", small, "inbox/small.csv")
		if err := os.Remove(filepath.Join(p.Home("fabrikam"), "inbox", "small.csv")); err != nil {
			t.Errorf("%s: what fits did not arrive: %v", name, err)
		}
	}
}
