package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/config"
)

// payload is the body of a message, which ALERTS.md describes.
type payload struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      data      `json:"data"`
}

type data struct {
	ID       string         `json:"id"`
	Kind     jobs.AlertKind `json:"kind"`
	Carrier  string         `json:"carrier,omitempty"`
	Job      string         `json:"job,omitempty"`
	Subject  string         `json:"subject"`
	Text     string         `json:"text"`
	Raised   time.Time      `json:"raised"`
	Resolved *time.Time     `json:"resolved,omitempty"`
}

// happened returns when what a message tells of happened.
func happened(m *jobs.Message) time.Time {
	if m.Alert.Resolved.IsZero() {
		return m.Alert.Raised
	}
	return m.Alert.Resolved
}

// body is the same at every attempt.
func body(m *jobs.Message) ([]byte, error) {
	a := &m.Alert
	p := payload{"alert.raised", happened(m).UTC(), data{a.ID, a.Kind, a.Carrier, a.Job, a.Subject, a.Text, a.Raised.UTC(), nil}}
	if !a.Resolved.IsZero() {
		at := a.Resolved.UTC()
		p.Type, p.Data.Resolved = "alert.resolved", &at
	}
	return json.Marshal(p)
}

// secretKey is what signs: the bytes of the secret, or those that it encodes
// when it has the prefix of Standard Webhooks.
func secretKey(secret string) []byte {
	if text, ok := strings.CutPrefix(secret, "whsec_"); ok {
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return b
		}
	}
	return []byte(secret)
}

func sign(secret, id, timestamp string, body []byte) string {
	h := hmac.New(sha256.New, secretKey(secret))
	h.Write([]byte(id + "." + timestamp + "."))
	h.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(h.Sum(nil))
}

const (
	// answerWithin is how long a receiver may take.
	answerWithin = 15 * time.Second
	// mostAnswer is how many bytes of its answer are read; it has no meaning.
	mostAnswer = 16 << 10
)

// soundClient keeps no connections, follows no redirect and does not wait for
// ever.
func soundClient() *http.Client {
	dial := net.Dialer{Timeout: answerWithin}
	return &http.Client{
		Timeout:       answerWithin,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, DialContext: dial.DialContext, TLSHandshakeTimeout: answerWithin,
			ResponseHeaderTimeout: answerWithin, DisableKeepAlives: true, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: mostAnswer,
		},
	}
}

// refusal is why a receiver has not taken a message. It never names the
// receiver, whose address is a secret.
type refusal struct {
	why string
	// down says that the next message would fare no better.
	down bool
	// after is how long the receiver asked to be left alone; 0: it did not.
	after time.Duration
}

// Error implements error.
func (r *refusal) Error() string { return r.why }

// post makes one attempt to deliver a message. What the receiver does is a
// *refusal.
func (d *Desk) post(ctx context.Context, to *config.Webhook, m *jobs.Message) error {
	b, err := body(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL.Reveal(), bytes.NewReader(b))
	if err != nil { // which would show the address
		return &refusal{why: "the address of the webhook cannot be used: correct alerts.webhook.url", down: true}
	}
	at := strconv.FormatInt(d.Now().Unix(), 10)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "concord")
	req.Header.Set("webhook-id", m.ID)
	req.Header.Set("webhook-timestamp", at)
	req.Header.Set("webhook-signature", sign(to.Secret.Reveal(), m.ID, at, b))
	res, err := d.client().Do(req)
	if err != nil {
		return &refusal{why: whyNot(err), down: true}
	}
	_, _ = io.CopyN(io.Discard, res.Body, mostAnswer) // it has answered
	_ = res.Body.Close()
	return judge(res)
}

func (d *Desk) client() *http.Client {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Client == nil {
		d.Client = soundClient()
	}
	return d.Client
}

// judge says what the answer of a receiver means.
func judge(res *http.Response) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	r := &refusal{why: fmt.Sprintf("it answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))}
	r.down = res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests
	if n, err := strconv.ParseUint(res.Header.Get("Retry-After"), 10, 16); err == nil && r.down {
		r.after = time.Duration(n) * time.Second
	}
	return r
}

// whyNot words an error of a connection without the address that is in it.
func whyNot(err error) string {
	var timeout interface{ Timeout() bool }
	switch {
	case errors.As(err, new(*tls.CertificateVerificationError)):
		return "its certificate cannot be verified"
	case errors.As(err, new(*net.DNSError)):
		return "its name cannot be resolved"
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Sprintf("it did not answer within %s", answerWithin)
	}
	return "it cannot be reached"
}
