package config

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"concord/formats/yamltree"
)

const (
	defaultSFTP = "0.0.0.0:2022"
	defaultHTTP = "127.0.0.1:8022"
	day         = 24 * time.Hour
)

func (r *reader) sftp(y *yamltree.Node) {
	if !y.IsObject("{listen: " + defaultSFTP + "}") {
		return
	}
	s := &r.c.SFTP.Settings
	set := map[string]func(*yamltree.Node){
		"listen": func(y *yamltree.Node) { r.c.SFTP.Listen = listen(y, defaultSFTP) },
	}
	for name, to := range map[string]*time.Duration{
		"handshake": &s.Handshake, "idle": &s.Idle, "keepalive": &s.Keepalive, "drain": &s.Drain, "ban": &s.Ban,
	} {
		set[name] = func(y *yamltree.Node) { *to = lasting(y, "30s", day) }
	}
	for name, to := range map[string]*int{
		"waiting": &s.Waiting, "waiting_per_address": &s.WaitingPerAddress, "connections": &s.Connections,
		"channels": &s.Channels, "sessions": &s.Sessions, "handles": &s.Handles, "failures": &s.Failures,
	} {
		set[name] = func(y *yamltree.Node) { *to = int(y.Whole(1, 100_000)) }
	}
	y.Each(set)
}

func (r *reader) http(y *yamltree.Node) {
	if !y.IsObject("{listen: \"" + defaultHTTP + "\"}") {
		return
	}
	h := &r.c.HTTP
	y.Each(map[string]func(*yamltree.Node){
		"listen":       func(y *yamltree.Node) { h.Listen = listen(y, defaultHTTP) },
		"behind_proxy": func(y *yamltree.Node) { h.BehindProxy = y.Boolean() },
		"tls":          func(y *yamltree.Node) { r.tls(y, &h.TLS) },
		"tokens":       r.tokens,
	})
	checkClear(y, h.Listen, h.BehindProxy)
}

// checkClear reports a server whose tokens would travel in clear.
func checkClear(y *yamltree.Node, listen string, behindProxy bool) {
	if listen != "" && !loopback(listen) && !y.Has("tls") && !behindProxy {
		y.ReportAt("listen", "%s can be reached from outside, and tokens would travel in clear; add tls, or behind_proxy: true when another server speaks TLS in front, or listen on 127.0.0.1", listen)
	}
}

// carrierHTTP reads the server for carriers that use HTTP.
func (r *reader) carrierHTTP(y *yamltree.Node) {
	if !y.IsObject("{listen: \"0.0.0.0:8443\", tls: {cert: …, key: …}}") {
		return
	}
	h := &r.c.CarrierHTTP
	y.Each(map[string]func(*yamltree.Node){
		"listen":       func(y *yamltree.Node) { h.Listen = listen(y, "0.0.0.0:8443") },
		"behind_proxy": func(y *yamltree.Node) { h.BehindProxy = y.Boolean() },
		"tls":          func(y *yamltree.Node) { r.tls(y, &h.TLS) },
	})
	if !y.Has("listen") {
		y.ReportAt("listen", "required: say where, such as 0.0.0.0:8443, or none")
	}
	checkClear(y, h.Listen, h.BehindProxy)
}

// listen returns an address to listen on; "" for none.
func listen(y *yamltree.Node, example string) string {
	s, ok := y.Word(example)
	if !ok || s == "none" {
		return ""
	}
	host, port, err := net.SplitHostPort(s)
	if _, bad := strconv.ParseUint(port, 10, 16); err != nil || bad != nil || strings.ContainsAny(host, " /@") {
		y.Report("%q is no address; write host:port with the host's own address, such as %s, or none", s, example)
		return ""
	}
	return s
}

