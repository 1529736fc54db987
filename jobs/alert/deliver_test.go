package alert_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"concord/jobs"
	"concord/jobs/alert"
	"concord/jobs/config"

	"github.com/google/go-cmp/cmp"
)

func TestAnAlertIsPostedOnceAndAgainWhenItIsResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.down(3)
		pass(time.Millisecond) // woken, not by the clock
		o.posts("alert.raised fabrikam")
		o.down(4)
		pass(time.Hour)
		o.down(0)
		pass(time.Millisecond)
		o.posts("alert.raised fabrikam", "alert.resolved fabrikam")
		pass(2 * time.Hour)
		o.posts("alert.raised fabrikam", "alert.resolved fabrikam")
		if o.ok != 2 || o.bad != 0 {
			t.Error(o.ok, o.bad)
		}
	})
}

func TestTheBodyIsAsItIsDocumented(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.down(3)
		pass(90 * time.Second)
		o.down(0)
		pass(time.Second)
		list, err := o.store.Alerts(t.Context(), jobs.AlertFilter{})
		if err != nil || len(list) != 1 || len(o.receiver.bodies) != 2 {
			t.Fatal(list, err, o.receiver.bodies)
		}
		a := list[0]
		word, err := json.Marshal(a.Text)
		if err != nil {
			t.Fatal(err)
		}
		data := fmt.Sprintf(`{"id":"%s","kind":"host","carrier":"fabrikam","subject":"fabrikam","text":%s,"raised":"2000-01-01T00:00:00Z"`, a.ID, word)
		want := []string{
			`{"type":"alert.raised","timestamp":"2000-01-01T00:00:00Z","data":` + data + `}}`,
			`{"type":"alert.resolved","timestamp":"2000-01-01T00:01:30Z","data":` + data + `,"resolved":"2000-01-01T00:01:30Z"}}`,
		}
		if d := cmp.Diff(want, o.receiver.bodies); d != "" {
			t.Error(d)
		}
	})
}

func TestAReceiverThatFailsTenTimes(t *testing.T) {
	for name, fails := range map[string]func(http.Header) (int, error){
		"out of order":  func(http.Header) (int, error) { return 500, nil },
		"gone":          func(http.Header) (int, error) { return 410, nil },
		"not permitted": func(http.Header) (int, error) { return 403, nil },
		"moved":         func(h http.Header) (int, error) { h.Set("Location", hookURL+"2"); return 304, nil },
		"unreachable":   func(http.Header) (int, error) { return 0, errors.New("dial " + hookURL) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				o := newOffice(t)
				defer o.stop()
				o.receiver.answer = func(n int, h http.Header) (int, error) {
					if n < 10 {
						return fails(h)
					}
					return 200, nil
				}
				o.down(3)
				o.down(0) // the end waits for the beginning
				pass(3 * time.Hour)
				o.growing(o.receiver.got())
				if o.ok != 2 || o.bad != 10 {
					t.Errorf("%d posts were taken, %d were not", o.ok, o.bad)
				}
				if s := o.log.String(); strings.Contains(s, "hooks.example.com") || strings.Contains(s, "secret answer") {
					t.Error(s)
				}
			})
		})
	}
}

// growing checks that one message was tried eleven times, ever more patiently,
// and that the next one followed.
func (o *office) growing(posts []post) {
	o.Helper()
	if len(posts) != 12 {
		o.Fatalf("%d posts: %v", len(posts), posts)
	}
	for i, p := range posts[:11] {
		if p.ID != posts[0].ID || p.Type != "alert.raised" {
			o.Errorf("post %d: %+v", i, p)
		}
		if i == 0 {
			continue
		}
		wait, least := p.At.Sub(posts[i-1].At), max(10*time.Second, min(time.Hour, 10*time.Second<<(i-1))*3/4)
		if wait < least || wait > time.Hour+10*time.Second {
			o.Errorf("attempt %d after %s, at least %s", i+1, wait, least)
		}
	}
	if last := posts[11]; last.Type != "alert.resolved" || last.ID == posts[0].ID || last.At.Sub(posts[10].At) > time.Second {
		o.Errorf("%+v", last)
	}
}

func TestAReceiverIsLeftAloneAsLongAsItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.receiver.answer = func(n int, h http.Header) (int, error) {
			h.Set("Retry-After", "1800")
			return []int{429, 200}[min(n, 1)], nil
		}
		o.down(3)
		pass(29 * time.Minute)
		o.posts("alert.raised fabrikam")
		pass(2 * time.Minute)
		o.posts("alert.raised fabrikam", "alert.raised fabrikam")
	})
}

// One message that a receiver does not like keeps no other back.
func TestOneMessageThatIsRefusedKeepsNoOtherBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.receiver.answer = func(n int, _ http.Header) (int, error) { return []int{400, 200}[min(n, 1)], nil }
		for _, name := range []string{"a.csv", "b.csv", "c.csv"} {
			e := rejected(name, "broken", nil)
			e.Carrier = "fabrikam"
			o.desk.Decided(t.Context(), e)
		}
		pass(5 * time.Second)
		o.posts("alert.raised a.csv", "alert.raised b.csv", "alert.raised c.csv")
		pass(15 * time.Second)
		o.posts("alert.raised a.csv", "alert.raised b.csv", "alert.raised c.csv", "alert.raised a.csv")
	})
}

func TestARestartLosesNoMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{T: t, receiver: newReceiver(t)}
		o.config.Carriers = []*config.Carrier{{Name: "fabrikam"}}
		o.config.Webhook = &config.Webhook{URL: hookURL, Secret: hookSecret}
		o.receiver.answer = func(int, http.Header) (int, error) { return 503, nil }
		folder := t.TempDir()
		o.start(folder)
		o.down(3)
		pass(time.Minute)
		o.down(0)
		o.stop()
		before := o.receiver.got()
		o.receiver.answer = func(int, http.Header) (int, error) { return 200, nil }
		pass(10 * 24 * time.Hour)
		o.start(folder)
		defer o.stop()
		pass(time.Minute)
		posts := o.receiver.got()[len(before):]
		if len(posts) != 2 || posts[0].ID != before[0].ID || posts[0].Type != "alert.raised" || posts[1].Type != "alert.resolved" {
			t.Errorf("%+v after %+v", posts, before)
		}
	})
}

func TestAMessageIsGivenUpAfterThreeDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.receiver.answer = func(int, http.Header) (int, error) { return 500, nil }
		o.down(3)
		pass(71 * time.Hour)
		if due, err := o.store.Messages(t.Context(), time.Now().Add(time.Hour), 0); err != nil || len(due) != 1 {
			t.Fatal(due, err)
		}
		pass(3 * time.Hour)
		if due, err := o.store.Messages(t.Context(), time.Now().Add(24*time.Hour), 0); err != nil || len(due) != 0 {
			t.Fatal(due, err)
		}
		if s := o.log.String(); !strings.Contains(s, "level=ERROR") || !strings.Contains(s, "not posted again") {
			t.Error(s)
		}
	})
}

func TestWithoutAWebhookTheLogIsAllThereIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.config.Webhook = nil
		o.down(3)
		pass(time.Minute)
		if due, err := o.store.Messages(t.Context(), time.Now(), 0); err != nil || len(due) != 0 {
			t.Fatal(due, err)
		}
		if s := o.log.String(); !strings.Contains(s, "what=raised kind=host carrier=fabrikam") || !strings.Contains(s, "there is no webhook") {
			t.Error(s)
		}
		o.posts()
	})
}

// What others word may be worded badly one day: no number leaves the house.
func TestNoPhoneNumberLeavesTheHouse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := newOffice(t)
		defer o.stop()
		o.receiver.answer = func(n int, _ http.Header) (int, error) {
			if n == 0 {
				return 0, errors.New("refused by " + canary)
			}
			return 200, nil
		}
		e := rejected("a.csv", "the caller "+canary+" is no number", nil)
		e.Carrier = "fabrikam"
		o.desk.Decided(t.Context(), e)
		o.desk.RunEnded(t.Context(), jobs.Run{ID: "r", Job: "daily", Carrier: "fabrikam", Error: "find sip:" + canary[1:] + "@example.com"}, true, true)
		o.desk.Visited(t.Context(), "fabrikam", alert.CarriersHost, 3, errors.New("get "+canary+".csv"))
		pass(time.Hour)
		if len(o.receiver.bodies) < 4 {
			t.Fatal(o.receiver.bodies)
		}
		if all := strings.Join(o.receiver.bodies, "\n") + o.log.String(); strings.Contains(all, canary[1:]) {
			t.Error(all)
		}
	})
}

// A receiver on a real socket: what it answers is bounded, and where it points
// to is not followed.
func TestTheOwnClient(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		ok     bool
	}{
		"taken":             {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(202) }, true},
		"an endless answer": {endless, true},
		"sent somewhere else": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, false},
		"cut off": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			var paths []string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				paths = append(paths, r.URL.Path)
				c.answer(w, r)
			}))
			defer server.Close()
			w := newWorld(t, "2026-10-02T05:00:00Z")
			w.config.Webhook = &config.Webhook{URL: config.Secret(server.URL + "/hidden"), Secret: "0123456789abcdef"}
			ctx, cancel := context.WithCancel(t.Context())
			var got []bool
			w.desk.Delivered = func(ok bool) { got = append(got, ok); cancel() }
			w.desk.Visited(t.Context(), "fabrikam", alert.CarriersHost, 3, errState)
			w.desk.Deliver(ctx)
			server.Close()
			if d := cmp.Diff([]bool{c.ok}, got); d != "" {
				t.Error(d)
			}
			if d := cmp.Diff([]string{"/hidden"}, paths); d != "" {
				t.Error(d)
			}
			if s := w.log.String(); strings.Contains(s, "hidden") || strings.Contains(s, server.URL) || strings.Contains(s, server.Listener.Addr().String()) {
				t.Error(s)
			}
			left, err := w.store.Messages(t.Context(), w.now.Add(2*time.Hour), 0)
			if err != nil || (len(left) == 0) != c.ok {
				t.Errorf("%+v %v", left, err)
			}
		})
	}
}

// endless answers until nobody listens.
func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := w.Write(make([]byte, 1<<16)); err != nil {
			return
		}
	}
}
