package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/control"

	"golang.org/x/net/html"
)

// fillPrivacy records a hold that stands and one that was released, an erasure that
// ended, and their proofs, with hostile texts wherever somebody writes one.
func (w *world) fillPrivacy(t testing.TB) {
	t.Helper()
	ctx, by := t.Context(), control.By(payloads[4])
	why := strings.Join(payloads, " ") + " about " + canary
	over, err := w.desk.Hold(ctx, control.NewHold{Carrier: "fabrikam", Period: "2026-08", Why: why, By: by})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.desk.Release(ctx, over.ID, why, by); err != nil {
		t.Fatal(err)
	}
	h, err := w.desk.Hold(ctx, control.NewHold{Carrier: "fabrikam", Period: "2026-10", Why: why, By: by})
	if err != nil {
		t.Fatal(err)
	}
	w.hold = h.ID
	e, err := w.store.AskErasure(ctx, jobs.Erasure{ID: "0198b1f0-0000-7000-8000-00000000000e", Number: canary, Pseudonym: "p", By: payloads[1], Asked: w.now})
	if err == nil {
		err = w.store.AdvanceErasure(ctx, e.ID, jobs.ErasureWorking, nil)
	}
	if err == nil {
		err = w.store.NoteErased(ctx, e.ID, jobs.ErasedItem{Store: "files", Item: "x", Rows: 3})
	}
	if err == nil {
		err = w.store.AdvanceErasure(ctx, e.ID, jobs.ErasureScrub, append([]string{"tell " + canary}, payloads...))
	}
	if err == nil {
		_, err = w.store.EndErasure(ctx, e.ID, w.now)
	}
	if err != nil {
		t.Fatal(err)
	}
	w.erasure = e.ID
}

// fields returns what the form for an address holds, by the names of its fields.
func fields(t *testing.T, page, action string) map[string]string {
	t.Helper()
	all := map[string]string{}
	every(t, page, func(n *html.Node) {
		if n.Data != "form" || attr(n, "action") != action || attr(n, "method") != "post" {
			return
		}
		for x := range n.Descendants() {
			if x.Data == "input" {
				all[attr(x, "name")] = attr(x, "value")
			}
		}
	})
	if len(all) == 0 {
		t.Fatalf("no form for %s", action)
	}
	return all
}

func TestAHoldIsPlacedOnceAndReleasedWithAReason(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "finance")
	_, page := b.get("/console/holds")
	id := fields(t, page, "/console/holds")["id"]
	for range 2 { // a form sent twice places one
		status, page := b.post("/console/holds", "id", id, "carrier", "litware", "period", "2026-09", "why", payloads[0]+canary)
		if status != http.StatusOK || !strings.Contains(page, "It is held") || strings.Contains(page, canary[1:]) {
			t.Errorf("placing answers %d", status)
		}
		inert(t, "placed", page)
	}
	standing, err := w.desk.Holds(t.Context(), "litware", true)
	if err != nil || len(standing) != 1 || standing[0].By != "finance" || standing[0].ID != id {
		t.Fatal(standing, err)
	}
	if rows := w.audit(t, "hold.add"); len(rows) != 3 || !strings.HasPrefix(rows[0], "finance "+id) {
		t.Errorf("noted: %v", rows)
	}
	for name, x := range map[string]struct {
		form   []string
		status int
		want   string
	}{
		"no reason":                   {[]string{"carrier", "litware", "period", "2026-09"}, http.StatusBadRequest, "why: required"},
		"no carrier of ours":          {[]string{"carrier", "contoso", "period", "2026-09", "why", "x"}, http.StatusNotFound, "contoso"},
		"hostile":                     {[]string{"carrier", payloads[1], "period", payloads[0], "why", payloads[4]}, http.StatusBadRequest, "carrier"},
		"no period":                   {[]string{"carrier", "litware", "period", payloads[0], "why", payloads[4]}, http.StatusBadRequest, "the period"},
		"an id that was made up":      {[]string{"id", "x", "carrier", "litware", "period", "2026-09", "why", "x"}, http.StatusBadRequest, "UUID"},
		"the form with another month": {[]string{"id", id, "carrier", "litware", "period", "2026-08", "why", "x"}, http.StatusConflict, "placed before"},
	} {
		status, page := b.post("/console/holds", x.form...)
		if status != x.status || !strings.Contains(page, x.want) {
			t.Errorf("%s: answers %d without %q", name, status, x.want)
		}
		inert(t, name, page)
	}
	_, page = b.post("/console/holds", "carrier", "litware", "period", "2026-07", "why", "")
	if f := fields(t, page, "/console/holds"); f["period"] != "2026-07" || f["carrier"] != "litware" {
		t.Errorf("what was typed is gone: %v", f)
	}
	path := "/console/holds/" + id + "/release"
	status, page := b.post(path, "why", " ")
	if status != http.StatusBadRequest || !strings.Contains(page, "how the dispute ended") || !strings.Contains(page, "<details open>") {
		t.Errorf("a release without a reason answers %d", status)
	}
	if status, page = b.post(path, "why", payloads[1]); status != http.StatusOK || !strings.Contains(page, "The hold is released") {
		t.Errorf("a release answers %d", status)
	}
	inert(t, "released", page)
	if status, _ = b.post(path, "why", "again"); status != http.StatusConflict {
		t.Errorf("a release of what was released answers %d", status)
	}
	if status, _ = b.post("/console/holds/nothing/release", "why", "x"); status != http.StatusNotFound {
		t.Errorf("a release of nothing answers %d", status)
	}
	if standing, err = w.desk.Holds(t.Context(), "litware", true); err != nil || len(standing) != 0 || len(w.audit(t, "hold.release")) != 2 {
		t.Error(standing, err)
	}
	_, page = b.get("/console/proofs?ref=" + id)
	if strings.Count(page, "dispute hold") != 2 {
		t.Error("placing and releasing have not left two proofs")
	}
}

