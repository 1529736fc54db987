package landing

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// tended is a home whose files a notary takes, in virtual time.
type tended struct {
	*Home
	dir    string
	notary *notary
	stop   func()
	log    []string
}

func tend(t *testing.T, dir string, terms Terms, n *notary, f *faults) *tended {
	t.Helper()
	spool, err := OpenSpool(filepath.Join(filepath.Dir(dir), "spool"))
	if err != nil {
		t.Fatal(err)
	}
	if f != nil {
		spool.root, spool.sync = faulty{spool.root.(*os.Root), f}, f.flush
	}
	d := &tended{Home: home(t, dir, terms, f), dir: dir, notary: n}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var mu sync.Mutex
	note := func(line string) {
		mu.Lock()
		defer mu.Unlock()
		d.log = append(d.log, line)
	}
	wg.Go(func() {
		d.Tend(ctx, spool, n, Watch{
			Waiting: func(_, name, why string) { note(name + " waits: " + why) },
			Trouble: func(_, name string, err error) { note(name + ": " + err.Error()) },
		})
	})
	d.stop = sync.OnceFunc(func() {
		cancel()
		wg.Wait()
		_ = spool.Close()
	})
	t.Cleanup(d.stop)
	return d
}

func (d *tended) dropFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, Inbox, name), []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// later lets virtual time pass.
func later(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func newDir(t *testing.T) string { return filepath.Join(t.TempDir(), "home") }

const whole = "1,2\nend\n"

func sumOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func TestTheWayOfAFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv", whole)
		later(3 * time.Second)
		r := receipt(t, d.dir, "a.csv")
		if r.Status != StatusAccepted || r.SHA256 != sumOf(whole) || r.Bytes != int64(len(whole)) {
			t.Errorf("receipt %+v", r)
		}
		later(time.Hour)
		if i, err := s.Stat("inbox/a.csv"); err != nil || i.Size() != int64(len(whole)) {
			t.Errorf("its client no longer sees it: %v", err)
		}
		s.End()
		later(59 * time.Second)
		if onDisk(d.dir, "inbox/a.csv") != whole {
			t.Error("it left the inbox before the grace had passed")
		}
		later(2 * time.Second)
		day := r.Received.Format(time.DateOnly)
		if onDisk(d.dir, "archive/"+day+"/a.csv") != whole || onDisk(d.dir, "inbox/a.csv") != "(none)" {
			t.Errorf("files: %v", files(t, d.dir))
		}
		if !d.notary.settled["0"] || len(d.notary.answers) != 1 {
			t.Errorf("settled %v, answers %v", d.notary.settled, d.notary.statuses())
		}
		if d.arriving != (usage{}) {
			t.Errorf("counted: %+v", d.arriving)
		}
	})
}

func TestAClientThatNeverLeavesDoesNotFillTheInbox(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		mustPut(t, d.Session(), "inbox/a.csv", whole)
		later(25 * time.Hour)
		if onDisk(d.dir, "inbox/a.csv") != "(none)" || !d.notary.settled["0"] {
			t.Errorf("files: %v", files(t, d.dir))
		}
	})
}

func TestPolicies(t *testing.T) {
	tmp := func(s *Session, name, text string) error {
		return errors.Join(put(s, name+".tmp", text, 1000), s.Rename(name+".tmp", name, false))
	}
	beside := func(suffix, text string) func(s *Session, name, content string) error {
		return func(s *Session, name, content string) error {
			return errors.Join(put(s, name, content, 1000), put(s, name+suffix, text, 1000))
		}
	}
	plain := func(s *Session, name, text string) error { return put(s, name, text, 1000) }
	block := strings.Repeat("0123456\n", 1000)
	for _, c := range []struct {
		name    string
		policy  Policy
		send    func(s *Session, name, content string) error
		content string
		want    []string // within a minute and a half
		trust   Trust
	}{
		{"closed", OnClose, plain, whole, []string{"f.csv accepted"}, Closed},
		{"closed, but not at its end", OnClose, plain, "1,2\n", nil, 0},
		{"closed after a whole block", OnClose, plain, block, nil, 0},
		{"closed after a whole block, with a checksum", OnClose, beside(".sha256", sumOf(block)+"  f.csv\n"), block, []string{"f.csv accepted"}, Vouched},
		{"renamed", OnClose, tmp, block, []string{"f.csv accepted"}, Vouched},
		{"closed where a rename was agreed", OnRename, plain, whole, nil, 0},
		{"renamed as agreed", OnRename, tmp, whole, []string{"f.csv accepted"}, Vouched},
		{"no marker", OnMarker, plain, whole, nil, 0},
		{"a marker", OnMarker, beside(".done", ""), block, []string{"f.csv accepted"}, Vouched},
		{"no checksum", OnManifest, plain, whole, nil, 0},
		{"a checksum", OnManifest, beside(".sha256", strings.ToUpper(sumOf(whole))), whole, []string{"f.csv accepted"}, Vouched},
		{"a checksum as BSD writes it", OnManifest, beside(".sha256", "SHA256 (f.csv) = "+sumOf(whole)), whole, []string{"f.csv accepted"}, Vouched},
		{"another's checksum", OnManifest, beside(".sha256", sumOf("else")), whole, nil, 0},
		{"quiet", OnQuiet, plain, block, []string{"f.csv accepted"}, Vouched},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := tend(t, newDir(t), Terms{Policy: c.policy}, newNotary(), nil)
				s := d.Session()
				if err := c.send(s, "inbox/f.csv", c.content); err != nil {
					t.Fatal(err)
				}
				s.End()
				later(90 * time.Second)
				if got := d.notary.statuses(); !slices.Equal(got, c.want) {
					t.Fatalf("decided %v; %v", got, d.log)
				}
				if c.want == nil {
					later(time.Hour)
					if got := receipt(t, d.dir, "f.csv"); got.Status != StatusRejected {
						t.Errorf("after the deadline: %v", got)
					}
					later(time.Minute)
					if onDisk(d.dir, "rejected/f.csv") != c.content {
						t.Errorf("files %v", files(t, d.dir))
					}
					return
				}
				if o := d.notary.offers[0]; o.Trust != c.trust || o.Checked != strings.Contains(c.name, "checksum") {
					t.Errorf("offer %+v", o)
				}
				left := files(t, filepath.Join(d.dir, Inbox))
				if len(left) > 0 {
					t.Errorf("left in the inbox: %v", left)
				}
			})
		})
	}
}

