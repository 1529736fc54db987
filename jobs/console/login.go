package console

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"concord/jobs/accounts"
)

// loginForm is what the login shows.
type loginForm struct {
	Name, To, Problem string
	Ended             string // why somebody is here who was logged in
	Away              string // the address of the login by the provider; empty: there is none
}

func (h *handler) loginPage(w http.ResponseWriter, r *http.Request) {
	f := loginForm{To: r.URL.Query().Get("to")}
	if r.URL.Query().Get("lost") != "" {
		f.Ended = "Your session has ended, and what you sent was not done. Log in to get back to the page that you sent it from."
	}
	h.showLogin(w, http.StatusOK, f)
}

func (h *handler) showLogin(w http.ResponseWriter, status int, f loginForm) {
	f.To = inside(f.To)
	if h.Accounts.ByProvider() {
		f.Away = Root + "oidc?" + url.Values{"to": {f.To}}.Encode()
	}
	if err := h.write(w, status, "login", view{Title: "Log in", Data: f}); err != nil {
		h.Log.Error("the login cannot be shown", "error", err.Error())
		h.plain(w, http.StatusInternalServerError, "The login cannot be shown; the service's log says why.")
	}
}

// inside returns a path of the console to go to; whatever leads elsewhere leads
// to the overview.
func inside(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, Root) || strings.ContainsAny(to, "\\\r\n\t") ||
		strings.HasPrefix(u.Path, Root+"log") || strings.HasPrefix(u.Path, Root+"oidc") {
		return Root
	}
	return u.RequestURI()
}

func (h *handler) login(w http.ResponseWriter, r *http.Request) {
	f := loginForm{Name: r.PostFormValue("name"), To: r.PostFormValue("to")}
	token, err := h.Accounts.Login(r.Context(), f.Name, r.PostFormValue("password"), h.Door.Address(r))
	h.admit(w, r, f, token, err)
}

// away sends a browser to the provider of identities.
func (h *handler) away(w http.ResponseWriter, r *http.Request) {
	address, errand, err := h.Accounts.Send(r.Context(), inside(r.URL.Query().Get("to")))
	if err != nil {
		h.admit(w, r, loginForm{}, "", err)
		return
	}
	h.Door.SendAway(w, errand)
	http.Redirect(w, r, address, http.StatusSeeOther)
}

// back takes a browser that comes from the provider of identities.
func (h *handler) back(w http.ResponseWriter, r *http.Request) {
	errand := h.Door.WelcomeBack(w, r)
	token, err := h.Accounts.Return(r.Context(), errand, r.URL.Query(), h.Door.Address(r))
	h.admit(w, r, loginForm{To: errand.To}, token, err)
}

// admit lets somebody in, or says why not.
func (h *handler) admit(w http.ResponseWriter, r *http.Request, f loginForm, token string, err error) {
	wait, waits := errors.AsType[*accounts.WaitError](err)
	denied, unknown := errors.AsType[*accounts.DeniedError](err)
	switch {
	case err == nil:
		if err := h.Accounts.Logout(r.Context(), h.Door.Token(r), h.Door.Address(r)); err != nil { // of who was here before
			h.Log.Error("a logout could not be noted", "error", err.Error())
		}
		h.Door.Give(w, token)
		http.Redirect(w, r, inside(f.To), http.StatusSeeOther)
	case unknown:
		f.Problem = denied.Text
		h.showLogin(w, http.StatusUnauthorized, f)
	case waits:
		w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.For.Seconds()))))
		f.Problem = "Too many wrong passwords. Try again in " + strconv.Itoa(int(math.Ceil(wait.For.Seconds()))) + " s."
		h.showLogin(w, http.StatusTooManyRequests, f)
	case errors.Is(err, accounts.ErrDenied):
		f.Problem = "The name or the password is wrong."
		h.showLogin(w, http.StatusUnauthorized, f)
	default:
		h.Log.Error("a login failed", "error", err.Error())
		f.Problem = "Nobody can log in at the moment; the service's log says why."
		h.showLogin(w, http.StatusInternalServerError, f)
	}
}

func (h *handler) logout(w http.ResponseWriter, r *http.Request) {
	if err := h.Accounts.Logout(r.Context(), h.Door.Token(r), h.Door.Address(r)); err != nil {
		h.Log.Error("a logout could not be noted", "error", err.Error())
	}
	h.Door.Take(w)
	http.Redirect(w, r, Root+"login", http.StatusSeeOther)
}
