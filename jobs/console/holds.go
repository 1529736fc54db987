package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"concord/jobs/control"

	"github.com/google/uuid"
)

// holdsData is what is held for disputes, with a form that places one more.
type holdsData struct {
	listData[control.Hold]
	Carriers []string // of the configuration
	Fresh    string   // id that the next hold gets, so that a form sent twice places one
	Problem  string   // why something was not done
	Of       string   // the hold that the problem is about; empty: the one to be placed
	Form     url.Values
}

// heldWords say what was done just before.
var heldWords = map[string]string{
	"placed":   "It is held. No purge takes what is about that period until it is released.",
	"released": "The hold is released. What it has kept goes with the next purge, if its time is over.",
}

func (v *visit) holds() error {
	return v.showHolds(http.StatusOK, &holdsData{listData: listData[control.Hold]{Said: heldWords[v.r.URL.Query().Get("done")]}})
}

func (v *visit) showHolds(status int, d *holdsData) error {
	ctx, said := v.r.Context(), d.Said
	f := v.filters("carrier", "all", "before")
	list, err := v.Desk.Holds(ctx, f["carrier"], f["all"] == "")
	if err != nil {
		return err
	}
	carriers, err := v.Desk.Carriers(ctx)
	if err != nil {
		return err
	}
	for _, c := range carriers {
		d.Carriers = append(d.Carriers, c.Name)
	}
	fresh, err := uuid.NewV7()
	if err != nil {
		return err
	}
	list = list[slices.IndexFunc(list, func(h control.Hold) bool { return h.ID == f["before"] })+1:]
	d.listData = listOf(v, f, list[:min(len(list), pageSize+1)], func(h control.Hold) string { return h.ID })
	d.Said, d.Fresh = said, fresh.String()
	if d.Form == nil {
		d.Form = url.Values{}
	}
	return v.show(status, "holds", "Holds", d)
}

// hold places a hold.
func (v *visit) hold() error {
	if err := v.form(); err != nil {
		return err
	}
	f := v.r.PostForm
	_, err := v.Desk.Hold(v.r.Context(), control.NewHold{
		Carrier: strings.TrimSpace(f.Get("carrier")), Period: strings.TrimSpace(f.Get("period")), Why: f.Get("why"), ID: f.Get("id"), By: v.by(),
	})
	return v.held("placed", "", err)
}

// release ends a hold.
func (v *visit) release() error {
	if err := v.form(); err != nil {
		return err
	}
	id := v.r.PathValue("id")
	_, err := v.Desk.Release(v.r.Context(), id, v.r.PostForm.Get("why"), v.by())
	return v.held("released", id, err)
}

// held goes back to the list, or shows it again with why nothing was done.
func (v *visit) held(done, id string, err error) error {
	if r, is := errors.AsType[*control.Refusal](err); is && r.Kind != control.NotFound && statuses[r.Kind] != 0 {
		return v.showHolds(statuses[r.Kind], &holdsData{Problem: r.Text, Of: id, Form: v.r.PostForm})
	}
	if err != nil {
		return err
	}
	return v.to(Root + "holds?done=" + done)
}