func TestHoldsHavePages(t *testing.T) {
	w := newWorld(t)
	for i := range 50 {
		if _, err := w.desk.Hold(t.Context(), control.NewHold{Carrier: "litware", Period: "2026-10", Why: fmt.Sprintf("number %02d of them", i), By: "finance"}); err != nil {
			t.Fatal(err)
		}
	}
	b := w.as(t, "ops")
	_, first := b.get("/console/holds")
	_, second := b.get(next(t, first))
	if strings.Contains(first, "fabrikam") || !strings.Contains(first, "number 00") || !strings.Contains(second, "fabrikam") || strings.Contains(second, "number") {
		t.Error("the pages are not one after the other")
	}
	if strings.Contains(second, "/release") || strings.Contains(second, "Place a hold") {
		t.Error("ops are offered what they may not do")
	}
}

// next is the address of the page after one.
func next(t *testing.T, page string) (address string) {
	t.Helper()
	every(t, page, func(n *html.Node) {
		if attr(n, "rel") == "next" {
			address = attr(n, "href")
		}
	})
	if address == "" {
		t.Fatal("there is no next page")
	}
	return address
}

// chain is a long one in memory.
type chain struct {
	control.Privacy
	list []jobs.Proof
	err  error
}

func chainOf(t *testing.T, n int) *chain {
	t.Helper()
	c, prev := &chain{}, jobs.FirstProof
	for i := range n {
		p, err := jobs.Proof{At: time.Date(2026, 11, 1, 0, 0, i, 0, time.UTC), Act: jobs.ActPurge, Class: "raw", Rule: "retention.raw: 30d", By: payloads[0], Count: 1}.Seal(int64(i), prev)
		if err != nil {
			t.Fatal(err)
		}
		c.list, prev = append(c.list, p), p.Sum
	}
	return c
}

func (c *chain) ProofHead(context.Context) (int64, string, error) {
	last := c.list[len(c.list)-1]
	return last.Seq, last.Sum, nil
}

func (c *chain) Proofs(_ context.Context, f jobs.ProofFilter) (list []jobs.Proof, err error) {
	for _, p := range c.list {
		if p.Seq > f.After && (f.Before == 0 || p.Seq < f.Before) {
			list = append(list, p)
		}
	}
	if f.Latest {
		slices.Reverse(list)
	}
	if f.Limit > 0 {
		list = list[:min(f.Limit, len(list))]
	}
	return list, c.err
}

