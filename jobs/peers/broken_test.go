//go:build peers

package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"concord/exchange/landing"
)

// brokenOff is one upload that ends in the middle.
type brokenOff struct {
	client
	cargo
	signal syscall.Signal
	point  int  // 0: near the start, 1 and 2: further on
	alone  bool // the signal is for the program alone, else for all that was started
}

var signals = []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL}

// String is the name of the carrier that it happens to.
func (b brokenOff) String() string {
	name := strings.TrimPrefix(b.cargo.name, "calls.")
	return fmt.Sprintf("%s-%s-%s-%d", b.client.name, strings.ReplaceAll(name, ".", "-"), strings.ReplaceAll(b.signal.String(), " ", "-"), b.point)
}

// at is how many bytes get through before the signal.
func (b brokenOff) at() int64 { return []int64{40_000, b.size / 4, b.size * 11 / 20}[b.point] }

// TestBrokenOff ends uploads of every client by every signal at several points.
// No half is ever accepted, and the whole file is, once, when it is sent again.
func TestBrokenOff(t *testing.T) {
	var all []brokenOff
	for i, c := range clients {
		for j, f := range cargoes(t) {
			for k, s := range signals {
				for point := range 3 {
					if j > 0 && point == k { // the content of these tells, anyway
						continue
					}
					all = append(all, brokenOff{c, f, s, point, (i+j+k+point)%2 == 0})
				}
			}
		}
	}
	quick := landing.Terms{Hold: 100 * time.Millisecond, Grace: 200 * time.Millisecond}
	breakAll(t, all, quick)
}

// TestBrokenOffByDefault takes the file whose halves look whole, under the terms
// that a carrier has if nobody says otherwise.
func TestBrokenOffByDefault(t *testing.T) {
	var all []brokenOff
	csv := cargoes(t)[0]
	for _, c := range clients {
		all = append(all, brokenOff{c, csv, syscall.SIGINT, 2, true})
	}
	breakAll(t, all, landing.Terms{})
}

// TestHalvesAreRejectedInTheEnd waits for the deadline of each half.
func TestHalvesAreRejectedInTheEnd(t *testing.T) {
	var all []brokenOff
	csv := cargoes(t)[0]
	for i, c := range clients {
		all = append(all, brokenOff{c, csv, signals[i%2], 2, true})
	}
	breakAll(t, all, landing.Terms{Hold: 100 * time.Millisecond, Grace: 200 * time.Millisecond, Deadline: time.Second})
}

func breakAll(t *testing.T, all []brokenOff, terms landing.Terms) {
	t.Helper()
	var carriers []string
	for _, b := range all {
		carriers = append(carriers, b.String())
	}
	p := open(t, terms, carriers...)
	t.Run("each", func(t *testing.T) {
		for _, b := range all {
			t.Run(b.String(), func(t *testing.T) {
				t.Parallel()
				p.breakOff(t, b)
				if p.wholeAccepted(t, b) {
					return
				}
				if terms.Deadline > 0 {
					p.rejectedInTheEnd(t, b)
				}
				p.sendAgain(t, b)
			})
		}
	})
	for _, b := range all {
		p.acceptedOnce(t, b)
	}
}

// breakOff uploads a file and ends that in the middle.
func (p *place) breakOff(t *testing.T, b brokenOff) {
	t.Helper()
	g := newToll(t, p.Addr, b.at())
	a := p.account(t, b.String(), g.Addr().String())
	r := a.start(t, b.client, "put", b.path, "inbox/"+b.cargo.name)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	select {
	case <-g.closed:
	case <-r.done:
		t.Fatalf("it ended too early: %v\n%s", r.err, r.out.String())
	case <-ctx.Done():
		t.Fatal("it did not come as far")
	}
	a.signal(t, r, b)
	g.open()
	_ = r.wait(ctx) // OpenSSH's sftp reports success when it is interrupted
	r.end()
	a.unmount(t)
	await(t, "the end of the sessions", func() bool { now, ever := p.present(b.String()); return now == 0 && ever > 0 })
}

