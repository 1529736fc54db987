package numbering

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"

	"github.com/google/go-cmp/cmp"
)

func TestACarrierIsSentWhatChanged(t *testing.T) {
	w := newWorld(t)
	w.succeed("fabrikam")
	if len(w.boxes["fabrikam"]) != 0 {
		t.Fatal("without a listing there is nothing to deliver")
	}
	w.put("own/fabrikam/a.csv", canonical("+491,u1,a@example.com", "+492,u2,", "+494,u4,"))
	w.succeed("fabrikam")
	full, changes, m := w.delivery("fabrikam", 1)
	want := []string{
		"+491,fabrikam,,,,,,,u1,,sip:a@example.com,,,,,2026-10-01T06:59:01Z,", "+492,fabrikam,,,,,,,u2,,,,,,,2026-10-01T06:59:01Z,", "+494,fabrikam,,,,,,,u4,,,,,,,2026-10-01T06:59:01Z,",
	}
	if d := cmp.Diff(want, full); d != "" || m.Added != 3 || len(changes) != 3 || !strings.HasPrefix(changes[0], "added,,+491,fabrikam,") {
		t.Errorf("%s %q %+v", d, changes, m)
	}
	w.succeed("fabrikam")
	w.put("own/fabrikam/b.csv", canonical("+491,u1,b@example.com", "+493,u3,", "+494,u4,"))
	w.succeed("fabrikam")
	full, changes, m = w.delivery("fabrikam", 2)
	want = []string{
		"changed,sip_uri,+491,fabrikam,,,,,,,u1,,sip:b@example.com,,,,,2026-10-01T07:59:03Z,",
		"removed,,+492,fabrikam,,,,,,,u2,,,,,,,2026-10-01T06:59:01Z,2026-10-01T07:59:03Z",
		"added,,+493,fabrikam,,,,,,,u3,,,,,,,2026-10-01T07:59:03Z,",
	}
	if d := cmp.Diff(want, changes); d != "" || len(full) != 3 || m.Added != 1 || m.Removed != 1 || m.Changed != 1 {
		t.Errorf("%s %q %+v", d, full, m)
	}
	// There and back again between two runs.
	w.put("own/fabrikam/c.csv", canonical())
	w.put("own/fabrikam/d.csv", canonical("+491,u1,b@example.com", "+493,u3,", "+494,u4,"))
	w.succeed("fabrikam")
	if n := len(w.boxes["fabrikam"]); n != 8 {
		t.Errorf("%d files in the outbox, of two deliveries", n)
	}
	w.put("own/fabrikam/e.csv", canonical())
	w.succeed("fabrikam")
	if full, _, m := w.delivery("fabrikam", 3); len(full) != 0 || m.Removed != 3 {
		t.Errorf("%q %+v", full, m)
	}
}

// A carrier sees its own numbers only, whatever lies beside them.
func TestNobodySeesTheNumbersOfAnother(t *testing.T) {
	w := newWorld(t)
	text := `{"value":[
{"telephoneNumber":"+491110001","operatorId":"op-f","assignmentTargetId":"a"},{"telephoneNumber":"+491120001","operatorId":"op-l"},
{"telephoneNumber":"+491110002","operatorId":"OP-F"},{"telephoneNumber":"+491120002","operatorId":"Op-L"},{"telephoneNumber":"+491130001","operatorId":"op-x"},{"telephoneNumber":"+491130002"}]}`
	w.put("all/listing.json", text)
	w.put("own/litware/more.csv", "TelephoneNumber,PstnPartnerName\n+491120003,Litware\n+491110003,Fabrikam\n")
	for range 2 {
		w.succeed("fabrikam")
		w.succeed("litware")
		w.put("all/listing.json", strings.Replace(text, `"a"`, `"b"`, 1))
	}
	for carrier, want := range map[string]struct {
		others string
		rows   int
	}{"fabrikam": {"+49112", 2}, "litware": {"+49111", 3}} {
		if full, _, _ := w.delivery(carrier, 1); len(full) != want.rows {
			t.Errorf("%s: %q", carrier, full)
		}
		for name, content := range w.boxes[carrier] {
			if strings.Contains(content, want.others) || strings.Contains(content, "+49113") {
				t.Errorf("%s of %s holds a number of another", name, carrier)
			}
		}
	}
	if len(w.boxes["litware"]) != 4 {
		t.Errorf("what changed for another was delivered: %v", w.boxes["litware"].Names())
	}
}

