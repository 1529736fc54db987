package console

import (
	"strconv"

	"concord/jobs"
	"concord/jobs/control"
)

// mostErasures is how far the list of erasures goes back.
const mostErasures = 10_000

// erasures lists what was asked to be erased. Numbers are searched for and erased
// by the command line and the API only, as SUBJECTS.md says.
func (v *visit) erasures() error {
	from, err := offset(v.r.URL.Query().Get("offset"))
	if err == nil && from > mostErasures {
		err = &control.Refusal{Kind: control.Invalid, Text: "The list ends before this page; concord subject list --limit 0 has all."}
	}
	if err != nil {
		return err
	}
	list, err := v.Desk.Erasures(v.r.Context(), from+pageSize+1)
	if err != nil {
		return err
	}
	d := listOf(v, nil, list[min(from, len(list)):], func(control.Erasure) string { return "" })
	if d.Next != "" {
		d.Next = with(v.r.URL, "offset", strconv.Itoa(from+pageSize))
	}
	return v.page("erasures", "Erasures", d)
}

// erasing says what the state of an erasure means.
func erasing(state string) string {
	switch jobs.ErasureState(state) {
	case jobs.ErasureAsked:
		return "it waits for its turn, and for the runs that are under way"
	case jobs.ErasureWorking:
		return "no run begins until it is done"
	case jobs.ErasureScrub:
		return "all is erased, and the database forgets what it had"
	}
	return "it is done"
}

func (v *visit) erasure() error {
	e, err := v.Desk.Erasure(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.page("erasure", "Erasure asked for at "+clock(e.Asked, "2006-01-02 15:04"), &e)
}
