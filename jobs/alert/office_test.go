package alert_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"concord/jobs/alert"
	"concord/jobs/config"
	"concord/jobs/state"

	"github.com/google/go-cmp/cmp"
)

const (
	hookURL = "https://hooks.example.com/services/T0KEN"
	// The secret is the example of the specification's libraries.
	hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	canary     = "+4930987654321"
)

// receiver stands for the program that is told. It checks every signature.
type receiver struct {
	t      *testing.T
	secret []byte
	mu     sync.Mutex
	answer func(n int, header http.Header) (int, error) // n: of the post, from 0
	posts  []post
	bodies []string
}

type post struct {
	ID, Type, Subject string
	At                time.Time
}

func newReceiver(t *testing.T) *receiver {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(hookSecret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	return &receiver{t: t, secret: key, answer: func(int, http.Header) (int, error) { return http.StatusNoContent, nil }}
}

// verify checks a post as the specification of Standard Webhooks tells
// receivers to.
func (r *receiver) verify(h http.Header, body []byte) {
	mac := hmac.New(sha256.New, r.secret)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), h.Get("webhook-timestamp"), body)
	version, given, _ := strings.Cut(h.Get("webhook-signature"), ",")
	raw, err := base64.StdEncoding.DecodeString(given)
	if version != "v1" || err != nil || !hmac.Equal(raw, mac.Sum(nil)) {
		r.t.Errorf("signature %q does not fit", h.Get("webhook-signature"))
	}
	if sec, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64); err != nil || time.Since(time.Unix(sec, 0)).Abs() > time.Minute {
		r.t.Errorf("timestamp %q is not that of the attempt", h.Get("webhook-timestamp"))
	}
}

// RoundTrip implements http.RoundTripper.
func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	r.verify(req.Header, body)
	var m struct {
		Type string
		Data struct{ Subject string }
	}
	if err := json.Unmarshal(body, &m); err != nil {
		r.t.Error(err)
	}
	r.posts = append(r.posts, post{req.Header.Get("webhook-id"), m.Type, m.Data.Subject, time.Now()})
	r.bodies = append(r.bodies, string(body))
	header := http.Header{}
	code, err := r.answer(len(r.posts)-1, header)
	if err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: code, Header: header, Body: io.NopCloser(strings.NewReader("secret answer")), Request: req}, nil
}

func (r *receiver) got() []post {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]post(nil), r.posts...)
}

// office is a desk on virtual time that delivers.
type office struct {
	*testing.T
	store    *state.Store
	desk     *alert.Desk
	receiver *receiver
	config   config.Config
	log      bytes.Buffer
	ok, bad  int
	stop     func()
}

func newOffice(t *testing.T) *office {
	o := &office{T: t, receiver: newReceiver(t)}
	o.config.Carriers = []*config.Carrier{{Name: "fabrikam"}}
	o.config.Webhook = &config.Webhook{URL: hookURL, Secret: hookSecret}
	o.start(t.TempDir())
	return o
}

// start starts a service on a folder; stop ends it.
func (o *office) start(folder string) {
	o.Helper()
	ctx, cancel := context.WithCancel(o.Context())
	store, err := state.Open(ctx, folder)
	if err != nil {
		o.Fatal(err)
	}
	o.store = store
	o.desk = &alert.Desk{
		State: store, Config: func() *config.Config { return &o.config }, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(&o.log, nil)), Client: &http.Client{Transport: o.receiver},
		Delivered: func(ok bool) {
			if ok {
				o.ok++
			} else {
				o.bad++
			}
		},
	}
	var wg sync.WaitGroup
	wg.Go(func() { o.desk.Deliver(ctx) })
	o.stop = func() {
		cancel()
		wg.Wait()
		if err := store.Close(); err != nil {
			o.Error(err)
		}
	}
}

func (o *office) down(failures int) {
	var err error
	if failures > 0 {
		err = errors.New("no route to host")
	}
	o.desk.Visited(o.Context(), "fabrikam", alert.CarriersHost, failures, err)
}

// posts compares what arrived, of which each has its type and subject.
func (o *office) posts(want ...string) {
	o.Helper()
	synctest.Wait()
	var got []string
	for _, p := range o.receiver.got() {
		got = append(got, p.Type+" "+p.Subject)
	}
	if d := cmp.Diff(want, got); d != "" {
		o.Error(d)
	}
}

// pass lets time pass, in which whoever waits for it does what is to be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}
