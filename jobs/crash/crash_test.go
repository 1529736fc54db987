package crash

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"concord/exchange"
	"concord/exchange/landing"
	"concord/exchange/sftpc"
	"concord/jobs"
	"concord/jobs/state"

	"golang.org/x/crypto/ssh"
)

// cycles is how often the service is killed; CYCLES sets another number.
func cycles(t *testing.T) int {
	t.Helper()
	text := os.Getenv("CYCLES")
	if text == "" {
		return 25
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("CYCLES=%s: give a number from 1 on", text)
	}
	return n
}

// file is one that the carrier sends.
type file struct {
	name    string
	content []byte
	wire    []byte // the content as it is sent
	rows    int64
	ms      int64
	sent    bool // its upload was acknowledged
}

// newFile makes a file of its own content, of one block or of several.
func newFile(rng *rand.Rand, seq int) *file {
	f := &file{name: fmt.Sprintf("FAB_%06d.csv", seq), rows: 1 + rng.Int64N(5000)}
	var b bytes.Buffer
	b.WriteString("record_id,start,duration_ms,caller,callee\n")
	for i := range f.rows {
		ms := rng.Int64N(3_600_000)
		f.ms += ms
		fmt.Fprintf(&b, "r%d-%d,2026-10-01T10:00:00Z,%d,+493012345678,+442071234567\n", seq, i, ms)
	}
	if b.Len()%4096 == 0 { // a whole number of blocks is in doubt, and would wait
		b.WriteString("\n")
	}
	f.content, f.wire = b.Bytes(), b.Bytes()
	return f
}

// TestEveryFileOnceHoweverOftenTheServiceIsKilled sends files while the service
// is killed at any moment, as a carrier that tries again until it is told that
// its file has arrived.
func TestEveryFileOnceHoweverOftenTheServiceIsKilled(t *testing.T) {
	dir := t.TempDir()
	everyFileOnce(t, dir, settle(t, dir), newFile)
}

func everyFileOnce(t *testing.T, dir string, key ssh.Signer, next func(rng *rand.Rand, seq int) *file) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	var all []*file
	cut := 0
	for range cycles(t) {
		s := start(t, dir)
		all = append(all, next(rng, len(all)+1), next(rng, len(all)+2))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			send(ctx, s, key, all)
		}()
		select {
		case <-time.After(moment(rng)):
		case <-t.Context().Done():
		}
		s.kill()
		cancel()
		<-done
		for _, f := range all {
			if !f.sent {
				cut++
			}
		}
	}
	s := start(t, dir)
	send(t.Context(), s, key, all)
	await(t, dir, all)
	s.stop(t)
	t.Logf("%d times a file was not yet acknowledged at a kill", cut)
	check(t, dir, all)
}

// moment is how long after its start the service is killed: mostly while files
// arrive, else while they are claimed, answered and moved.
func moment(rng *rand.Rand) time.Duration {
	most := 100 * time.Millisecond
	if rng.IntN(3) == 0 {
		most = 600 * time.Millisecond
	}
	return time.Duration(rng.Int64N(int64(most)))
}

// send sends what was not acknowledged yet, by turns under its own name and
// under a temporary one.
func send(ctx context.Context, s *child, key ssh.Signer, all []*file) {
	pin, err := hostKey(s)
	if err != nil {
		return
	}
	c, err := sftpc.Dial(ctx, sftpc.Config{Addr: s.addr, User: carrier, Signers: []ssh.Signer{key}, HostKeys: []string{pin}})
	if err != nil {
		return
	}
	defer func() { _ = c.Close() }()
	for i, f := range all {
		if f.sent {
			continue
		}
		if i%2 == 0 {
			err = c.Put(ctx, "inbox/"+f.name, bytes.NewReader(f.wire))
		} else {
			err = exchange.Publish(ctx, c, "inbox/"+f.name, bytes.NewReader(f.wire), int64(len(f.wire)))
		}
		f.sent = err == nil
		if err != nil && ctx.Err() != nil {
			return
		}
	}
}

