package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"concord/jobs"
	"concord/jobs/accounts"
	"concord/jobs/control"
)

type handler struct {
	Options
	mux   *http.ServeMux
	pages map[string]*template.Template

	told     told          // what was done, for the page after it
	previews chan struct{} // bounds the samples that are looked at once
	checks   chan struct{} // has the chain of proofs looked through once at a time
}

// visit is one request of a person who is logged in.
type visit struct {
	*handler
	w     http.ResponseWriter
	r     *http.Request
	who   accounts.Person
	began bool // the answer has
}

// policy lets a browser load what is ours and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// Bounds of a request.
const (
	answerTime = 30 * time.Second
	maxBody    = 64 << 10 // bytes
)

// guarded refuses forms of other sites, and says in every answer what a browser
// must not do with it.
func (h *handler) guarded() http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.Log.Warn("a form of another site was refused", "address", h.Door.Address(r).String())
		h.plain(w, http.StatusForbidden, "This came from another site and was not done. Open the console and do it there.")
	}))
	inner := cross.Handler(h.mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer h.mend(w)
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		head.Set("Cache-Control", "no-store")
		if h.Door.Secure {
			head.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !strings.HasSuffix(r.URL.Path, previewPath) || h.Door.Token(r) == "" {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime)) // a recorder of tests has none
		inner.ServeHTTP(w, r)
	})
}

// mend answers for a request that met a defect.
func (h *handler) mend(w http.ResponseWriter) {
	p := recover()
	if p == http.ErrAbortHandler {
		panic(p)
	}
	if p != nil {
		h.Log.Error("a page met a defect of concord; please report it", "what", fmt.Sprintf("%T", p))
		h.plain(w, http.StatusInternalServerError, "This page met a defect of concord; please report it.")
	}
}

func (h *handler) plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text) // who has gone does not miss it
}

// refreshes reports whether a page asks on its own, and not a person.
func refreshes(r *http.Request) bool { return r.Header.Get("Concord-Refresh") != "" }

// answer answers a request for a route.
func (h *handler) answer(rt *route, w http.ResponseWriter, r *http.Request) {
	look := accounts.ByHand
	if refreshes(r) {
		look = accounts.ByItself
	}
	who, ok := h.Accounts.Person(h.Door.Token(r), look)
	if !ok {
		h.toLogin(w, r)
		return
	}
	v := &visit{handler: h, w: w, r: r, who: who}
	err := error(nil)
	if rt.right.Has(who.Role) {
		err = rt.do(v)
	} else {
		err = v.deny(rt.right)
	}
	if err != nil {
		v.fail(err)
	}
}

