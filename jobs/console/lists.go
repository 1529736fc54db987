package console

import (
	"cmp"
	"net/http"
	"strconv"
	"strings"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/control"
)

// listData is a list with its filters, by their names in the address.
type listData[T any] struct {
	Filter map[string]string
	List   []T
	Next   string // address of the next page
	Said   string // what was done before
}

// filters returns those of the address.
func (v *visit) filters(names ...string) map[string]string {
	q, f := v.r.URL.Query(), map[string]string{}
	for _, n := range names {
		f[n] = strings.TrimSpace(q.Get(n))
	}
	return f
}

func listOf[T any](v *visit, f map[string]string, list []T, id func(T) string) (d listData[T]) {
	d.Filter = f
	more := false
	if d.List, more = cut(list); more {
		d.Next = with(v.r.URL, "before", id(d.List[len(d.List)-1]))
	}
	return d
}

func (v *visit) files() error {
	f := v.filters("carrier", "side", "status", "name", "before")
	if shown := jobs.Mask(f["name"]); shown != f["name"] {
		return v.to(with(v.r.URL, "name", shown)) // no address that is kept has the number
	}
	list, err := v.Desk.Files(v.r.Context(), jobs.FileFilter{
		Carrier: f["carrier"], Side: f["side"], Status: landing.Status(f["status"]), Name: f["name"], Before: f["before"], Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	return v.page("files", "Files", listOf(v, f, list, func(x control.File) string { return x.ID }))
}

// fileData is the page of one file.
type fileData struct {
	control.FileDetail
	Hides    bool // its names may hold numbers
	Unmasked bool
}

// file shows a file, with its name as it arrived when that is asked for by a form.
func (v *visit) file() (err error) {
	d := fileData{Unmasked: v.r.Method == http.MethodPost}
	if d.Unmasked {
		d.FileDetail, err = v.Desk.UnmaskedFile(v.r.Context(), v.r.PathValue("id"), v.by())
	} else {
		d.FileDetail, err = v.Desk.File(v.r.Context(), v.r.PathValue("id"))
	}
	if err != nil {
		return err
	}
	d.Hides = jobs.Masked(d.Receipt.File + d.Replaces + d.DuplicateOf)
	return v.page("file", "File "+d.Receipt.File, &d)
}

func (v *visit) runs() error {
	f := v.filters("job", "carrier", "state", "file", "before")
	list, err := v.Desk.Runs(v.r.Context(), jobs.RunFilter{
		Job: f["job"], Carrier: f["carrier"], State: jobs.RunState(f["state"]), File: f["file"], Before: f["before"], Limit: pageSize + 1,
	})
	if err != nil {
		return err
	}
	return v.page("runs", "Runs", listOf(v, f, list, func(x control.Run) string { return x.ID }))
}

func (v *visit) run() error {
	r, err := v.Desk.Run(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	log, err := v.Desk.RunLog(v.r.Context(), r.ID)
	if err != nil {
		return err
	}
	return v.page("run", "Run of "+r.Job, &runData{r, log})
}

// runData is the page of one run.
type runData struct {
	control.RunDetail
	Log []control.Moment
}

func (v *visit) carriers() error {
	list, err := v.Desk.Carriers(v.r.Context())
	if err != nil {
		return err
	}
	return v.page("carriers", "Carriers", list)
}

func (v *visit) alerts() error {
	f := v.filters("all", "carrier", "before")
	list, err := v.Desk.Alerts(v.r.Context(), jobs.AlertFilter{Open: f["all"] == "", Carrier: f["carrier"], Before: f["before"], Limit: pageSize + 1})
	if err != nil {
		return err
	}
	return v.page("alerts", "Alerts", listOf(v, f, list, func(x control.Alert) string { return x.ID }))
}

func (v *visit) audit() error {
	f := v.filters("who", "what", "object", "before")
	before, err := strconv.ParseInt(f["before"], 10, 64)
	if f["before"] != "" && err != nil {
		return &control.Refusal{Kind: control.Invalid, Text: "The address of this page is none; begin with the first page."}
	}
	list, err := v.Desk.Audit(v.r.Context(), jobs.AuditFilter{Who: f["who"], What: f["what"], Object: f["object"], Before: before, Limit: pageSize + 1})
	if err != nil {
		return err
	}
	d := listOf(v, f, list, func(x control.AuditRow) string { return strconv.FormatInt(x.ID, 10) })
	if f["before"] == "" && f["what"] == reloadDeed && len(list) > 0 && list[0].Who == v.who.Name && v.Now().Sub(list[0].Time) < time.Minute {
		d.Said = cmp.Or(list[0].Detail, "Nothing has changed.")
	}
	return v.page("audit", "Audit trail", d)
}

// reloadDeed is what the audit trail calls a reload.
const reloadDeed = "config.reload"

// reload reads the configuration again, and shows the row of the audit trail that
// says what came of it.
func (v *visit) reload() error {
	if _, err := v.Desk.Reload(v.r.Context(), v.by()); err != nil {
		return err
	}
	return v.to(Root + "audit?what=" + reloadDeed)
}
