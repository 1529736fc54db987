package state_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"concord/exchange/landing"
	"concord/jobs"
	"concord/jobs/state"
)

const subjectDigits = "4930199988877"

// withoutSubject is a text without the number, in either of its forms.
func withoutSubject(text string) string {
	return strings.NewReplacer(subjectDigits, "E", "49 30 1999 88877", "E", "030/199988877", "E").Replace(text)
}

func holdsSubject(text string) bool { return withoutSubject(text) != text }

func erasureOf(id string) jobs.Erasure {
	return jobs.Erasure{ID: id, Number: "+" + subjectDigits, Pseudonym: "p1", By: "local:ops", Asked: now}
}

// entryWith is an accepted file in whose texts the number is.
func entryWith(id, sum string) jobs.Entry {
	return jobs.Entry{
		ID: id, Carrier: "fabrikam", Name: "cdr_" + subjectDigits + ".csv", SHA256: sum, Status: landing.StatusAccepted, Rows: 1, Accepted: 1,
		Reasons: []landing.Reason{{Reason: "a column +49 30 1999 88877"}}, Notes: []string{"none"}, Received: now, Decided: now,
	}
}

func record(t *testing.T, s *state.Store, e jobs.Entry) (got jobs.Entry, known jobs.Known) {
	t.Helper()
	got, err := s.Record(t.Context(), jobs.Arrival{Carrier: e.Carrier, Name: e.Name, SHA256: e.SHA256, Received: e.Received}, func(k jobs.Known) jobs.Entry {
		known = k
		return e
	})
	if err != nil {
		t.Fatal(err)
	}
	return got, known
}

// fine fails the test on an error.
func fine(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// An erasure is asked for once, goes its way, and ends with proofs and without
// the number.
func TestAnErasureGoesItsWay(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, url := t.Context(), fresh(t)
		s := open(t, url)
		first, err := s.AskErasure(ctx, erasureOf("a"))
		fine(t, err)
		if again, err := s.AskErasure(ctx, erasureOf("b")); err != nil || again.ID != "a" || first.State != jobs.ErasureAsked {
			t.Errorf("%+v, %v", again, err)
		}
		fine(t, s.AdvanceErasure(ctx, "a", jobs.ErasureWorking, nil))
		for range 2 {
			fine(t, s.NoteErased(ctx, "a", jobs.ErasedItem{Store: "files", Item: "x", Rows: 3}, jobs.ErasedItem{Store: "files", Item: "y", Rows: 4}))
		}
		if e, err := s.EndErasure(ctx, "a", now); err != nil || !e.Ended.IsZero() {
			t.Errorf("it ends before all is erased: %+v, %v", e, err)
		}
		fine(t, s.AdvanceErasure(ctx, "a", jobs.ErasureScrub, []string{"something"}))
		fine(t, s.Scrub(ctx))
		e, err := s.EndErasure(ctx, "a", now.Add(time.Second))
		if err != nil || e.State != jobs.ErasureEnded || e.Number != "" || e.Proof != "2" || len(e.Left) != 1 || len(e.Counts) != 1 || e.Counts[0] != (jobs.ErasedCount{Store: "files", Items: 2, Rows: 7}) {
			t.Errorf("%+v, %v", e, err)
		}
		if twice, err := s.EndErasure(ctx, "a", now.Add(time.Hour)); err != nil || twice.Proof != "2" || !twice.Ended.Equal(e.Ended) {
			t.Errorf("it ends twice: %+v, %v", twice, err)
		}
		proofs, err := s.Proofs(ctx, jobs.ProofFilter{Ref: "a"})
		if err != nil || len(proofs) != 2 || proofs[0].Class != "files" || proofs[0].Count != 2 || proofs[0].Act != jobs.ActErase {
			t.Errorf("%+v, %v", proofs, err)
		}
		if c, err := jobs.VerifyProofs(ctx, s); err != nil || c.Fault != "" {
			t.Errorf("%+v, %v", c, err)
		}
		if next, err := s.AskErasure(ctx, erasureOf("c")); err != nil || next.ID != "c" {
			t.Errorf("asked for once more: %+v, %v", next, err)
		}
		if _, err := s.Erasure(ctx, "z"); !errors.Is(err, jobs.ErrNoErasure) {
			t.Error(err)
		}
	})
}

// While a number is erased no run is claimed.
func TestNoRunBeginsWhileANumberIsErased(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		_, err := s.Enqueue(ctx, jobs.Run{ID: "0198b1f0-6c1e-7c3a-9d5e-1f2a3b4c5d6e", Job: "daily", Kind: "reconcile", Carrier: "fabrikam"}, now)
		fine(t, err)
		_, err = s.AskErasure(ctx, erasureOf("a"))
		fine(t, err)
		fine(t, s.AdvanceErasure(ctx, "a", jobs.ErasureWorking, nil))
		claim := func() error {
			_, err := s.Claim(ctx, jobs.ClaimOptions{Owner: "o", Now: now, Lease: time.Minute, Kinds: []string{"reconcile"}})
			return err
		}
		if err := claim(); !errors.Is(err, jobs.ErrNoRun) {
			t.Error(err)
		}
		fine(t, s.AdvanceErasure(ctx, "a", jobs.ErasureScrub, nil))
		fine(t, claim())
	})
}

