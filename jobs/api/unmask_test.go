package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/config"
)

const telling = "cdr_493012345678.csv"

// telling records a file whose name holds a number.
func (w *world) telling(t *testing.T) string {
	t.Helper()
	sum := sha256.Sum256([]byte(telling))
	a := jobs.Arrival{Carrier: "fabrikam", Name: telling, SHA256: hex.EncodeToString(sum[:]), Received: time.Now().UTC()}
	e, err := w.store.Record(t.Context(), a, func(jobs.Known) jobs.Entry {
		return jobs.Entry{
			ID: "0198b1f0-0000-7000-8000-00000000abcd", Carrier: a.Carrier, Name: a.Name, SHA256: a.SHA256, Received: a.Received, Decided: a.Received,
			Status: landing.StatusRejected,
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return e.ID
}

func (w *world) ask(t *testing.T, role config.Role, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, w.server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer token-"+string(role))
	resp, err := w.server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func (w *world) noted(t *testing.T) (list []string) {
	t.Helper()
	rows, err := w.store.Audit(t.Context(), jobs.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		list = append(list, r.Who+" "+r.What+" "+r.Object)
	}
	return list
}

// TestWhoSeesANumberIsNoted asks for the name of a file as it arrived.
func TestWhoSeesANumberIsNoted(t *testing.T) {
	w := newWorld(t)
	id := w.telling(t)
	for _, test := range []struct {
		role   config.Role
		query  string
		status int
		shown  bool
		noted  string
	}{
		{config.Finance, "", 200, false, ""},
		{config.Admin, "?unmask=false", 200, false, ""},
		{config.Ops, "?unmask=true", 403, false, "the-ops api.denied file " + id + " unmask"},
		{config.Finance, "?unmask=true", 200, true, "the-finance file.unmask " + id},
		{config.Admin, "?unmask=true", 200, true, "the-admin file.unmask " + id},
	} {
		before := len(w.noted(t))
		status, body := w.ask(t, test.role, "/v1/files/"+id+test.query)
		if status != test.status || strings.Contains(body, telling) != test.shown {
			t.Errorf("%s %s: %d %s", test.role, test.query, status, body)
		}
		now := w.noted(t)
		if (test.noted == "") != (len(now) == before) || test.noted != "" && now[0] != test.noted {
			t.Errorf("%s %s: %v", test.role, test.query, now)
		}
	}
}

// silent is a trail that takes nothing.
type silent struct{ jobs.Trail }

func (silent) Note(context.Context, jobs.AuditRow) error { return errors.New("no room") }

// TestNothingIsShownThatCannotBeNoted has an audit trail that is full.
func TestNothingIsShownThatCannotBeNoted(t *testing.T) {
	w := newWorld(t)
	id := w.telling(t)
	w.desk.Trail = silent{w.store}
	for _, path := range []string{"/v1/files/" + id + "?unmask=true", "/v1/reports/" + w.report.ID + "/files/discrepancies.csv"} {
		if status, body := w.ask(t, config.Admin, path); status != 500 || strings.Contains(body, "3012345678") || strings.Contains(body, canary[4:]) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// TestNumbersCannotBeFoundOutBySearching has every role ask for parts of a name.
func TestNumbersCannotBeFoundOutBySearching(t *testing.T) {
	w := newWorld(t)
	w.telling(t)
	for _, test := range []struct {
		role  config.Role
		part  string
		found bool
	}{
		{config.Ops, "4930", false}, {config.Ops, "301", false}, {config.Ops, "45678", false}, {config.Ops, "9", false},
		{config.Ops, "5678", true}, {config.Ops, "cdr_", true}, {config.Ops, "…5678.csv", true},
		{config.Finance, "4930", false}, {config.Admin, "45678", false}, {config.Finance, "5678", true},
		{config.Finance, telling, true}, {config.Admin, "cdr_491111115678", true}, {config.Admin, "cdr_491111115679", false},
	} {
		status, body := w.ask(t, test.role, "/v1/files?limit=1&name="+url.QueryEscape(test.part))
		var list struct{ Files []struct{ File string } }
		if err := json.Unmarshal([]byte(body), &list); err != nil || status != 200 {
			t.Fatal(status, body, err)
		}
		if found := len(list.Files) == 1; found != test.found || found && list.Files[0].File != jobs.Mask(telling) {
			t.Errorf("%s asks for %s: %s", test.role, test.part, body)
		}
	}
}

// TestWhatIsTypedIntoAPathIsNotedMasked has a role ask for what it may not see, by
// a number.
func TestWhatIsTypedIntoAPathIsNotedMasked(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/v1/files/" + canary + "?unmask=true", "/v1/reports/" + canary + "/files/discrepancies.csv"} {
		if status, body := w.ask(t, config.Ops, path); status != 403 || strings.Contains(body, canary[4:]) {
			t.Errorf("%s: %d %s", path, status, body)
		}
		if row := w.noted(t)[0]; !strings.HasPrefix(row, "the-ops api.denied ") || !strings.Contains(row, "…3456") || strings.Contains(row, canary[4:]) {
			t.Errorf("%s: noted is %s", path, row)
		}
	}
	if strings.Contains(w.log.String(), canary[4:]) {
		t.Error("the log has the number")
	}
}
