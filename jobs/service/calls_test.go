package service_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"
)

// graphCalls is a page of getPstnCalls with calls of two carriers and of a
// third one, who is no carrier here.
func graphCalls(seconds int) string {
	row := func(id, call, operator string, seconds int) string {
		return fmt.Sprintf(`{"id":%q,"callId":%q,"userId":"b1000000-0000-4000-8000-000000000001","userPrincipalName":"megan@example.com","userDisplayName":"Megan",`+
			`"startDateTime":"2026-10-01T10:00:00Z","endDateTime":"2026-10-01T10:10:00Z","duration":%d,"charge":1.5,"callType":"user_in","currency":"EUR",`+
			`"calleeNumber":"+%s","usageCountryCode":"DE","tenantCountryCode":"DE","connectionCharge":0.0,"callerNumber":"+442071234567",`+
			`"destinationContext":null,"destinationName":"Germany","conferenceId":null,"licenseCapability":"MCOPSTNU","inventoryType":"Subscriber",`+
			`"operator":%q,"callDurationSource":"microsoft"}`, id, call, seconds, canary, operator)
	}
	return `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata","value":[` + strings.Join([]string{
		row("f1", "c-f1", "Fabrikam Telecom", seconds), row("f2", "c-f2", "FABRIKAM", 60), row("l1", "c-l1", "Litware AG", 60), row("n1", "c-n1", "Nobody Ltd", 60),
	}, ",") + `]}`
}

// callRecord is one of Graph's callRecords, expanded; it names no carrier.
func callRecord(id string, version int, jitter string) string {
	return fmt.Sprintf(`{"id":%q,"version":%d,"type":"peerToPeer","modalities":["audio"],"startDateTime":"2026-10-01T10:00:00Z","endDateTime":"2026-10-01T10:10:00Z",`+
		`"organizer":{"user":{"id":"x","displayName":"Megan"}},"sessions":[{"id":"s","segments":[{"id":"seg-%s","startDateTime":"2026-10-01T10:00:00Z","endDateTime":"2026-10-01T10:10:00Z",`+
		`"media":[{"label":"main-audio","callerNetwork":{"ipAddress":"10.1.2.3"},"streams":[{"streamId":"1","streamDirection":"callerToCallee","averageJitter":%q,"averagePacketLossRate":0.01}]}]}]}]}`,
		id, version, id, jitter)
}

// put puts a file into a folder, as of an hour ago.
func (h *house) put(name, text string) {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, h.now().Add(-time.Hour)); err != nil {
		h.t.Fatal(err)
	}
}

// deliver runs the job for the first of October and waits for its end.
func (h *house) deliver() (ended []control.RunDetail) {
	h.t.Helper()
	list, err := h.desk.Start(h.t.Context(), control.Start{Job: "calls", Period: "2026-10-01", By: "test"})
	if err != nil || len(list) != 2 {
		h.t.Fatalf("%+v, %v", list, err)
	}
	for _, p := range list {
		r := h.ends(p.Run)
		if r.State != string(jobs.RunSucceeded) {
			h.t.Errorf("%+v", r)
		}
		ended = append(ended, r)
	}
	return ended
}

// rowsIn returns the rows of a CSV by their values in some columns.
func rowsIn(t *testing.T, text string, columns ...string) (list []string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%q: %v", text, err)
	}
	for _, r := range rows[1:] {
		var values []string
		for _, c := range columns {
			values = append(values, r[slices.Index(rows[0], c)])
		}
		list = append(list, strings.Join(values, " "))
	}
	return list
}

const callsHouse = `  litware: {keys: [%s], operators: ["Litware AG"]}
microsoft: {calls: shared}
` + storyJobs + `  calls: {kind: calls, schedule: "0 8 * * *", period: previous_day, late_delay: 1ms}
`

