package console

import (
	"errors"
	"strconv"
	"strings"

	"concord/jobs"
	"concord/jobs/control"
)

// workOnCase changes what people make of a case, as it was seen in the form.
func (v *visit) workOnCase() error {
	if err := v.form(); err != nil {
		return err
	}
	ctx, f := v.r.Context(), v.r.PostForm
	id, name := v.r.PathValue("id"), v.r.PathValue("case")
	rep, err := v.Desk.Report(ctx, id)
	if err != nil {
		return err
	}
	revision, err := strconv.ParseInt(f.Get("revision"), 10, 64)
	if err != nil {
		return &control.Refusal{Kind: control.Invalid, Text: "The form is none of this page; open the case again.", Err: err}
	}
	owner := strings.TrimSpace(f.Get("owner"))
	w := control.CaseWork{
		Filter: jobs.CasesFilter{Carrier: rep.Carrier, Period: rep.Period.Text, Cases: []string{name}}, State: f.Get("state"),
		Comment: strings.TrimSpace(strings.ReplaceAll(f.Get("comment"), "\r\n", "\n")), Revision: revision, By: v.by(),
	}
	if owner != f.Get("was_owner") {
		w.Owner = &owner
	}
	_, err = v.Desk.WorkOnCases(ctx, w)
	if r, is := errors.AsType[*control.Refusal](err); is && statuses[r.Kind] != 0 {
		return v.showCase(statuses[r.Kind], caseData{Refused: r.Text})
	}
	if err != nil {
		return err
	}
	return v.to(Root + "reports/" + id + "/cases/" + name)
}

// signOff takes a step on the way of a version to its approval.
func (v *visit) signOff() error {
	if err := v.form(); err != nil {
		return err
	}
	id, f := v.r.PathValue("id"), v.r.PostForm
	if f.Get("step") == string(jobs.StepReopen) && !control.Administer.Has(v.who.Role) {
		return v.deny(control.Administer)
	}
	_, err := v.Desk.StepSignOff(v.r.Context(), control.SignOffStep{Report: id, Step: f.Get("step"), Why: strings.TrimSpace(f.Get("why")), By: v.by()})
	if r, is := errors.AsType[*control.Refusal](err); is && statuses[r.Kind] != 0 {
		return v.showReport(statuses[r.Kind], r.Text)
	}
	if err != nil {
		return err
	}
	return v.to(Root + "reports/" + id)
}