func TestTheChainOfProofsIsPagedVerifiedAndExported(t *testing.T) {
	w := newWorld(t)
	c := chainOf(t, 1001) // more than two pages of the export
	w.desk.Chain = c
	b := w.as(t, "ops")
	_, page := b.get("/console/proofs")
	if !strings.Contains(page, `<td class="num">1,001</td>`) || !strings.Contains(page, `<td class="num">952</td>`) || strings.Contains(page, `<td class="num">951</td>`) {
		t.Error("the first page has not the last fifty")
	}
	if _, page = b.get(next(t, page)); !strings.Contains(page, `<td class="num">951</td>`) || strings.Contains(page, `<td class="num">952</td>`) {
		t.Error("the second page does not go on where the first ended")
	}
	inert(t, "proofs", page)
	if _, page = b.get("/console/proofs?verify=1"); !strings.Contains(page, "The chain is right: 1,001 proofs") || !strings.Contains(page, c.list[1000].Sum) {
		t.Error("the chain is not said to be right")
	}
	status, text := b.get("/console/proofs/export")
	got, err := jobs.CheckProofs(func(yield func(jobs.Proof, error) bool) {
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		for {
			var p control.Proof
			if err := d.Decode(&p); errors.Is(err, io.EOF) || !yield(p.Link(), err) {
				return
			}
		}
	})
	if status != http.StatusOK || err != nil || got != (jobs.ProofCheck{Count: 1001, Last: c.list[1000].Sum}) {
		t.Errorf("the export answers %d: %+v, %v", status, got, err)
	}
	c.list[499].Count = 7
	if _, page = b.get("/console/proofs?verify=1"); !strings.Contains(page, "The chain is not right: proof 500 was changed") {
		t.Error("a proof that was changed is not found")
	}
	for err, want := range map[error]int{fmt.Errorf("read: %w", context.DeadlineExceeded): http.StatusInternalServerError, errors.New("no disk"): http.StatusInternalServerError} {
		c.err = err
		if status, _ := b.get("/console/proofs/export"); status != want {
			t.Errorf("an export that cannot begin answers %d", status)
		}
	}
}

// slow is a chain whose look-through waits.
type slow struct {
	*chain
	began, goOn chan struct{}
}

func (s *slow) Proofs(ctx context.Context, f jobs.ProofFilter) ([]jobs.Proof, error) {
	if !f.Latest {
		if _, bounded := ctx.Deadline(); !bounded {
			return nil, errors.New("it may look for ever")
		}
		s.began <- struct{}{}
		<-s.goOn
		return nil, fmt.Errorf("list proofs: %w", context.DeadlineExceeded)
	}
	return s.chain.Proofs(ctx, f)
}

func TestTheChainIsLookedThroughOnceAtATimeAndNotForEver(t *testing.T) {
	w := newWorld(t)
	s := &slow{chainOf(t, 3), make(chan struct{}), make(chan struct{})}
	w.desk.Chain = s
	a, b := w.as(t, "finance"), w.as(t, "ops")
	pages := make(chan string)
	go func() {
		_, page := a.get("/console/proofs?verify=1")
		pages <- page
	}()
	<-s.began
	if status, page := b.get("/console/proofs?verify=1"); status != http.StatusOK || !strings.Contains(page, "for somebody else") || !strings.Contains(page, "retention.raw") {
		t.Errorf("a second one answers %d", status)
	}
	close(s.goOn)
	if page := <-pages; !strings.Contains(page, "too long for a page") {
		t.Error("one that takes too long does not say so")
	}
}

func TestAnErasureSaysWhatItDidAndWhatIsLeft(t *testing.T) {
	w := newWorld(t)
	b := w.as(t, "admin")
	_, page := b.get("/console/erasures")
	if !strings.Contains(page, "concord subject erase") || strings.Contains(page, `name="number"`) {
		t.Error("the list does not say how a number is erased")
	}
	_, page = b.get("/console/erasures/" + w.erasure)
	for _, want := range []string{`<th scope="row">files</th><td class="num">1</td><td class="num">3</td>`, "tell " + jobs.Mask(canary), "Remove backups", "it is done", "/console/proofs?ref=" + w.erasure} {
		if !strings.Contains(html.UnescapeString(page), want) {
			t.Errorf("the erasure does not say %q", want)
		}
	}
	if _, page = b.get("/console/proofs"); !strings.Contains(page, "/console/erasures/"+w.erasure) {
		t.Error("its proofs do not lead to it")
	}
	if _, page = w.as(t, "ops").get("/console/proofs"); strings.Contains(page, "/console/erasures") {
		t.Error("ops are led to erasures")
	}
	for i := range 50 {
		if _, err := w.store.AskErasure(t.Context(), jobs.Erasure{ID: fmt.Sprintf("0198b1f0-0000-7000-8000-0000000001%02d", i), Number: canary, Pseudonym: fmt.Sprint(i), Asked: w.now}); err != nil {
			t.Fatal(err)
		}
	}
	_, page = b.get("/console/erasures")
	if _, page = b.get(next(t, page)); strings.Count(page, "/console/erasures/0198") != 1 || !strings.Contains(page, w.erasure) {
		t.Error("the second page has not the oldest one")
	}
}
