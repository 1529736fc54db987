package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"os/user"
	"strconv"
	"strings"

	"concord/jobs/config"
	"concord/jobs/control"
)

// identify finds out who calls.
func (c *call) identify() bool {
	if c.Local {
		c.by, c.role = localUser(c.r.Context()), config.Admin
		return true
	}
	scheme, token, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var found bool
	for _, t := range c.Tokens() { // all of them, so that time tells nothing
		if subtle.ConstantTimeCompare(sum[:], t.SHA256[:]) == 1 {
			c.by, c.role, found = control.By(t.Name), t.Role, true
		}
	}
	return found
}

// peer is the user at the other end of a local socket.
type peer struct{}

// ConnContext remembers who is at the other end of a local socket, for the
// requests that come from there. Give it to the http.Server of the handler.
func ConnContext(ctx context.Context, conn net.Conn) context.Context {
	if uid, ok := peerUser(conn); ok {
		return context.WithValue(ctx, peer{}, uid)
	}
	return ctx
}

// localUser names who uses the local socket.
func localUser(ctx context.Context) control.By {
	uid, ok := ctx.Value(peer{}).(uint32)
	if !ok {
		return "local"
	}
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return control.By("local:" + u.Username)
	}
	return control.By("local:" + id)
}
