package accounts_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"concord/jobs"
	"concord/jobs/accounts"
	"concord/jobs/config"

	"golang.org/x/crypto/bcrypt"
)

const password = "correct horse battery staple"

// door is accounts of ann, bob and cid with all that they note.
type door struct {
	*accounts.Accounts
	mu   sync.Mutex
	cfg  *config.Config
	rows []string
	full bool // nothing can be noted
}

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{}
	d.configure(t, password, "ann: finance", "bob: ops", "cid: admin")
	d.Accounts = accounts.New(accounts.Options{Config: func() *config.Config { return d.cfg }, Note: d.note})
	return d
}

func (d *door) configure(t *testing.T, password string, users ...string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	text := "data: d\nusers:\n"
	for _, u := range users {
		name, role, _ := strings.Cut(u, ": ")
		text += fmt.Sprintf("  %s: {role: %s, password_hash: %q}\n", name, role, hash)
	}
	file := filepath.Join(t.TempDir(), "concord.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if d.cfg, err = config.Load(file); err != nil {
		t.Fatal(err)
	}
}

func (d *door) note(_ context.Context, r jobs.AuditRow) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.full {
		return errors.New("the disk is full")
	}
	d.rows = append(d.rows, r.Who+" "+r.What+" "+r.Object)
	return nil
}

var home = netip.MustParseAddr("192.0.2.7")

func (d *door) login(t *testing.T, name string) string {
	t.Helper()
	token, err := d.Login(t.Context(), name, password, home)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestASessionIsOfWhoKnowsThePassword(t *testing.T) {
	d := newDoor(t)
	token := d.login(t, "ann")
	if p, ok := d.Person(token, accounts.ByHand); !ok || p != (accounts.Person{Name: "ann", Role: config.Finance}) {
		t.Errorf("the session is of %v, %v", p, ok)
	}
	for _, other := range []string{"", "x", token + "x", strings.ToLower(token)} {
		if p, ok := d.Person(other, accounts.ByHand); ok {
			t.Errorf("%q is a session of %v", other, p)
		}
	}
	for _, c := range [][2]string{{"ann", "wrong"}, {"ann", ""}, {"eve", password}, {"Ann", password}, {"", ""}, {"bob", strings.Repeat("x", 5000)}} {
		if token, err := d.Login(t.Context(), c[0], c[1], netip.MustParseAddr("198.51.100.1")); !errors.Is(err, accounts.ErrDenied) && !waits(err) || token != "" {
			t.Errorf("%v: %q, %v", c, token, err)
		}
	}
	if err := d.Logout(t.Context(), token, home); err != nil {
		t.Fatal(err)
	}
	if _, ok := d.Person(token, accounts.ByHand); ok {
		t.Error("a session outlives its end")
	}
	if err := d.Logout(t.Context(), token, home); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(d.rows, "\n")
	want := "ann session.login 192.0.2.7\nann session.denied 198.51.100.1\nann session.denied 198.51.100.1\nunknown session.denied 198.51.100.1\n" +
		"unknown session.denied 198.51.100.1\nunknown session.denied 198.51.100.1\nann session.logout 192.0.2.7"
	if got != want {
		t.Errorf("noted:\n%s\nwant:\n%s", got, want)
	}
}

func waits(err error) bool {
	_, is := errors.AsType[*accounts.WaitError](err)
	return is
}

func TestWhoCannotBeNotedIsNotLetIn(t *testing.T) {
	d := newDoor(t)
	d.full = true
	if token, err := d.Login(t.Context(), "ann", password, home); err == nil || token != "" {
		t.Errorf("got %q, %v", token, err)
	}
}

func TestSessionsEndByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		idle, busy, watching := d.login(t, "ann"), d.login(t, "bob"), d.login(t, "cid")
		began := time.Now()
		for time.Since(began) < accounts.Absolute-10*time.Minute {
			time.Sleep(10 * time.Minute)
			if _, ok := d.Person(busy, accounts.ByHand); !ok {
				t.Fatalf("a session in use ended after %s", time.Since(began))
			}
			_, ok := d.Person(watching, accounts.ByItself)
			if want := time.Since(began) < accounts.Idle; ok != want {
				t.Fatalf("after %s a page that looks on its own has a session: %v", time.Since(began), ok)
			}
		}
		if _, ok := d.Person(idle, accounts.ByHand); ok {
			t.Error("an idle session lasts")
		}
		time.Sleep(10 * time.Minute)
		if _, ok := d.Person(busy, accounts.ByHand); ok {
			t.Error("a session lasts for more than its time")
		}
	})
}

func TestAReloadEndsSessionsOfWhoIsGoneOrHasAnotherPassword(t *testing.T) {
	d := newDoor(t)
	ann, bob := d.login(t, "ann"), d.login(t, "bob")
	was := d.cfg
	d.configure(t, password, "ann: admin")
	if _, ok := d.Person(bob, accounts.ByHand); ok {
		t.Error("bob is removed, and his session lasts")
	}
	if _, ok := d.Person(ann, accounts.ByHand); ok { // bcrypt has another salt
		t.Error("ann has another hash, and her session lasts")
	}
	d.cfg = was
	if _, ok := d.Person(bob, accounts.ByHand); ok {
		t.Error("bob is back, and so is his old session")
	}
	ann = d.login(t, "ann")
	u, _ := d.cfg.User("ann")
	u.Role = config.Admin
	if p, _ := d.Person(ann, accounts.ByHand); p.Role != config.Admin {
		t.Errorf("ann is an admin now, and her session is of %s", p.Role)
	}
}

