package service_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/exchange/exchangetest"
	"concord/jobs"

	"golang.org/x/crypto/ssh"
)

// Microsoft's side is a host of its own: what lies there is taken once, without
// anybody who carries files. When it cannot be reached somebody is told, and it
// goes on by itself.
func TestMicrosoftsFilesComeFromAHost(t *testing.T) {
	host := exchangetest.NewSite(t, exchangetest.SiteOptions{Carriers: []string{"programme"}})
	out := filepath.Join(host.Home("programme"), "inbox", "out")
	key, err := os.ReadFile(host.KeyFile("programme"))
	if err := errors.Join(err, os.MkdirAll(filepath.Join(out, "fabrikam", "numbers"), 0o750)); err != nil {
		t.Fatal(err)
	}
	h := &house{site: newSite(t), t: t}
	if err := os.WriteFile(filepath.Join(h.dir, "key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	account, _ := host.Account("programme")
	shut := account
	shut.Keys = nil
	host.SetAccount(shut)
	pin := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(host.Keys.Announced()[0])))
	h.append(fmt.Sprintf("microsoft: {hosts: {programme: {address: %q, user: programme, key_file: key, host_keys: [%q], folder: inbox/out, every: 50ms}}}\n", host.Addr, pin))
	h.append(storyJobs)
	h.offset = offsetTo("2026-10-02T06:00:00Z")
	h.start()
	t.Cleanup(func() { h.stop() })
	alerts := func() int {
		list, err := h.desk.Alerts(t.Context(), jobs.AlertFilter{Open: true, Kind: jobs.AlertHost})
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	h.until("it is told of", func() bool { return alerts() == 1 })
	host.SetAccount(account)
	h.until("it goes on", func() bool { return alerts() == 0 })
	calls := func() []jobs.Entry {
		list, err := h.desk.Files(t.Context(), jobs.FileFilter{Side: "microsoft"})
		if err != nil {
			t.Fatal(err)
		}
		var names []jobs.Entry
		for _, f := range list {
			names = append(names, jobs.Entry{Name: f.File, Accepted: f.Accepted})
		}
		return names
	}
	past := time.Now().Add(-time.Hour).Truncate(time.Second)
	put := func(name, text string) {
		path := filepath.Join(out, name)
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o640), os.Chtimes(path, past, past)); err != nil {
			t.Fatal(err)
		}
	}
	put("fabrikam/m.csv", table(call{"m1", "2026-10-01T10:00:00Z", 60}))
	put("fabrikam/numbers/list.csv", shared("u1"))
	h.until("the call is taken", func() bool { return len(calls()) == 1 })
	if got := calls()[0]; got.Name != "programme/m.csv" || got.Accepted != 1 {
		t.Errorf("%+v", got)
	}
	listing := filepath.Join(h.dir, "data", "microsoft", "fabrikam", "numbers", "programme", "list.csv")
	h.until("the listing is there", func() bool {
		info, err := os.Stat(listing)
		return err == nil && info.ModTime().Equal(past)
	})
	if err := os.Remove(filepath.Join(h.dir, "data", "microsoft", "fabrikam", "programme", "m.csv")); err != nil {
		t.Fatal(err)
	}
	h.stop()
	h.start()
	put("fabrikam/m2.csv", table(call{"m2", "2026-10-01T11:00:00Z", 60}))
	h.until("the second one is taken", func() bool { return len(calls()) == 2 })
	if _, err := os.Stat(filepath.Join(h.dir, "data", "microsoft", "fabrikam", "programme", "m.csv")); err == nil {
		t.Error("the first one came twice")
	}
	h.stop()
	h.clean("the log", h.out.String())
}
