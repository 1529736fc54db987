package sftpc_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"concord/exchange"
	"concord/exchange/exchangetest"
	"concord/exchange/sftpc"
)

// cuts are positions in a connection: near both ends, and evenly in between.
func cuts(carried int64) []int64 {
	steps := int64(40)
	if testing.Short() {
		steps = 8
	}
	var all []int64
	for i := range steps {
		all = append(all, carried*i/steps)
	}
	for i := range steps / 2 {
		all = append(all, max(carried-i*97, 0))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// broken calls test once for each position at which a connection that does the
// same as try is cut, up or down.
func broken(t *testing.T, try func(t *testing.T, n *exchangetest.Network) error, test func(t *testing.T, n *exchangetest.Network)) {
	t.Helper()
	n := exchangetest.NewNetwork(0)
	if err := try(t, n); err != nil {
		t.Fatal(err)
	}
	up, down := n.Carried()
	for _, at := range cuts(up) {
		n := exchangetest.NewNetwork(0)
		n.CutAfter(at, -1)
		test(t, n)
	}
	for _, at := range cuts(down) {
		n := exchangetest.NewNetwork(0)
		n.CutAfter(-1, at)
		test(t, n)
	}
}

func push(ctx context.Context, cfg sftpc.Config, content []byte) (err error) {
	c, err := sftpc.Dial(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return exchange.Publish(ctx, c, "calls.csv", bytes.NewReader(content), int64(len(content)))
}

func TestAPushThatIsCutLeavesTheOldFileOrTheNewOne(t *testing.T) {
	older, newer := exchangetest.Content(300_000), exchangetest.Content(400_000)
	start := func(t *testing.T, n *exchangetest.Network) (cfg sftpc.Config, target string, wait func()) {
		dir := t.TempDir()
		target = filepath.Join(dir, "calls.csv")
		if err := os.WriteFile(target, older, 0o666); err != nil {
			t.Fatal(err)
		}
		s := &exchangetest.SSHServer{SFTP: exchangetest.OpenSSH(t, dir)}
		return config(s, n), target, s.Wait
	}
	outcomes := map[bool]int{}
	broken(t, func(t *testing.T, n *exchangetest.Network) error {
		cfg, _, _ := start(t, n)
		return push(t.Context(), cfg, newer)
	}, func(t *testing.T, n *exchangetest.Network) {
		cfg, target, wait := start(t, n)
		err := push(t.Context(), cfg, newer)
		wait()
		held, readErr := os.ReadFile(target)
		isNew := bytes.Equal(held, newer)
		if readErr != nil || !isNew && !bytes.Equal(held, older) || err == nil && !isNew {
			t.Errorf("%v; the host holds %d bytes, %v", err, len(held), readErr)
		}
		if errors.Is(err, exchange.ErrPermanent) {
			t.Errorf("permanent: %v", err)
		}
		outcomes[isNew]++
	})
	t.Logf("the old file %d times, the new one %d times", outcomes[false], outcomes[true])
	if outcomes[false] == 0 || outcomes[true] == 0 {
		t.Error("the cuts were all on one side of the rename")
	}
}

func TestAPullThatIsCutGoesOn(t *testing.T) {
	content := exchangetest.Content(400_000)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "calls.csv"), content, 0o666); err != nil {
		t.Fatal(err)
	}
	s := &exchangetest.SSHServer{SFTP: exchangetest.OpenSSH(t, dir)}
	t.Cleanup(s.Wait)
	whole := config(s, exchangetest.NewNetwork(0))
	seen, err := dial(t, whole).Stat(t.Context(), "calls.csv")
	if err != nil {
		t.Fatal(err)
	}
	resumed := 0
	broken(t, func(t *testing.T, n *exchangetest.Network) error {
		_, err := pull(t.Context(), config(s, n), seen, io.Discard, 0)
		return err
	}, func(t *testing.T, n *exchangetest.Network) {
		var got bytes.Buffer
		at, err := pull(t.Context(), config(s, n), seen, &got, 0)
		if at != int64(got.Len()) || err == nil && at != seen.Size {
			t.Errorf("%d bytes told, %d written, %v", at, got.Len(), err)
		}
		if err == nil {
			return
		}
		if at > 0 {
			resumed++
		}
		if _, err := pull(t.Context(), whole, seen, &got, at); err != nil || !bytes.Equal(got.Bytes(), content) {
			t.Errorf("from %d on: %v, %d bytes", at, err, got.Len())
		}
	})
	t.Logf("%d pulls went on from the middle", resumed)
}

func pull(ctx context.Context, cfg sftpc.Config, seen exchange.Entry, dst io.Writer, from int64) (n int64, err error) {
	c, err := sftpc.Dial(ctx, cfg)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	return exchange.Fetch(ctx, c, "calls.csv", seen, dst, from)
}

func TestAPushIsTriedUntilTheNetworkHolds(t *testing.T) {
	content := exchangetest.Content(200_000)
	dir := t.TempDir()
	s := &exchangetest.SSHServer{SFTP: exchangetest.OpenSSH(t, dir)}
	n := exchangetest.NewNetwork(0)
	tries := 0
	err := exchange.Retry(t.Context(), exchange.Backoff{First: 1}, func(ctx context.Context) error {
		tries++
		n.CutAfter([]int64{0, 10_000, 100_000, -1}[tries-1], -1)
		return push(ctx, config(s, n), content)
	})
	s.Wait()
	held, readErr := os.ReadFile(filepath.Join(dir, "calls.csv"))
	if err != nil || tries != 4 || !bytes.Equal(held, content) {
		t.Errorf("%d tries, %v, %v", tries, err, readErr)
	}
}

func TestAFullDiskLeavesNoFile(t *testing.T) {
	full := func(ch ssh.Channel) {
		h := sftp.InMemHandler()
		h.FilePut = fullDisk{h.FilePut}
		serve(ch, h)
	}
	s := &exchangetest.SSHServer{SFTP: full}
	t.Cleanup(s.Wait)
	c := dial(t, config(s, exchangetest.NewNetwork(time.Millisecond)))
	err := exchange.Publish(t.Context(), c, "a", bytes.NewReader(make([]byte, 2<<20)), 2<<20)
	if err == nil || errors.Is(err, exchange.ErrPermanent) || strings.Contains(err.Error(), "left behind") {
		t.Errorf("error %v", err)
	}
	if left, err := c.List(t.Context(), ""); err != nil || len(left) > 0 {
		t.Errorf("left behind: %+v, %v", left, err)
	}
}

// fullDisk fails one packet in the middle and takes those after it: the file has
// its length, and a hole.
type fullDisk struct{ sftp.FileWriter }

func (f fullDisk) Filewrite(r *sftp.Request) (io.WriterAt, error) {
	w, err := f.FileWriter.Filewrite(r)
	return writerAtFunc(func(p []byte, off int64) (int, error) {
		if off == 1<<20 {
			return 0, errors.New("no space")
		}
		return w.WriteAt(p, off)
	}), err
}

type writerAtFunc func(p []byte, off int64) (int, error)

func (f writerAtFunc) WriteAt(p []byte, off int64) (int, error) { return f(p, off) }

func TestAHostMayAnswerWithLessThanItWasAskedFor(t *testing.T) {
	content := exchangetest.Content(1<<20 + 5)
	stingy := func(ch ssh.Channel) {
		h := sftp.InMemHandler()
		h.FileGet = stingyReader{bytes.NewReader(content)}
		serve(ch, h)
	}
	s := &exchangetest.SSHServer{SFTP: stingy}
	t.Cleanup(s.Wait)
	var got bytes.Buffer
	c := dial(t, config(s, exchangetest.NewNetwork(0)))
	if err := c.Get(t.Context(), "a", &got, 0); err != nil || !bytes.Equal(got.Bytes(), content) {
		t.Errorf("%d bytes, %v", got.Len(), err)
	}
}

// stingyReader gives 10,000 bytes at most.
type stingyReader struct{ r io.ReaderAt }

func (s stingyReader) Fileread(*sftp.Request) (io.ReaderAt, error) { return s, nil }

func (s stingyReader) ReadAt(p []byte, off int64) (int, error) {
	return s.r.ReadAt(p[:min(len(p), 10_000)], off)
}

// withoutExtensions makes the library's servers what old hosts are. It sets a
// variable of the library for as long as the test runs.
func withoutExtensions(t *testing.T) {
	t.Helper()
	if err := sftp.SetSFTPExtensions(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		sftp.SetSFTPExtensions("hardlink@openssh.com", "posix-rename@openssh.com", "statvfs@openssh.com")
	})
}