func TestWhatNeverBecomesAFileIsRejectedWithItsReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv.tmp", "x")
		mustPut(t, s, "inbox/b.csv.done", "")
		mustPut(t, s, "inbox/bad\nname.csv", whole)
		u, _ := s.Upload("inbox/c.csv", UploadOptions{Create: true})
		_, _ = u.WriteAt([]byte("1,2\n"), 0)
		u.Break(errors.New("gone"))
		_ = u.Close()
		s.End()
		later(2 * time.Hour)
		for name, want := range map[string]string{
			"a.csv.tmp": "never renamed", "b.csv.done": "there is no file", "bad\nname.csv": "control characters", "c.csv": "broken off",
		} {
			r := receipt(t, d.dir, name)
			if r.Status != StatusRejected || len(r.Reasons) != 1 || !strings.Contains(r.Reasons[0].Reason, want) {
				t.Errorf("%q: %+v", name, r)
			}
			if onDisk(d.dir, "rejected/"+name) == "(none)" {
				t.Errorf("%q is not among the rejected", name)
			}
		}
	})
}

func TestFilesAreTakenInTheOrderTheyCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		s := d.Session()
		var want []string
		for i := range 50 {
			name := fmt.Sprintf("%02d.csv", (i*37)%50)
			mustPut(t, s, "inbox/"+name, name+whole)
			want = append(want, name+" accepted")
		}
		later(5 * time.Second)
		if got := d.notary.statuses(); !slices.Equal(got, want) {
			t.Errorf("order %v", got)
		}
	})
}

func TestANewContentUnderTheNameOfAClaimedFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv", whole)
		later(3 * time.Second)
		mustPut(t, s, "inbox/a.csv", "2"+whole)
		later(3 * time.Second)
		mustPut(t, s, "inbox/a.csv", whole) // the first again
		later(3 * time.Second)
		if err := s.Remove("inbox/a.csv"); err != nil {
			t.Fatal(err)
		}
		s.End()
		later(2 * time.Minute)
		if got := d.notary.statuses(); !slices.Equal(got, []string{"a.csv accepted", "a.csv accepted", "a.csv duplicate"}) {
			t.Errorf("decided %v", got)
		}
		if r := receipt(t, d.dir, "a.csv"); r.Status != StatusDuplicate {
			t.Errorf("the last receipt is %+v", r)
		}
		day := receipt(t, d.dir, "a.csv").Received.Format(time.DateOnly)
		got := files(t, filepath.Join(d.dir, Archive, day))
		if !slices.Equal(got, []string{"a.2.csv", "a.3.csv", "a.csv"}) || len(d.notary.settled) != 3 {
			t.Errorf("archived %v, settled %v", got, d.notary.settled)
		}
	})
}

func TestAHalfThatIsFollowedByTheWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv", "1,2\n") // interrupted, with a close
		s.End()
		later(5 * time.Second)
		s = d.Session()
		mustPut(t, s, "inbox/a.csv", whole)
		s.End()
		later(5 * time.Second)
		if got := d.notary.statuses(); !slices.Equal(got, []string{"a.csv accepted"}) || d.notary.accepted[sumOf(whole)] != 1 {
			t.Errorf("decided %v", got)
		}
	})
}

func TestFilesThatDoNotComeByUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		d.dropFile(t, "a.csv", "1,2\n")
		later(50 * time.Second)
		d.dropFile(t, "a.csv", whole) // still being written
		later(50 * time.Second)
		if got := d.notary.statuses(); len(got) > 0 {
			t.Errorf("taken while it changed: %v", got)
		}
		later(30 * time.Second)
		if got := d.notary.statuses(); !slices.Equal(got, []string{"a.csv accepted"}) {
			t.Errorf("decided %v", got)
		}
	})
}

func TestAnEmptyFileWaitsForItsClientToGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{}, newNotary(), nil)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv", "")
		later(10 * time.Second)
		if o := d.notary.offers; len(o) != 1 || o[0].Trust != Doubtful {
			t.Errorf("offers %+v", o)
		}
		s.End()
		later(6 * time.Second)
		if o := d.notary.offers; len(o) != 2 || o[1].Trust != Closed {
			t.Errorf("offers %+v", o)
		}
	})
}

// A carrier's policy changes while the service runs.
func TestNewTermsHoldForFilesThatAreThereAlready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := tend(t, newDir(t), Terms{Policy: OnMarker}, newNotary(), nil)
		s := d.Session()
		mustPut(t, s, "inbox/a.csv", whole)
		later(20 * time.Second)
		if got := d.notary.statuses(); len(got) > 0 {
			t.Errorf("taken without its marker: %v", got)
		}
		d.SetTerms(Terms{})
		later(time.Second)
		if got := d.notary.statuses(); !slices.Equal(got, []string{"a.csv accepted"}) {
			t.Errorf("decided %v", got)
		}
	})
}
