package accounts

import (
	"net/http"
	"net/netip"
	"strings"
)

// Door says how browsers reach the service.
type Door struct {
	// Secure is set unless the service is reached in clear over loopback.
	Secure bool
	// BehindProxy believes the last address of X-Forwarded-For: that is who
	// came to the server in front.
	BehindProxy bool
}

// cookie is the name of the cookie that holds a token. With __Host- a browser
// takes it only from here, over TLS.
func (d Door) cookie() string {
	if d.Secure {
		return "__Host-concord"
	}
	return "concord"
}

// Token returns the token that a browser has sent; "" for none.
func (d Door) Token(r *http.Request) string {
	c, err := r.Cookie(d.cookie())
	if err != nil {
		return ""
	}
	return c.Value
}

// Give has a browser keep a token until its session ends at the latest. Links
// from elsewhere lead in with it; forms from elsewhere do not.
func (d Door) Give(w http.ResponseWriter, token string) {
	d.set(w, token, int(Absolute.Seconds()))
}

// Take has a browser forget its token.
func (d Door) Take(w http.ResponseWriter) { d.set(w, "", -1) }

func (d Door) set(w http.ResponseWriter, token string, age int) { d.keep(w, d.cookie(), token, age) }

func (d Door) keep(w http.ResponseWriter, name, value string, age int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: value, Path: "/", MaxAge: age,
		HttpOnly: true, Secure: d.Secure, SameSite: http.SameSiteLaxMode,
	})
}

// SendAway has a browser keep what it is to bring back from the provider.
func (d Door) SendAway(w http.ResponseWriter, e Errand) {
	d.keep(w, d.cookie()+"-oidc", e.text(), int(errandTime.Seconds()))
}

// WelcomeBack returns what the browser was sent away with, and has it forget
// that: it is good for one return.
func (d Door) WelcomeBack(w http.ResponseWriter, r *http.Request) Errand {
	name := d.cookie() + "-oidc"
	c, err := r.Cookie(name)
	if err != nil {
		return Errand{}
	}
	d.keep(w, name, "", -1)
	return errandOf(c.Value)
}

// Address returns who sends a request.
func (d Door) Address(r *http.Request) netip.Addr {
	if d.BehindProxy {
		list := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		last := strings.TrimSpace(list[len(list)-1])
		if a, err := netip.ParseAddr(last); err == nil {
			return a
		}
		if a, err := netip.ParseAddrPort(last); err == nil { // as some proxies write it
			return a.Addr()
		}
	}
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.IPv4Unspecified()
	}
	return at.Addr()
}
