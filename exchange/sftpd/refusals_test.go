package sftpd_test

import (
	"os"
	"strings"
	"testing"

	"concord/exchange/exchangetest"
)

func TestRefusalsHaveACodeAndNoPath(t *testing.T) {
	t.Parallel()
	site := newSite(t, exchangetest.SiteOptions{})
	must(t, os.Symlink("/etc", site.Home(carrier)+"/inbox/link"))
	r := rawSFTP(t, login(t, site, carrier))
	h := r.open("/inbox/a.csv", flagWrite|flagCreate)
	r.status(reqClose, h)
	r.status(14, "/inbox/dir", uint32(0))
	dirHandle := func() string { _, body := r.ask(11, "/inbox"); return str(body) }()
	fileHandle := r.open("/inbox/a.csv", flagRead)
	const write = uint32(flagWrite | flagCreate)
	for name, c := range map[string]struct {
		code  uint32
		kind  byte
		parts []any
	}{
		"a file that is not there":            {statusNoFile, 3, []any{"/inbox/no.csv", uint32(flagRead), uint32(0)}},
		"a folder that is not there":          {statusNoFile, 11, []any{"/inbox/no"}},
		"out of the home":                     {statusNoFile, reqStat, []any{"/../../../../etc/passwd"}},
		"out of the inbox":                    {statusNoFile, reqStat, []any{"inbox/../../northwind/inbox"}},
		"staging":                             {statusNoFile, 11, []any{"/.staging"}},
		"through a link":                      {statusNoFile, 3, []any{"/inbox/link/passwd", uint32(flagRead), uint32(0)}},
		"a link itself":                       {statusDenied, reqStat, []any{"/inbox/link"}},
		"a zero byte":                         {statusDenied, 3, []any{"/inbox/a\x00b", write, uint32(0)}},
		"writing to receipts":                 {statusDenied, 3, []any{"/receipts/a.json", write, uint32(0)}},
		"removing from the archive":           {statusDenied, reqRemove, []any{"/archive/a.csv"}},
		"removing the inbox":                  {statusDenied, 15, []any{"/inbox"}},
		"a folder beside the inbox":           {statusNoFile, 14, []any{"/mine", uint32(0)}},
		"renaming out of the inbox":           {statusDenied, reqRename, []any{"/inbox/a.csv", "/outbox/a.csv"}},
		"a link":                              {statusDenied, reqSymlink, []any{"/etc/passwd", "/inbox/l"}},
		"a hard link":                         {statusDenied, reqExtended, []any{"hardlink@openssh.com", "/inbox/a.csv", "/inbox/l"}},
		"where a link leads":                  {statusFailure, reqReadlink, []any{"/inbox/link"}},
		"a name of 300 bytes":                 {statusDenied, 3, []any{"/inbox/" + strings.Repeat("a", 300), write, uint32(0)}},
		"a name of 20,000 bytes":              {statusDenied, 3, []any{"/inbox/" + strings.Repeat("a/", 10_000), write, uint32(0)}},
		"a name of 40,000 bytes":              {statusFailure, 3, []any{"/inbox/" + strings.Repeat("a", 40_000), write, uint32(0)}},
		"below a file":                        {statusNoFile, 3, []any{"/inbox/a.csv/b.csv", write, uint32(0)}},
		"a folder as a file":                  {statusFailure, 3, []any{"/inbox/dir", write, uint32(0)}},
		"a file as a folder":                  {statusFailure, 11, []any{"/inbox/a.csv"}},
		"exclusive, and there":                {statusFailure, 3, []any{"/inbox/a.csv", write | flagExclusive, uint32(0)}},
		"flags of nothing":                    {statusFailure, 3, []any{"/inbox/a.csv", uint32(0), uint32(0)}},
		"a handle that is none":               {statusFailure, reqRead, []any{"77", uint64(0), uint32(1)}},
		"fsync of a handle that is none":      {statusFailure, reqExtended, []any{"fsync@openssh.com", "77"}},
		"fsync without a handle":              {statusUnknown, reqExtended, []any{"fsync@openssh.com"}},
		"an extension that is none":           {statusUnknown, reqExtended, []any{"space-available"}},
		"attributes cut short":                {statusBadMessage, reqSetstat, []any{"/inbox/a.csv", uint32(1)}},
		"attributes without end":              {statusBadMessage, reqFsetstat, []any{fileHandle, uint32(0x8000_0000), uint32(0xffff_ffff)}},
		"a size below zero":                   {statusFailure, reqSetstat, []any{"/inbox/a.csv", uint32(1), uint64(1 << 63)}},
		"a size beyond all":                   {statusFailure, reqSetstat, []any{"/inbox/a.csv", uint32(1), uint64(1 << 62)}},
		"a place beyond all":                  {statusFailure, reqRead, []any{fileHandle, uint64(1<<64 - 1), uint32(10)}},
		"a listing of a file's handle, cut":   {statusEOF, reqRead, []any{fileHandle, uint64(0), uint32(10)}},
		"a write to a folder":                 {statusFailure, reqWrite, []any{dirHandle + "x", uint64(0), "a"}},
		"the attributes of what is not there": {statusNoFile, reqSetstat, []any{"/inbox/no.csv", uint32(4), uint32(0o600)}},
	} {
		code, text := r.status(c.kind, c.parts...)
		if code != c.code {
			t.Errorf("%s: code %d, want %d: %s", name, code, c.code, text)
		}
		if strings.Contains(text, site.Dir) || strings.Contains(text, "/") && !strings.Contains(text, "/inbox") || code == statusOK {
			t.Errorf("%s: says %q", name, text)
		}
	}
	for _, e := range site.Events() {
		if e.Act == "fault" {
			t.Errorf("counts as a fault of the server: %+v", e)
		}
	}
}