// signal sends the signal, to the file system in user space, too.
func (a account) signal(t *testing.T, r *run, b brokenOff) {
	t.Helper()
	pids := []int{r.program()}
	if !b.alone {
		pids = append(a.daemons(t), -r.Process.Pid)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, b.signal); err != nil {
			t.Errorf("signal %d: %v", pid, err)
		}
	}
}

func (a account) mount() string { return filepath.Join(a.dir, "mount") }

// daemons are the processes that serve the account's mount.
func (a account) daemons(t *testing.T) (pids []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range all {
		line, err := os.ReadFile(name)
		args := strings.Split(string(line), "\x00")
		if err == nil && args[0] == "sshfs" && strings.Contains(string(line), a.mount()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// unmount ends what a broken-off sshfs has left.
func (a account) unmount(t *testing.T) {
	t.Helper()
	mounted := func() bool {
		table, err := os.ReadFile("/proc/mounts")
		return err == nil && strings.Contains(string(table), a.mount())
	}
	await(t, "the end of sshfs", func() bool {
		if mounted() { // it may be gone by itself a moment later
			_ = exec.Command("fusermount3", "-u", "-z", a.mount()).Run()
		}
		return !mounted() && len(a.daemons(t)) == 0
	})
}

// unfinished is the permission bit of a file that nobody takes as it is: its
// client may still write to it.
const unfinished = 0o200

// wholeAccepted waits until the server has made up its mind, and reports whether
// the client sent the file to its end in spite of the signal. Of a half nothing
// is accepted.
func (p *place) wholeAccepted(t *testing.T, b brokenOff) (whole bool) {
	t.Helper()
	await(t, "a decision on the half", func() bool {
		mode := p.arrival(t, b.String(), b.cargo.name)
		return mode == 0 || mode&unfinished != 0 || p.waited(b.String()) > 0 || len(p.files(t, b.String())) > 0
	})
	for _, e := range p.files(t, b.String()) {
		switch {
		case e.Ingested() && e.SHA256 == b.sha256:
			whole = true
		case e.Ingested():
			t.Errorf("%d bytes of %d were accepted, known to be whole by %s", e.Bytes, b.size, e.Proof)
		}
	}
	return whole
}

// rejectedInTheEnd waits until the half, if there is one, has left the inbox.
func (p *place) rejectedInTheEnd(t *testing.T, b brokenOff) {
	t.Helper()
	if p.arrival(t, b.String(), b.cargo.name) == 0 {
		return
	}
	await(t, "the deadline", func() bool { return p.arrival(t, b.String(), b.cargo.name) == 0 })
	if r, ok := p.receipt(t, b); !ok || r.Status != landing.StatusRejected {
		t.Errorf("the receipt of the half: %+v", r)
	}
}

// receipt reads the last receipt.
func (p *place) receipt(t *testing.T, b brokenOff) (r landing.Receipt, ok bool) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Home(b.String()), "receipts", b.cargo.name+".json"))
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err == nil
}

// sendAgain uploads the whole file, or the rest of it.
func (p *place) sendAgain(t *testing.T, b brokenOff) {
	t.Helper()
	verb := "put"
	if b.point == 1 && b.can("resume") && p.arrival(t, b.String(), b.cargo.name) != 0 {
		verb = "resume"
	}
	p.account(t, b.String(), p.Addr).must(t, b.client, verb, b.path, "inbox/"+b.cargo.name)
	await(t, "the receipt", func() bool {
		r, ok := p.receipt(t, b)
		return ok && r.Status == landing.StatusAccepted && r.SHA256 == b.sha256
	})
}

// acceptedOnce checks the ledger when all is over.
func (p *place) acceptedOnce(t *testing.T, b brokenOff) {
	t.Helper()
	n := 0
	for _, e := range p.files(t, b.String()) {
		if !e.Ingested() {
			continue
		}
		n++
		if e.SHA256 != b.sha256 || e.Rows != callsSent || e.Accepted != callsSent || e.DurationMS != callsSent*durationSent.Milliseconds() {
			t.Errorf("%s: accepted with %d rows and %d ms, of %d bytes", b, e.Rows, e.DurationMS, e.Bytes)
		}
	}
	if n != 1 {
		t.Errorf("%s: accepted %d times", b, n)
	}
}