func TestWhoGuessesWaitsLongerAndLonger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		began, checked := time.Now(), 0
		for time.Since(began) < time.Hour {
			_, err := d.Login(t.Context(), "ann", "wrong", home)
			if w, is := errors.AsType[*accounts.WaitError](err); is {
				time.Sleep(w.For)
				continue
			}
			checked++
		}
		if checked < 10 || checked > 25 {
			t.Errorf("from one address %d passwords were tried in an hour", checked)
		}
		if _, err := d.Login(t.Context(), "bob", password, netip.MustParseAddr("192.0.2.8")); err != nil {
			t.Errorf("somebody else at another address: %v", err)
		}
	})
}

func TestGuessingFromManyAddressesIsSlowAndKeepsNobodyOutWhoHasBeenHere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		d.login(t, "ann")
		began, checked, at := time.Now(), 0, netip.MustParseAddr("198.51.100.0")
		for time.Since(began) < time.Hour {
			at = at.Next()
			_, err := d.Login(t.Context(), "ann", "wrong", at)
			if w, is := errors.AsType[*accounts.WaitError](err); is {
				time.Sleep(w.For)
				continue
			}
			checked++
		}
		if checked > 150 {
			t.Errorf("%d passwords of one account were tried in an hour", checked)
		}
		if _, err := d.Login(t.Context(), "ann", password, home); err != nil {
			t.Errorf("ann at home: %v", err)
		}
	})
}

func TestManyAttemptsAtOnceAreNotOne(t *testing.T) {
	d := newDoor(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	checked := 0
	for range 50 {
		wg.Go(func() {
			_, err := d.Login(t.Context(), "ann", "wrong", home)
			mu.Lock()
			defer mu.Unlock()
			if errors.Is(err, accounts.ErrDenied) {
				checked++
			}
		})
	}
	if wg.Wait(); checked > 6 {
		t.Errorf("%d of 50 passwords at once were looked at", checked)
	}
}

func TestSessionsOfOneUserAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		var tokens []string
		for range 21 {
			tokens = append(tokens, d.login(t, "ann"))
			time.Sleep(time.Second)
		}
		lasting := 0
		for i, token := range tokens {
			_, ok := d.Person(token, accounts.ByHand)
			if ok {
				lasting++
			}
			if i == 0 && ok {
				t.Error("the oldest session is not the one that ended")
			}
		}
		if lasting != 20 {
			t.Errorf("%d sessions of one user", lasting)
		}
	})
}

func TestCookiesGoNowhereElse(t *testing.T) {
	for secure, want := range map[bool]string{
		true:  "__Host-concord=t; Path=/; Max-Age=43200; HttpOnly; Secure; SameSite=Lax",
		false: "concord=t; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax",
	} {
		d, w := accounts.Door{Secure: secure}, httptest.NewRecorder()
		d.Give(w, "t")
		got := w.Header().Get("Set-Cookie")
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Cookie", got[:strings.Index(got, ";")])
		if d.Token(r) != "t" {
			t.Error("the cookie is not found again")
		}
	}
}

func TestTheAddressIsTheOneThatCameToUs(t *testing.T) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.1:4000"
	r.Header.Add("X-Forwarded-For", "203.0.113.1, 203.0.113.2")
	if a := (accounts.Door{}).Address(r); a.String() != "192.0.2.1" {
		t.Errorf("without a proxy: %s", a)
	}
	if a := (accounts.Door{BehindProxy: true}).Address(r); a.String() != "203.0.113.2" {
		t.Errorf("behind a proxy: %s", a)
	}
	for written, want := range map[string]string{"203.0.113.9:40112": "203.0.113.9", "[2001:db8::1]:40112": "2001:db8::1"} {
		r.Header.Set("X-Forwarded-For", written)
		if a := (accounts.Door{BehindProxy: true}).Address(r); a.String() != want {
			t.Errorf("%s: %s", written, a) // else everybody is one address, and one who guesses makes all wait
		}
	}
	r.Header.Set("X-Forwarded-For", "nonsense")
	if a := (accounts.Door{BehindProxy: true}).Address(r); a.String() != "192.0.2.1" {
		t.Errorf("behind a proxy that says nothing: %s", a)
	}
}

// A right password is not made to wait for what others at its address got wrong
// before, and names that nobody has cost no memory.
func TestOthersAtAnAddressAreNotKeptOutForGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDoor(t)
		for range 16 {
			_, err := d.Login(t.Context(), "ann", "wrong", home)
			if w, is := errors.AsType[*accounts.WaitError](err); is {
				time.Sleep(w.For)
			}
		}
		time.Sleep(16 * time.Minute)
		for range 5 {
			if _, err := d.Login(t.Context(), "bob", password, home); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if _, err := d.Login(t.Context(), strings.Repeat("x", 1000), password, netip.MustParseAddr("192.0.2.99")); !errors.Is(err, accounts.ErrDenied) {
			t.Errorf("a long name: %v", err)
		}
	})
}
