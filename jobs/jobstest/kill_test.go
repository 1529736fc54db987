package jobstest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
)

// collectAll is a service that lands what is in a folder: it takes each file,
// moves it away, and settles it, in the order that package landing keeps.
func collectAll(dir string) error {
	ctx := context.Background()
	ledger, err := OpenJournal(filepath.Join(dir, "journal"))
	if err != nil {
		return err
	}
	c := jobs.NewCollector(jobs.CollectOptions{
		Profile: func(string) (string, error) { return filepath.Join(dir, "profile.yaml"), nil },
		Ledger:  ledger, Worker: jobs.Worker{Program: os.Args[0], Args: []string{"worker"}},
		Content: func(sum string) string { return filepath.Join(dir, "spool", sum) }, Rejects: filepath.Join(dir, "rejects"),
	})
	open, err := c.Unsettled(ctx, "fabrikam")
	for _, a := range open {
		err = errors.Join(err, land(ctx, c, dir, a))
	}
	names, err2 := filepath.Glob(filepath.Join(dir, "inbox", "*.csv"))
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	for _, name := range names { // sorted
		o, err := offerOf(dir, name)
		if err != nil {
			return err
		}
		a, err := c.Take(ctx, o)
		if err == nil {
			err = land(ctx, c, dir, a)
		}
		if err != nil {
			return err
		}
	}
	return ledger.Close()
}

// offerOf offers a file of the inbox, whose name is also that of its content.
func offerOf(dir, name string) (landing.Offer, error) {
	sum, err := os.ReadFile(name)
	if err != nil {
		return landing.Offer{}, err
	}
	o := landing.Offer{Carrier: "fabrikam", Name: filepath.Base(name), SHA256: string(sum), Trust: landing.Closed, Received: time.Unix(1, 0)}
	o.Content = filepath.Join(dir, "spool", o.SHA256)
	info, err := os.Stat(o.Content)
	if err == nil {
		o.Size = info.Size()
	}
	return o, err
}

func land(ctx context.Context, c *jobs.Collector, dir string, a landing.Answer) error {
	if err := os.Remove(filepath.Join(dir, "inbox", a.Receipt.File)); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return c.Settle(ctx, "fabrikam", a.ID)
}

// TestAServiceKilledAtAnyMomentIngestsEachFileOnce kills it until nothing is
// left to be done.
func TestAServiceKilledAtAnyMomentIngestsEachFileOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("starts many processes")
	}
	const files = 12
	h := newHouse(t, nil)
	if err := errors.Join(os.Mkdir(filepath.Join(h.dir, "inbox"), 0o700), os.WriteFile(filepath.Join(h.dir, "profile.yaml"), []byte(fabrikam), 0o600)); err != nil {
		t.Fatal(err)
	}
	for n := range files {
		o := h.offer(fmt.Sprintf("FAB_%06d_20261001.csv", n+1), header+strings.Replace(row, "c1", fmt.Sprint("c", n), 1)+bad)
		if err := os.WriteFile(filepath.Join(h.dir, "inbox", o.Name), []byte(o.SHA256), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	kills := 0
	for ; !h.collected(time.Duration(20+random.IntN(150)+10*kills) * time.Millisecond); kills++ {
	}
	list, err := openJournal(t, filepath.Join(h.dir, "journal")).Files(t.Context(), "fabrikam")
	if len(list) != files || err != nil {
		t.Fatalf("%d entries after %d kills, %v", len(list), kills, err)
	}
	for n, e := range list {
		if e.Status != landing.StatusPartly || e.Name != fmt.Sprintf("FAB_%06d_20261001.csv", n+1) || !e.Settled || len(e.Missing) > 0 {
			t.Errorf("%+v", e)
		}
	}
	if left, _ := os.ReadDir(filepath.Join(h.dir, "inbox")); len(left) > 0 {
		t.Errorf("left in the inbox: %v", left)
	}
	t.Logf("%d kills", kills)
}

// collected runs the service and kills it after a while; true: it was done.
func (h *house) collected(after time.Duration) bool {
	h.Helper()
	cmd := exec.Command(os.Args[0], "collect", h.dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		h.Fatal(err)
	}
	killed := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended
	err := cmd.Wait()
	switch {
	case err == nil:
		return true
	case killed.Stop():
		h.Fatalf("the service ended by itself: %v", err)
	}
	return false
}