func hostKey(s *child) (string, error) {
	text, err := os.ReadFile(filepath.Join(s.cmd.Args[2], "data", "hostkeys", "ssh_host_ed25519_key"))
	if err != nil {
		return "", err
	}
	key, err := ssh.ParsePrivateKey(text)
	if err != nil {
		return "", err
	}
	return string(bytes.TrimSpace(ssh.MarshalAuthorizedKey(key.PublicKey()))), nil
}

// await waits until every file has left the inbox, as long as it goes on.
func await(t *testing.T, dir string, all []*file) {
	t.Helper()
	late, before := time.After(time.Minute), 0
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := os.ReadDir(filepath.Join(dir, "data", "homes", carrier, landing.Inbox))
		if err != nil {
			t.Fatal(err)
		}
		// An upload that was not renamed when the service died waits for its
		// client, which took another temporary name instead.
		left = slices.DeleteFunc(left, func(e fs.DirEntry) bool { return landing.IsTemporary(e.Name()) })
		got, err := os.ReadDir(filepath.Join(dir, "data", "homes", carrier, landing.Receipts))
		if err != nil {
			t.Fatal(err)
		}
		if len(left) == 0 && len(got) == len(all) {
			return
		}
		if len(got) > before {
			late, before = time.After(time.Minute), len(got)
		}
		select {
		case <-tick.C:
		case <-late:
			for _, e := range left {
				info, err := e.Info()
				t.Errorf("left in the inbox: %v, %v", info, err)
			}
			t.Fatalf("%d of %d have a receipt", len(got), len(all))
		}
	}
}

// check counts again, from the files that were made and from what is on disk.
func check(t *testing.T, dir string, all []*file) {
	t.Helper()
	store, err := state.Open(t.Context(), filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := store.Files(t.Context(), carrier)
	if err = errors.Join(err, store.Close()); err != nil {
		t.Fatal(err)
	}
	ingested := map[string][]jobs.Entry{}
	again := 0
	for _, e := range entries {
		switch {
		case e.Ingested():
			ingested[e.SHA256] = append(ingested[e.SHA256], e)
		case e.Status == landing.StatusDuplicate:
			again++ // its client was not told that it had arrived
		default:
			t.Errorf("%s is %s: %v", e.Name, e.Status, e.Reasons)
		}
		if !e.Settled {
			t.Errorf("%s was never settled", e.Name)
		}
	}
	for _, f := range all {
		f.check(t, dir, ingested)
	}
	t.Logf("%d files, %d of them sent again", len(all), again)
	if spooled := count(t, filepath.Join(dir, "data", "spool")); spooled != len(all) {
		t.Errorf("%d contents in the spool for %d files", spooled, len(all))
	}
	if left := count(t, filepath.Join(dir, "data", "homes", carrier, ".staging")); left > 0 {
		t.Errorf("%d unfinished files are left", left)
	}
}

func (f *file) check(t *testing.T, dir string, ingested map[string][]jobs.Entry) {
	t.Helper()
	sum := sha256.Sum256(f.content)
	got := ingested[hex.EncodeToString(sum[:])]
	if len(got) != 1 || got[0].Name != f.name || got[0].Accepted != f.rows || got[0].DurationMS != f.ms {
		t.Errorf("%s with %d rows was ingested as %+v", f.name, f.rows, got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "data", "homes", carrier, landing.Receipts, f.name+".json"))
	var r landing.Receipt
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if sum = sha256.Sum256(f.wire); err != nil || r.SHA256 != hex.EncodeToString(sum[:]) {
		t.Errorf("the receipt of %s: %+v, %v", f.name, r, err)
	}
	archived, err := filepath.Glob(filepath.Join(dir, "data", "homes", carrier, landing.Archive, "*", f.name[:len("FAB_000000")]+"*.*"))
	if err != nil || len(archived) == 0 {
		t.Errorf("%s is not in the archive", f.name)
	}
	for _, name := range archived {
		if kept, err := os.ReadFile(name); err != nil || !bytes.Equal(kept, f.wire) {
			t.Errorf("%s is not what was sent: %v", name, err)
		}
	}
}

func count(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