// Every tenant has listings of its own, and a time.
func TestSourcesTimesAndTenants(t *testing.T) {
	w := newWorld(t)
	const tenant = "72f988bf-86f1-41af-91ab-2d7cd011db47"
	w.put("own/fabrikam/"+strings.ToUpper(tenant)+"/numbers-20261001T050000Z.csv", canonical("+491,u1,"))
	w.put("own/fabrikam/other/x.csv", canonical("+492,u1,"))
	w.put("own/fabrikam/"+strings.ToUpper(tenant)+"/numbers-2026-10-01T04-00-00Z.csv", canonical("+493,u1,"))
	w.put("own/fabrikam/to-come-20261001T230000Z.csv", canonical("+494,u1,"))
	w.put("own/fabrikam/half.csv.tmp", canonical("+495,u1,"))
	w.succeed("fabrikam")
	full, _, _ := w.delivery("fabrikam", 1)
	want := []string{"+491,fabrikam,,,," + tenant + ",,,u1,,,,,,,2026-10-01T05:00:00Z,", "+492,fabrikam,,,,,,,u1,,,,,,,2026-10-01T07:59:00Z,"}
	if d := cmp.Diff(want, full); d != "" {
		t.Error(d)
	}
	w.put("own/fabrikam/other/y.csv", canonical())
	w.put("own/fabrikam/"+strings.ToUpper(tenant)+"/late-20261001T043000Z.csv", canonical("+496,u1,"))
	w.succeed("fabrikam")
	if full, _, m := w.delivery("fabrikam", 2); len(full) != 1 || m.Removed != 1 {
		t.Errorf("%q %+v", full, m)
	}
	if last := w.told[len(w.told)-1]; !slices.Contains(w.told, "late-20261001T043000Z.csv late 0") {
		t.Errorf("%q, the last %s", w.told, last)
	}
}

func TestAListingThatCannotBeUsedTakesNothingAway(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/a.csv", canonical("+491,u1,", "+492,u2,"))
	w.succeed("fabrikam")
	w.put("own/fabrikam/b+4930123456789.csv", strings.TrimSuffix(canonical("+491,u1,"), "\n"))
	w.put("own/fabrikam/sub/c.csv", canonical("+493,u3,"))
	err := w.run("fabrikam")
	if err == nil || !strings.Contains(err.Error(), "cannot be used: its last line does not end") || strings.Contains(err.Error(), "12345") {
		t.Errorf("%v", err)
	}
	if full, _, _ := w.delivery("fabrikam", 2); len(full) != 3 {
		t.Errorf("%q", full)
	}
	if err := w.run("fabrikam"); err == nil {
		t.Error("it is still there, and nobody has sent a better one")
	}
	w.put("own/fabrikam/d.csv", canonical("+491,u9,", "+492,u2,nonsense", "030,u4,", "+491,u8,"))
	w.succeed("fabrikam")
	full, changes, _ := w.delivery("fabrikam", 3)
	if len(full) != 3 || len(changes) != 1 || !strings.HasPrefix(changes[0], "changed,target_id,+491,fabrikam,,,,,,,u9,") {
		t.Errorf("%q %q", full, changes)
	}
	list, err := w.store.Listings(t.Context(), "fabrikam")
	if x := list[len(list)-1]; err != nil || x.Rows != 4 || x.Accepted != 1 || x.Rejected != 3 {
		t.Errorf("%+v, %v", x, err)
	}
}

