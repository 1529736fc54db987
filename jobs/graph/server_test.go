package graph_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// graphServer answers as Graph and its token service are documented to: lists
// by the start of calls in pages, the first and last instant included, tokens
// that end, and whatever the test has it refuse.
type graphServer struct {
	*testing.T
	*httptest.Server
	mu       sync.Mutex
	rows     map[string][]map[string]any // by function
	size     int                         // of a page
	tokens   int
	good     string // the token that lets in
	asked    []string
	refuse   []func(w http.ResponseWriter) // the next answers, one each
	noToken  func(w http.ResponseWriter)
	nextHost string // of the next page, if it is another one
}

const secret = "a~secret"

func newGraphServer(t *testing.T) *graphServer {
	g := &graphServer{T: t, rows: map[string][]map[string]any{}, size: 3}
	g.Server = httptest.NewServer(g)
	t.Cleanup(g.Close)
	return g
}

var listCall = regexp.MustCompile(`^/v1\.0/communications/callRecords/(get\w+)\(fromDateTime=([^,]+),toDateTime=([^)]+)\)$`)

// ServeHTTP implements http.Handler.
func (g *graphServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if strings.HasSuffix(r.URL.Path, "/oauth2/v2.0/token") {
		g.token(w, r)
		return
	}
	call := listCall.FindStringSubmatch(r.URL.Path)
	if call == nil {
		g.Errorf("asked for %s", r.URL.Path)
		http.NotFound(w, r)
		return
	}
	g.asked = append(g.asked, call[1]+" "+call[2]+" "+call[3]+" "+r.URL.RawQuery)
	if len(g.refuse) > 0 {
		refuse := g.refuse[0]
		g.refuse = g.refuse[1:]
		refuse(w)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+g.good {
		answer(w, http.StatusUnauthorized, `{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}`)
		return
	}
	g.list(w, call, r)
}

func (g *graphServer) token(w http.ResponseWriter, r *http.Request) {
	if g.noToken != nil {
		g.noToken(w)
		return
	}
	for name, want := range map[string]string{"grant_type": "client_credentials", "client_id": "app", "client_secret": secret, "scope": g.URL + "/.default"} {
		if got := r.PostFormValue(name); got != want {
			g.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	g.tokens++
	g.good = fmt.Sprint("token", g.tokens)
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, `{"token_type":"Bearer","expires_in":3599,"access_token":%q}`, g.good)
}

func (g *graphServer) list(w http.ResponseWriter, call []string, r *http.Request) {
	from, err := time.Parse(time.RFC3339, call[2])
	to, err2 := time.Parse(time.RFC3339, call[3])
	if err != nil || err2 != nil || to.Before(from) || to.Sub(from) > 90*24*time.Hour {
		answer(w, http.StatusBadRequest, `{"error":{"code":"BadRequest","message":"range"}}`)
		return
	}
	var in []map[string]any
	for _, row := range g.rows[call[1]] {
		at, _ := time.Parse(time.RFC3339Nano, row["startDateTime"].(string))
		if !at.Before(from) && !at.After(to) {
			in = append(in, row)
		}
	}
	skip, _ := strconv.Atoi(r.URL.Query().Get("$skip"))
	page := map[string]any{"@odata.context": "x", "value": in[skip:min(len(in), skip+g.size)]}
	if skip+g.size < len(in) {
		host := g.URL
		if g.nextHost != "" {
			host = g.nextHost
		}
		page["@odata.nextLink"] = fmt.Sprintf("%s%s?$skip=%d", host, r.URL.EscapedPath(), skip+g.size)
	}
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(page); err != nil {
		g.Error(err)
	}
}

func answer(w http.ResponseWriter, code int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	fmt.Fprint(w, body)
}

// add puts a call into a list, or another version of it in its place.
func (g *graphServer) add(list, id, start string, seconds int, source string, more ...any) map[string]any {
	g.mu.Lock()
	defer g.mu.Unlock()
	row := map[string]any{
		"id": id, "callId": "c-" + id, "userPrincipalName": "someone@contoso.example", "userDisplayName": "Some One", "startDateTime": start,
		"duration": seconds, "callType": "user_in", "callerNumber": "+4930123456**", "calleeNumber": "+442071234567", "operator": "Fabrikam Telecom",
		"callDurationSource": source, "charge": json.Number("0.10"),
	}
	for i := 0; i < len(more); i += 2 {
		row[more[i].(string)] = more[i+1]
	}
	for i, r := range g.rows[list] {
		if r["id"] == id && id != "" {
			g.rows[list][i] = row
			return row
		}
	}
	g.rows[list] = append(g.rows[list], row)
	return row
}