func TestAFileIsReplacedWhereRenameRefusesTo(t *testing.T) {
	withoutExtensions(t)
	s := &exchangetest.SSHServer{SFTP: inMemory}
	t.Cleanup(s.Wait)
	c := dial(t, config(s, exchangetest.NewNetwork(0)))
	for _, content := range []string{"older", "newest"} {
		if err := exchange.Publish(t.Context(), c, "a", strings.NewReader(content), int64(len(content))); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	if err := c.Get(t.Context(), "a", &got, 0); err != nil || got.String() != "newest" {
		t.Errorf("holds %q, %v", got.String(), err)
	}
	if err := c.Rename(t.Context(), "none", "a"); err == nil {
		t.Error("renamed what is not there")
	}
	if _, err := c.Stat(t.Context(), "a"); err != nil {
		t.Errorf("a rename that failed cost the target: %v", err)
	}
}

func TestAHostWithoutExtensionsKeepsTheContract(t *testing.T) {
	withoutExtensions(t)
	dir := ""
	server := func(ch ssh.Channel) {
		if s, err := sftp.NewServer(ch, sftp.WithServerWorkingDirectory(dir)); err == nil {
			s.Serve()
		}
	}
	exchangetest.Contract(t, func(t *testing.T) exchange.Remote {
		dir = t.TempDir()
		s := &exchangetest.SSHServer{SFTP: server}
		t.Cleanup(s.Wait)
		return dial(t, config(s, exchangetest.NewNetwork(0)))
	})
}

func TestWhatAHostForbidsIsPermanent(t *testing.T) {
	dir := t.TempDir()
	s := &exchangetest.SSHServer{SFTP: func(ch ssh.Channel) {
		if s, err := sftp.NewServer(ch, sftp.ReadOnly(), sftp.WithServerWorkingDirectory(dir)); err == nil {
			s.Serve()
		}
	}}
	t.Cleanup(s.Wait)
	c := dial(t, config(s, exchangetest.NewNetwork(0)))
	err := exchange.Publish(t.Context(), c, "a", bytes.NewReader(nil), 0)
	if !errors.Is(err, exchange.ErrPermanent) || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("error %v", err)
	}
}

func TestRemoveLeavesFoldersAlone(t *testing.T) {
	h := openSSH(t, exchangetest.NewNetwork(0))
	sub := filepath.Join(h.dir, "sub")
	if err := os.Mkdir(sub, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := dial(t, h.cfg).Remove(t.Context(), "sub"); !errors.Is(err, exchange.ErrPermanent) {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(sub); err != nil {
		t.Error(err)
	}
}

func TestAClosedClientSaysSo(t *testing.T) {
	h := openSSH(t, exchangetest.NewNetwork(0))
	c := dial(t, h.cfg)
	if err := errors.Join(c.Close(), c.Close()); err != nil {
		t.Error(err)
	}
	for name, call := range calls {
		if err := call(t.Context(), c); err == nil || !strings.Contains(err.Error(), "closed") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