// From files about several carriers, and about one, to what each finds in its
// outbox; then a late version, a restart, and nothing new.
func TestCallsReachTheirCarriers(t *testing.T) {
	other, key := newKey(t)
	h := &house{site: newSite(t), t: t}
	h.append("    operators: [Fabrikam Telecom]\n" + fmt.Sprintf(callsHouse, other))
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	lock(h)
	h.start()
	t.Cleanup(func() { h.stop() })
	h.put("shared/calls.json", graphCalls(600))
	h.put("shared/records.json", `{"value":[`+strings.Join([]string{callRecord("c-f1", 1, "PT0.010S"), callRecord("c-l1", 1, "PT0.010S"), callRecord("c-x", 1, "PT0.010S")}, ",")+`]}`)
	h.put("data/microsoft/litware/quality/own.csv", "call_record_id,stream_id,version,start,loss_avg\nown,=1+1,1,2026-10-01T11:00:00Z,0.5\nown,2,1,2026-10-05T11:00:00Z,0.5\n")
	h.until("the shared files are dealt", func() bool { return strings.Count(h.out.String(), `"msg":"file of several carriers"`) == 2 })
	for _, r := range h.deliver() {
		h.clean("the run", fmt.Sprintf("%+v", r))
	}
	litware := h.dial("litware", key)
	ours, theirs := outbox(t, h.remote, "calls_fabrikam_2026-10-01_000001"), outbox(t, litware, "calls_litware_2026-10-01_000001")
	if len(ours) != 6 || len(theirs) != 6 {
		t.Fatalf("fabrikam finds %d files and litware %d; log:\n%s", len(ours), len(theirs), h.out.String())
	}
	if got := rowsIn(t, ours["_calls.csv"], "record_id", "duration_ms", "callee"); !slices.Equal(got, []string{"f1 600000 +" + canary, "f2 60000 +" + canary}) {
		t.Errorf("%q", got)
	}
	if got := rowsIn(t, ours["_quality.csv"], "call_record_id", "carrier", "version"); !slices.Equal(got, []string{"c-f1 fabrikam 1"}) {
		t.Errorf("%q", got)
	}
	if got := rowsIn(t, theirs["_quality.csv"], "call_record_id", "stream_id", "classification"); !slices.Equal(got, []string{"c-l1 seg-c-l1/1/to_callee good", "own '=1+1 poor"}) {
		t.Errorf("%q", got)
	}
	for end, text := range ours {
		if end != "_manifest.json" { // sums may hold anything
			h.own(end, text, "l1", "Litware", "litware", "n1", "Nobody", "Megan", "megan@", "b1000000", "10.1.2.3")
		}
	}
	for end, text := range theirs {
		if end != "_manifest.json" {
			h.own(end, text, "f1", "f2", "abrikam", "n1", "Nobody", "Megan", "megan@")
		}
	}
	h.manifestOf(ours["_manifest.json"])
	for _, r := range h.deliver() {
		if !strings.Contains(r.Error, "made anew: the same bytes as delivery 1") {
			t.Errorf("%+v", r)
		}
	}
	h.lateCalls()
	h.stop()
	h.start() // and nothing again
	h.deliver()
	if all := outbox(t, h.dial("litware", key), ""); len(all) != 6 {
		t.Errorf("litware finds %d files", len(all))
	}
	if files, err := h.desk.Files(t.Context(), jobs.FileFilter{}); err != nil || len(files) != 4 {
		t.Errorf("%d files were taken for call records, %v", len(files), err)
	}
	h.stop()
	h.clean("the log", h.out.String())
	h.logged(`"calls delivered"`, `"nobody":1`, `"unknown":"Nobody Ltd"`, `"waiting":1`)
	h.hidden(canary, "record_id", "PAR1", "classification")
}

func (h *house) logged(parts ...string) {
	h.t.Helper()
	for _, want := range parts {
		if log := h.out.String(); !strings.Contains(log, want) {
			h.t.Errorf("the log has no %s: %s", want, log)
		}
	}
}

// manifestOf checks the manifest of the first delivery.
func (h *house) manifestOf(text string) {
	h.t.Helper()
	var m struct {
		Delivery, Version, Supersedes int
		Calls                         struct{ Rows, Added int }
		Files                         []jobs.DeliveredFile
	}
	if err := json.Unmarshal([]byte(text), &m); err != nil || m.Delivery != 1 || m.Version != 1 || m.Calls.Rows != 2 || len(m.Files) != 5 {
		h.t.Errorf("%+v, %v", m, err)
	}
}

// lateCalls has late files change what was delivered, by themselves.
func (h *house) lateCalls() {
	h.t.Helper()
	h.put("shared/late.json", graphCalls(601))
	h.until("the late version is there", func() bool { return len(outbox(h.t, h.remote, "calls_fabrikam_2026-10-01_000002")) == 8 })
	second := outbox(h.t, h.remote, "calls_fabrikam_2026-10-01_000002")
	if got := rowsIn(h.t, second["_calls_changes.csv"], "change", "record_id", "duration_ms"); !slices.Equal(got, []string{"changed f1 601000"}) {
		h.t.Errorf("%q", got)
	}
	h.put("data/microsoft/fabrikam/quality/late.json", callRecord("c-f1", 2, "PT0.060S"))
	h.until("the late quality is there", func() bool { return len(outbox(h.t, h.remote, "calls_fabrikam_2026-10-01_000003")) == 8 })
	third := outbox(h.t, h.remote, "calls_fabrikam_2026-10-01_000003")
	if got := rowsIn(h.t, third["_quality_changes.csv"], "change", "call_record_id", "version", "classification"); !slices.Equal(got, []string{"changed c-f1 2 poor"}) {
		h.t.Errorf("%q", got)
	}
}