// The number is taken out of the texts of every table, also out of those that
// nobody may change, which are guarded afterwards as before.
func TestATextIsTakenOutOfEveryTable(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, url := t.Context(), fresh(t)
		s := open(t, url)
		record(t, s, entryWith("f1", "s1"))
		other := entryWith("f2", "s2")
		other.Name, other.Reasons, other.Received = "other\xff"+subjectDigits+".csv", nil, now.Add(time.Minute)
		record(t, s, other)
		fine(t, s.Pause(ctx, jobs.Pause{Job: "daily", Why: "the owner of +" + subjectDigits + " complains", By: "x", Since: now}))
		fine(t, s.Note(ctx, jobs.AuditRow{Time: now, Who: "x", What: "y", Object: "z", Detail: "030/199988877"}))
		fine(t, s.KeepFeedRows(ctx, "feed", []jobs.FeedRow{{ID: "call-" + subjectDigits, Sum: "1", Start: now}}))
		_, err := s.AskErasure(ctx, erasureOf("a"))
		fine(t, err)
		found, err := s.FindText(ctx, holdsSubject)
		if err != nil || len(found) != 4 {
			t.Errorf("found %+v, %v", found, err)
		}
		for range 2 {
			fine(t, s.RewriteText(ctx, "a", withoutSubject))
		}
		if found, err := s.FindText(ctx, holdsSubject); err != nil || len(found) != 0 {
			t.Errorf("left %+v, %v", found, err)
		}
		e, err := s.Erasure(ctx, "a")
		if err != nil || len(e.Counts) != 4 || e.Counts[0].Items != 1 {
			t.Errorf("%+v, %v", e, err)
		}
		files, err := s.Files(ctx, "fabrikam")
		if err != nil || len(files) != 2 || files[0].Name != "cdr_E.csv" || files[0].Reasons[0].Reason != "a column +E" || files[1].Name != "other\xffE.csv" {
			t.Errorf("%+v, %v", files, err)
		}
		for _, statement := range []string{"UPDATE audit SET who = 'z'", "DELETE FROM audit"} {
			if _, err := database(t, url).Exec(statement); err == nil {
				t.Errorf("the trail can be changed: %s", statement)
			}
		}
	})
}

// A content that was erased is not held, and is known when it comes again.
func TestAnErasedContentIsKnown(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		e := entryWith("f1", "s1")
		record(t, s, e)
		for range 2 {
			fine(t, s.EraseContent(ctx, "a", "s1"))
		}
		if held, err := s.Holds(ctx, "s1"); held || err != nil {
			t.Errorf("held %v, %v", held, err)
		}
		e.ID, e.Received = "f2", now.Add(time.Hour)
		fine(t, s.Settle(ctx, "fabrikam", "f1"))
		if _, k := record(t, s, e); k.Erased != "a" || k.Content == nil || k.Content.Erased != "a" {
			t.Errorf("%+v", k)
		}
		if got, err := s.File(ctx, "f1"); err != nil || got.Erased != "a" || got.SHA256 != "s1" || got.Rows != 1 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Nothing of what was erased stays in the file of SQLite, or in its log.
// What is kept instead of a content is held like one, also when that is erased
// and replaced in its turn.
func TestWhatStandsForAnErasedContentIsKept(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		e := entryWith("f1", "s1")
		e.Microsoft = true
		record(t, s, e)
		fine(t, s.EraseContent(ctx, "a", "s1"))
		check := func(held, needed []string, instead string) {
			t.Helper()
			for _, sum := range []string{"s1", "s2", "s3"} {
				if h, err := s.Holds(ctx, sum); err != nil || h != slices.Contains(held, sum) {
					t.Errorf("%s is held: %v, %v", sum, h, err)
				}
			}
			got, err := s.NeededContents(ctx)
			slices.Sort(got)
			if err != nil || !slices.Equal(got, needed) {
				t.Errorf("%q are needed, %v", got, err)
			}
			if got, err := s.Instead(ctx, "s1"); err != nil || got != instead {
				t.Errorf("%q instead of s1, %v", got, err)
			}
		}
		check(nil, []string{"s1"}, "")
		fine(t, s.KeepInstead(ctx, "s1", "s2"))
		check([]string{"s2"}, []string{"s1", "s2"}, "s2")
		fine(t, s.EraseContent(ctx, "b", "s2"))
		check(nil, []string{"s1", "s2"}, "s2")
		fine(t, s.KeepInstead(ctx, "s2", "s3"))
		check([]string{"s3"}, []string{"s1", "s2", "s3"}, "s3")
	})
}

func TestNothingStaysInTheFile(t *testing.T) {
	ctx, dir := t.Context(), t.TempDir()
	s, err := state.Open(ctx, dir)
	fine(t, err)
	defer func() { fine(t, s.Close()) }()
	for i := range 200 {
		e := entryWith("f"+strings.Repeat("x", i), "s"+strings.Repeat("x", i))
		e.Received = now.Add(time.Duration(i) * time.Second)
		record(t, s, e)
	}
	_, err = s.AskErasure(ctx, erasureOf("a"))
	fine(t, err)
	fine(t, s.RewriteText(ctx, "a", withoutSubject))
	fine(t, s.AdvanceErasure(ctx, "a", jobs.ErasureScrub, nil))
	fine(t, s.Scrub(ctx))
	_, err = s.EndErasure(ctx, "a", now)
	fine(t, err)
	list, err := os.ReadDir(dir)
	fine(t, err)
	for _, f := range list {
		b, err := os.ReadFile(filepath.Join(dir, f.Name()))
		fine(t, err)
		if strings.Contains(string(b), subjectDigits) || strings.Contains(string(b), "1999 88877") {
			t.Errorf("%s holds the number", f.Name())
		}
	}
}