// toLogin sends a browser to the login, and then back to the page that it was on.
// What a form has sent is not done.
func (h *handler) toLogin(w http.ResponseWriter, r *http.Request) {
	q := url.Values{"to": {r.URL.RequestURI()}}
	if r.Method != http.MethodGet {
		q = url.Values{"to": {pageOf(r, r.Referer())}, "lost": {"1"}}
	}
	if r.Header.Get("Hx-Request") != "" { // which would show the login inside the page
		q.Set("to", pageOf(r, r.Header.Get("Hx-Current-Url")))
		w.Header().Set("Hx-Redirect", Root+"login?"+q.Encode())
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	http.Redirect(w, r, Root+"login?"+q.Encode(), http.StatusSeeOther)
}

// pageOf returns the path of the page of ours that a request was sent from.
func pageOf(r *http.Request, address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host != r.Host {
		return Root
	}
	return u.RequestURI()
}

// deny notes that somebody tried what the role may not.
func (v *visit) deny(right control.Right) error {
	what := v.r.Method + " " + strings.TrimPrefix(v.r.Pattern, v.r.Method+" ")
	v.Log.Warn("denied", "who", v.who.Name, "what", what)
	row := jobs.AuditRow{Time: v.Now().UTC(), Who: v.who.Name, What: "console.denied", Object: what, Detail: v.named()}
	if err := v.Note(context.WithoutCancel(v.r.Context()), row); err != nil {
		return err
	}
	return &control.Refusal{Kind: control.Forbidden, Text: fmt.Sprintf("The role %s may not do this; it takes %s.", v.who.Role, right.Roles())}
}

// named says what the address names, such as id=0198b1f0-…, with numbers
// masked.
func (v *visit) named() string {
	const most = 300 // bytes
	var parts []string
	for segment := range strings.SplitSeq(v.r.Pattern, "/") {
		if name, is := strings.CutPrefix(segment, "{"); is {
			name = strings.TrimRight(name, ".}")
			parts = append(parts, name+"="+jobs.Mask(v.r.PathValue(name)))
		}
	}
	text := strings.Join(parts, " ")
	return strings.ToValidUTF8(text[:min(len(text), most)], "")
}

var statuses = map[control.Kind]int{
	control.Invalid:     http.StatusBadRequest,
	control.NotFound:    http.StatusNotFound,
	control.Conflict:    http.StatusConflict,
	control.Paused:      http.StatusConflict,
	control.Forbidden:   http.StatusForbidden,
	control.Unavailable: http.StatusServiceUnavailable,
}

// fail answers with a page that says what went wrong. The text of an error that
// is no refusal is not shown.
func (v *visit) fail(err error) {
	if v.began {
		v.Log.Warn("an answer broke off", "who", v.who.Name, "error", err.Error())
		panic(http.ErrAbortHandler)
	}
	status, text := http.StatusInternalServerError, "This could not be done; the service's log says why."
	switch r, is := errors.AsType[*control.Refusal](err); {
	case is && statuses[r.Kind] != 0:
		status, text = statuses[r.Kind], r.Text
	case errors.Is(err, context.Canceled):
		status, text = http.StatusServiceUnavailable, "The service stops; try again later."
	default:
		v.Log.Error("a page failed", "who", v.who.Name, "path", v.r.Pattern, "error", err.Error())
	}
	if err := v.show(status, "error", "Not done", text); err != nil {
		v.plain(v.w, status, text)
	}
}

// view is what every page is given.
type view struct {
	Title string // the browser is told it with numbers masked: it keeps titles
	Path  string // of the page
	Ways  []way  // to all pages
	Near  []way  // to those of the same matter
	Who   accounts.Person
	Now   time.Time
	Can   rights
	Data  any
}

// rights are what the person may.
type rights struct{ Numbers, Settle, Operate, Administer bool }

func (v *visit) rights() rights {
	role := v.who.Role
	return rights{control.Numbers.Has(role), control.Settle.Has(role), control.Operate.Has(role), control.Administer.Has(role)}
}

// page shows a page.
func (v *visit) page(name, title string, data any) error {
	return v.show(http.StatusOK, name, title, data)
}

func (v *visit) show(status int, name, title string, data any) error {
	ways, near := v.ways()
	return v.write(v.w, status, name, view{Title: title, Path: v.r.URL.Path, Ways: ways, Near: near, Who: v.who, Now: v.Now().UTC(), Can: v.rights(), Data: data})
}

// write sends a page that is whole.
func (h *handler) write(w http.ResponseWriter, status int, name string, x view) error {
	var b bytes.Buffer
	if err := h.pages[name].ExecuteTemplate(&b, "layout", x); err != nil {
		return fmt.Errorf("make the page %s: %w", name, err)
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w) // who has gone does not miss it
	return nil
}

// by names the person for the desk.
func (v *visit) by() control.By { return control.By(v.who.Name) }

// to sends the browser on after something was done, so that a reload does not
// do it again.
func (v *visit) to(path string) error {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// up sends a browser that opens the address of a form to the page with the form.
func (v *visit) up() error { return v.to(path.Dir(v.r.URL.EscapedPath())) }

// hurry gives the browser some time for what comes next.
func (v *visit) hurry() {
	_ = http.NewResponseController(v.w).SetWriteDeadline(time.Now().Add(answerTime)) // a recorder of tests has none
}
