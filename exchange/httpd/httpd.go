// Package httpd is the exchange with carriers over HTTP: the same home as over
// SFTP, with the same claim and the same receipts. exchange/PROTOCOL.md is for
// carriers, openapi.yaml its contract.
//
// A carrier is known by a token, and sees nothing but its own home. A token
// that is wrong, too old or missing is answered in the same way, so that not
// even names of carriers can be found out. An upload is staged under a name
// that nobody takes, and gets its own once length and digest agree: what is
// broken off leaves nothing.
package httpd

import (
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"concord/exchange/landing"
)

// Account is one carrier.
type Account struct {
	Name string
	Home *landing.Home
}

// Accounts knows carriers by the SHA-256 of a token that holds now.
type Accounts interface {
	ByToken(sum [sha256.Size]byte) (Account, bool)
}

// Event is told of each request that moved a file or was refused.
type Event struct {
	Act     Act
	Carrier string // empty before the token was known
	Address string
	Name    string // of the file, as the client wrote it
	Bytes   int64
	Why     string // of a refusal or fault
}

// Act is what an Event is about.
type Act string

// Acts.
const (
	ActUpload   Act = "upload"
	ActDownload Act = "download"
	ActRemove   Act = "remove"
	ActRows     Act = "rows"
	ActRefused  Act = "refused"
	ActFault    Act = "fault"
)

// Options are what a handler works with. Accounts is required.
type Options struct {
	Accounts Accounts
	Audit    func(Event)      // nil: nobody is told
	Now      func() time.Time // nil: time.Now
	// Idle is how long a client may send or take nothing [30 s].
	Idle time.Duration
	// Rate is how many requests a second a carrier may make, after a burst of
	// four times as many [20].
	Rate float64
	// Failures is how many wrong tokens an address may show in a minute [10].
	Failures int
	// Uploads is how many of one carrier may go on at once [8].
	Uploads int
	// Rows takes rows that are posted; nil: none are taken.
	Rows Rows
	// RowRate is how many rows a second a carrier may post, after a burst of
	// twenty times as many [200].
	RowRate float64
}

// Handler returns what answers requests below /carrier/v1. Its http.Server
// needs limits of its own for what comes before a request is there.
func Handler(o Options) http.Handler {
	o.Idle, o.Rate = cmp.Or(o.Idle, 30*time.Second), cmp.Or(o.Rate, 20)
	o.Failures, o.Uploads = cmp.Or(o.Failures, 10), cmp.Or(o.Uploads, 8)
	o.RowRate = cmp.Or(o.RowRate, 200)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Audit == nil {
		o.Audit = func(Event) {}
	}
	h := &handler{
		Options: o, mux: http.NewServeMux(), uploading: map[string]int{},
		carriers: newLimits(o.Rate, max(1, int(4*o.Rate))), strangers: newLimits(float64(o.Failures)/60, o.Failures),
		rows: newLimits(o.RowRate, max(1, int(20*o.RowRate))),
	}
	for pattern, do := range map[string]func(*call) error{
		"GET /carrier/v1":                     (*call).account,
		"GET /carrier/v1/{folder}":            (*call).list,
		"GET /carrier/v1/{folder}/{name...}":  (*call).download,
		"PUT /carrier/v1/inbox/{name}":        (*call).upload,
		"DELETE /carrier/v1/outbox/{name...}": (*call).remove,
		"POST /carrier/v1/rows":               (*call).post,
	} {
		h.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { h.answer(w, r, do) })
	}
	h.mux.HandleFunc("GET /carrier/openapi.yaml", document)
	return h
}

type handler struct {
	Options
	mux       *http.ServeMux
	carriers  *limits // by name
	strangers *limits // by address, of those whose token is wrong
	rows      *limits // by name, of rows that are posted
	posting   keyed

	mu        sync.Mutex
	uploading map[string]int // by carrier
}

// call is one request of a carrier.
type call struct {
	*handler
	Account
	w    http.ResponseWriter
	r    *http.Request
	s    *landing.Session
	name string // of the file, for the audit
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Cache-Control", "no-store")
	head.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.mux.ServeHTTP(w, r)
}

// answer lets a carrier in and does what it asks for.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, do func(*call) error) {
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(h.Idle)) // of a body that nobody asked for, too
	a, err := h.admit(r)
	c := &call{handler: h, Account: a, w: w, r: r}
	if err == nil {
		c.s = a.Home.Session()
		defer c.s.End()
		err = do(c)
	}
	if err == nil {
		return
	}
	p := problemOf(err)
	if r.Context().Err() == nil || p.Status < 500 {
		c.audit(ActRefused, 0, p.Detail)
	}
	if p.Status >= 500 {
		c.audit(ActFault, 0, err.Error())
	}
	p.write(w)
}