// loopback reports whether only this machine reaches an address.
func loopback(address string) bool {
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// clash reports whether two addresses cannot both be listened on.
func clash(a, b string) bool {
	hostA, portA, _ := net.SplitHostPort(a)
	hostB, portB, _ := net.SplitHostPort(b)
	return b != "" && portA == portB && portA != "0" && (hostA == hostB || everywhere(hostA) || everywhere(hostB))
}

func everywhere(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// tls reads a certificate and its key.
func (r *reader) tls(y *yamltree.Node, to **tls.Certificate) {
	if !y.IsObject("{cert: tls/concord.crt, key: tls/concord.key}") {
		return
	}
	var parts [2][]byte
	read := func(i int, p privacy, example string) func(*yamltree.Node) {
		return func(y *yamltree.Node) {
			typed, ok := y.Word(example)
			if !ok {
				return
			}
			b, err := readFile(r.path(typed), maxFile, p)
			if err != nil {
				y.Report("%s: %v", typed, err)
			}
			parts[i] = b
		}
	}
	y.Each(map[string]func(*yamltree.Node){
		"cert": read(0, public, "tls/concord.crt"),
		"key":  read(1, private, "tls/concord.key"),
	})
	for _, name := range []string{"cert", "key"} {
		if !y.Has(name) {
			y.ReportAt(name, "required: name a file in PEM form")
		}
	}
	if parts[0] == nil || parts[1] == nil {
		return
	}
	pair, err := tls.X509KeyPair(parts[0], parts[1])
	if err != nil {
		y.Report("certificate and key cannot be used together: %v", err)
		return
	}
	*to = &pair
}

func (r *reader) tokens(y *yamltree.Node) {
	if y.Kind != yamltree.List {
		y.IsObject("[{name: grafana, role: ops, sha256: …}]")
		if y.Kind == yamltree.Object {
			y.Report("is an object; write a list, each item with name, role and sha256")
		}
		return
	}
	names, sums := map[string]string{}, map[[32]byte]string{}
	for _, item := range y.Items {
		if !item.IsObject("{name: grafana, role: ops, sha256: …}") {
			continue
		}
		t := token(item)
		if other, is := names[t.Name]; is && t.Name != "" {
			item.ReportAt("name", "%s is the name of %s, too; give every token a name of its own", t.Name, other)
		}
		if other, is := sums[t.SHA256]; is && t.SHA256 != [32]byte{} {
			item.ReportAt("sha256", "is that of %s, too; give everybody a token of their own", other)
		}
		names[t.Name], sums[t.SHA256] = item.Path, item.Path
		r.c.HTTP.Tokens = append(r.c.HTTP.Tokens, t)
	}
}

func token(y *yamltree.Node) (t Token) {
	y.Each(map[string]func(*yamltree.Node){
		"name":   func(y *yamltree.Node) { t.Name, _ = y.Word("grafana") },
		"person": func(y *yamltree.Node) { t.Person, _ = y.Word("ann") },
		"role":   func(y *yamltree.Node) { t.Role = Role(y.OneOf(string(Finance), string(Ops), string(Admin))) },
		"sha256": func(y *yamltree.Node) { t.SHA256 = hash(y) },
	})
	for _, name := range []string{"name", "role", "sha256"} {
		if !y.Has(name) {
			y.ReportAt(name, "required")
		}
	}
	return t
}

// hash returns the hash of a token. What is none is not shown: it could be the
// token.
func hash(y *yamltree.Node) (sum [32]byte) {
	s, ok := y.Word("the output of: printf %s TOKEN | sha256sum")
	if !ok {
		return sum
	}
	b, err := hex.DecodeString(s)
	switch {
	case err != nil || len(b) != len(sum):
		y.Report("is no SHA-256 in hex; write the first 64 characters that printf %%s TOKEN | sha256sum prints")
	case [32]byte(b) == sha256.Sum256(nil) || [32]byte(b) == sha256.Sum256([]byte("\n")):
		y.Report("is the hash of an empty token; make one with openssl rand -hex 32")
	default:
		sum = [32]byte(b)
	}
	return sum
}

const minWebhookSecret = 16

func (r *reader) alerts(y *yamltree.Node) {
	if !y.IsObject("{webhook: {url: …, secret_file: …}}") {
		return
	}
	y.Each(map[string]func(*yamltree.Node){"webhook": r.webhook})
}

func (r *reader) webhook(y *yamltree.Node) {
	if !y.IsObject("{url: https://example.com/alerts, secret_file: secrets/webhook}") {
		return
	}
	w := &Webhook{}
	set := map[string]func(*yamltree.Node){}
	r.secretKeys(set, "url", &w.URL, func(y *yamltree.Node) {
		s, _ := y.Word("https://example.com/alerts")
		w.URL = Secret(s)
	})
	r.secretKeys(set, "secret", &w.Secret, nil)
	y.Each(set)
	if err := checkWebhook(w.URL.Reveal()); err != nil && w.URL != "" {
		y.ReportAt("url", "%v", err)
	}
	if w.Secret != "" && len(w.Secret) < minWebhookSecret {
		y.ReportAt("secret", "is shorter than %d characters; make one with openssl rand -hex 32", minWebhookSecret)
	}
	if !hasAny(y, "url", "url_file", "url_env") {
		y.ReportAt("url", "required: say where alerts are posted")
	}
	if !hasAny(y, "secret", "secret_file", "secret_env") {
		y.ReportAt("secret_file", "required: alerts are signed; make a secret with openssl rand -hex 32")
	}
	r.c.Webhook = w
}

func hasAny(y *yamltree.Node, names ...string) bool {
	for _, n := range names {
		if y.Has(n) {
			return true
		}
	}
	return false
}

// checkWebhook does not show the address: some hold a secret.
func checkWebhook(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return fmt.Errorf("is no address of the web; write one such as https://example.com/alerts")
	}
	if u.User != nil {
		return fmt.Errorf("holds a user; alerts are signed with the secret instead")
	}
	return nil
}