// Microsoft's listings name users by their ids: a list of users beside them has
// their SIP URIs, and a later one corrects what is known.
func TestSIPURIsComeFromTheListOfUsersBesideTheListing(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/old.csv", canonical("+491,u1,", "+492,u2,"))
	w.put("own/fabrikam/new.csv", canonical("+491,u1,", "+492,u2,"))
	w.put("own/fabrikam/users-1.csv", "Identity,SipAddress\nu1,sip:a@example.com\n")
	w.succeed("fabrikam")
	full, _, _ := w.delivery("fabrikam", 1)
	if len(full) != 2 || !strings.Contains(full[0], "u1,,sip:a@example.com,") || strings.Contains(full[1], "sip:") {
		t.Errorf("%q", full)
	}
	w.put("own/fabrikam/Users-2.csv", "Identity,SipAddress\nu1,sip:a@example.com\nu2,b@example.com\n")
	w.told = nil
	w.succeed("fabrikam")
	_, changes, m := w.delivery("fabrikam", 2)
	if m.Changed != 1 || len(changes) != 1 || !strings.HasPrefix(changes[0], "changed,sip_uri,+492,") || !slices.Equal(w.told, []string{"new.csv taken 1"}) {
		t.Errorf("%q %q", changes, w.told)
	}
	w.put("own/fabrikam/users-3.csv", "Identity,SipAddress\nu1,sip:a@example.com")
	if err := w.run("fabrikam"); err == nil { // the newest listing stays as it was read with the list before
		t.Error("a list of users that is cut short")
	}
	w.put("own/fabrikam/newer.csv", canonical("+491,u1,"))
	if err := w.run("fabrikam"); err == nil || !strings.Contains(err.Error(), "its list of users, users-3.csv, cannot be used: its last line does not end") {
		t.Errorf("%v", err)
	}
	if n := len(w.boxes["fabrikam"]); n != 8 {
		t.Errorf("%d files", n)
	}
}

// An export that stops at its limit is no listing: what is behind it would be
// taken away from the carrier.
func TestAListingThatTakesTooMuchAwayWaitsForAPerson(t *testing.T) {
	w := newWorld(t)
	var rows []string
	for i := range 30 {
		rows = append(rows, fmt.Sprintf("+4930%04d,u,", i))
	}
	w.put("own/fabrikam/a.csv", canonical(rows...))
	w.succeed("fabrikam")
	w.put("own/fabrikam/b.csv", canonical(rows[:14]...))
	if err := w.run("fabrikam"); err == nil || !strings.Contains(err.Error(), "it would take too many numbers away: 16 of 30; make sure that it is whole, or raise most_removed") {
		t.Errorf("%v", err)
	}
	if len(w.boxes["fabrikam"]) != 4 {
		t.Errorf("%v", w.boxes["fabrikam"].Names())
	}
	before := w.clerk.Carrier
	w.clerk.Carrier = func(job, name string) (Carrier, error) {
		c, err := before(job, name)
		c.MostRemoved = 60
		return c, err
	}
	w.succeed("fabrikam")
	if full, _, m := w.delivery("fabrikam", 2); len(full) != 14 || m.Removed != 16 {
		t.Errorf("%q %+v", full, m)
	}
}

func TestFilesThatAreBeingWrittenAreWaitedFor(t *testing.T) {
	w := newWorld(t)
	w.clerk.Quiet = 50 * time.Millisecond
	start := time.Now()
	w.clerk.Now = func() time.Time { return w.now.Add(time.Since(start)) }
	w.put("own/fabrikam/a.csv", canonical("+491,u1,"))
	now := w.clerk.Now()
	if err := os.Chtimes(filepath.Join(w.dir, "own/fabrikam/a.csv"), now, now); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(-time.Second) // begin adds it
	w.succeed("fabrikam")
	w.delivery("fabrikam", 1)
}

func TestTheRunNamesItsInputs(t *testing.T) {
	w := newWorld(t)
	w.put("own/fabrikam/a.csv", canonical("+491,u1,"))
	r := w.begin("fabrikam")
	if _, err := w.clerk.Do(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	got, err := w.store.Run(t.Context(), r.ID)
	if err != nil || len(got.Inputs) != 1 || got.Inputs[0].File != "own/a.csv" || len(got.Inputs[0].SHA256) != 64 {
		t.Errorf("%+v, %v", got.Inputs, err)
	}
	if held, err := w.store.Holds(t.Context(), got.Inputs[0].SHA256); err != nil || !held {
		t.Errorf("the listing is not held: %v", err)
	}
	if _, err := os.Stat(w.spool.Path(got.Inputs[0].SHA256)); err != nil {
		t.Error(err)
	}
	w.end(r, jobs.RunSucceeded)
	if err := w.run("nobody"); err == nil {
		t.Error("a carrier that is not there")
	}
}