func (c *call) audit(act Act, n int64, why string) {
	c.Audit(Event{Act: act, Carrier: c.Account.Name, Address: address(c.r), Name: c.name, Bytes: n, Why: why})
}

// errStranger is the one answer to whoever has no token that holds.
var errStranger = &problem{Status: http.StatusUnauthorized, Title: "a token is needed", Detail: "send Authorization: Bearer with the token that was agreed upon"}

// admit finds out who asks. Who has shown too many wrong tokens is not even
// looked at, unless the token is right.
func (h *handler) admit(r *http.Request) (Account, error) {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if ok && token != "" {
		if a, ok := h.Accounts.ByToken(sha256.Sum256([]byte(token))); ok {
			if wait := h.carriers.take(a.Name, 1, h.Now()); wait > 0 {
				return a, tooMany(wait)
			}
			return a, nil
		}
	}
	if wait := h.strangers.take(address(r), 1, h.Now()); wait > 0 {
		return Account{}, tooMany(wait)
	}
	return Account{}, errStranger
}

// address is that of the client, without its port.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// account says who the token is of, and what may still come.
func (c *call) account() error {
	s := c.Home.Space()
	return c.json(http.StatusOK, map[string]any{
		"carrier": c.Account.Name,
		"quota":   map[string]int64{"bytes": s.Bytes, "free_bytes": s.FreeBytes, "files": s.Files, "free_files": s.FreeFiles},
	})
}

// file is one line of a list.
type file struct {
	Name  string    `json:"name"`
	Bytes int64     `json:"bytes"`
	Time  time.Time `json:"time"`
	// Folder says that it is one.
	Folder bool `json:"folder,omitempty"`
}

// list says what is in a folder.
func (c *call) list() error { return c.listOf(c.r.PathValue("folder")) }

func (c *call) listOf(folder string) error {
	infos, err := c.s.List("/" + folder)
	if err != nil {
		return err
	}
	files := make([]file, 0, len(infos))
	for _, i := range infos {
		files = append(files, file{Name: i.Name(), Bytes: i.Size(), Time: i.ModTime().UTC(), Folder: i.IsDir()})
	}
	return c.json(http.StatusOK, map[string]any{"files": files})
}

func (c *call) json(code int, v any) error {
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(code)
	_ = json.NewEncoder(c.w).Encode(v) // who has gone need not be told
	return nil
}

// download sends a file, or what a folder below the first one holds. Parts of
// it can be asked for.
func (c *call) download() error {
	name := c.r.PathValue("folder") + "/" + c.r.PathValue("name")
	c.name = "/" + name
	info, err := c.s.Stat("/" + name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return c.listOf(strings.TrimSuffix(name, "/"))
	}
	f, err := c.s.Open("/" + name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	c.w.Header().Set("Content-Type", contentType(name))
	c.w.Header().Set("Content-Disposition", "attachment")
	out := &patient{ResponseWriter: c.w, idle: c.Idle}
	http.ServeContent(out, c.r, "", info.ModTime(), f)
	if c.r.Method == http.MethodGet && out.code < 400 {
		c.audit(ActDownload, out.n, "")
	}
	return nil
}

func contentType(name string) string {
	switch {
	case strings.HasSuffix(name, ".json"):
		return "application/json"
	case strings.HasSuffix(name, ".csv"):
		return "text/csv; charset=utf-8"
	}
	return "application/octet-stream"
}

// remove takes away what the carrier has fetched.
func (c *call) remove() error {
	c.name = strings.TrimPrefix(c.r.URL.Path, "/carrier/v1")
	if err := c.s.Remove(c.name); err != nil {
		return err
	}
	c.audit(ActRemove, 0, "")
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

//go:embed openapi.yaml
var openapi []byte

func document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(openapi) // who has gone need not be told
}

// problemOf says what a client is told of an error.
func problemOf(err error) *problem {
	var p *problem
	var known *landing.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, context.Canceled):
		return &problem{Status: statusGone, Title: "the client has gone"}
	case !errors.As(err, &known):
		return &problem{Status: http.StatusInternalServerError, Title: "a defect of the server", Detail: "nothing was taken; try again later"}
	}
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		status = http.StatusNotFound
	case errors.Is(err, fs.ErrExist), errors.Is(err, landing.ErrBusy):
		status = http.StatusConflict
	case errors.Is(err, fs.ErrPermission), errors.Is(err, fs.ErrInvalid):
		status = http.StatusForbidden
	case errors.Is(err, landing.ErrQuota):
		status = http.StatusInsufficientStorage
	}
	return &problem{Status: status, Title: http.StatusText(status), Detail: known.Text}
}
