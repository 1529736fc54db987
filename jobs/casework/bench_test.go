package casework_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"sync"
	"testing"
	"time"

	"concord/jobs"
	"concord/jobs/casework"
	"concord/jobs/state"
)

// mill publishes versions with many cases, and has a clerk take them over.
type mill struct {
	*testing.B
	casework.Clerk
	store *state.Store
	at    time.Time
}

func newMill(b *testing.B, url string) *mill {
	b.Helper()
	s, err := state.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	m := &mill{B: b, store: s, at: now}
	m.Clerk = casework.Clerk{State: s, Folder: b.TempDir(), Now: func() time.Time { return m.at }}
	return m
}

func (m *mill) must(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

// million is how many cases there are, of carriers of periods; MILLION=N takes
// another number.
func million() int {
	n, _ := strconv.Atoi(os.Getenv("MILLION"))
	return cmp.Or(n, 1_000_000)
}

const (
	millCarriers = 5
	millPeriods  = 4
)

// publish records a version with cases, of which it writes the files.
func (m *mill) publish(carrier string, day, version, cases int, changes func(*bufio.Writer)) jobs.Report {
	m.Helper()
	from := now.AddDate(0, 0, day)
	p := jobs.Period{From: from, To: from.AddDate(0, 0, 1), Text: from.Format(time.DateOnly)}
	_, err := m.store.Enqueue(m.Context(), jobs.Run{Job: "daily", Carrier: carrier, Period: p}, m.at)
	m.must(err)
	r, err := m.store.Claim(m.Context(), jobs.ClaimOptions{Owner: "a", Now: m.at, Lease: time.Hour})
	m.must(err)
	name := fmt.Sprint(carrier, "/", p.Text, "/v", version)
	rep, err := m.store.Publish(m.Context(), r.Lease(), jobs.Report{ID: name, Folder: name, Carrier: carrier, Period: p, Version: version, Job: "daily"}, nil, m.at)
	m.must(err)
	m.must(os.MkdirAll(filepath.Join(m.Folder, name), 0o750))
	if version == 1 {
		m.write(filepath.Join(m.Folder, name, "discrepancies.csv"), listed, func(w *bufio.Writer) {
			for i := range cases {
				m.case1(w, day, i)
			}
		})
		return rep
	}
	m.write(filepath.Join(m.Folder, name, "changes.csv"), changed, changes)
	return rep
}

// millClasses are of cases by their number: most are of one.
var millClasses = []string{"duration_over", "duration_over", "duration_over", "duration_over", "missing_at_carrier", "missing_at_carrier", "duration_under", "number_mismatch", "time_mismatch"}

func millClass(i int) string {
	if i%50_000 == 777 {
		return "answer_conflict" // few
	}
	return millClasses[i%len(millClasses)]
}

// millID is the id of a case: as a hash, in no order.
func millID(day, i int) string {
	h := uint64(i)*0x9E3779B97F4A7C15 ^ uint64(day)*0xBF58476D1CE4E5B9
	h ^= h >> 31
	return fmt.Sprintf("%016x%08x", h*0x94D049BB133111EB, i)
}

func (m *mill) case1(w *bufio.Writer, day, i int) {
	at := now.AddDate(0, 0, day).Add(time.Duration(i) * 50 * time.Millisecond).Format("2006-01-02T15:04:05.000Z")
	fmt.Fprintf(w, "%s,%s,%s,%s,%d,%d,%d,%d,%d\n", millID(day, i), millClass(i), at, at, 60+i%90, 61+i%90, 1, i+1, i+1)
}

func (m *mill) write(name, header string, rows func(*bufio.Writer)) {
	m.Helper()
	f, err := os.Create(name)
	m.must(err)
	w := bufio.NewWriterSize(f, 1<<16)
	_, err = w.WriteString(header)
	m.must(err)
	rows(w)
	m.must(w.Flush())
	m.must(f.Close())
}

// differ writes how n of a period's cases change.
func differ(day, n, seconds int) func(*bufio.Writer) {
	return func(w *bufio.Writer) {
		for i := range n {
			fmt.Fprintf(w, "changed,%s,%s,%s,1,%d,,,%d,%d,carrier_seconds difference_seconds,,%d\n", millID(day, i), millClass(i), millClass(i), seconds, 60+i%90, 60+seconds+i%90, 61+i%90)
		}
	}
}

func (m *mill) take() {
	m.Helper()
	waiting, err := m.CatchUp(m.Context(), "")
	m.must(err)
	if len(waiting) > 0 {
		m.Fatal(waiting)
	}
}

// watched does something, and reports its time, the peak of the heap above what
// was in use before, and the longest that another writer had to wait meanwhile.
func watched(b *testing.B, m *mill, do func()) {
	b.Helper()
	b.StopTimer()
	debug.FreeOSMemory()
	live := heap()
	ctx, stop := context.WithCancel(b.Context())
	var peak uint64
	var longest time.Duration
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			peak = max(peak, heap())
			runtime.Gosched()
			time.Sleep(2 * time.Millisecond)
		}
	})
	wg.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			start := time.Now()
			if _, _, err := m.store.Raise(ctx, jobs.Alert{Key: strconv.Itoa(i % 50), Kind: jobs.AlertDisk}, m.at); err != nil && ctx.Err() == nil {
				b.Error(err)
			}
			longest = max(longest, time.Since(start))
			time.Sleep(5 * time.Millisecond)
		}
	})
	b.StartTimer()
	do()
	b.StopTimer()
	stop()
	wg.Wait()
	b.ReportMetric(float64(peak-min(peak, live))/(1<<20), "peak-MiB")
	b.ReportMetric(float64(longest.Milliseconds()), "other-writer-ms")
	b.StartTimer()
}

func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// BenchmarkMillion has a register of a million cases: -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	eachDatabase(b, func(b *testing.B, fresh func(testing.TB) string) {
		b.Run("version", func(b *testing.B) { benchVersions(b, fresh) })
		m := newMill(b, fresh(b))
		for c := range millCarriers {
			for d := range millPeriods {
				m.at = now.AddDate(0, 0, d*20)
				m.publish(fmt.Sprint("carrier ", c), d, 1, million()/millCarriers/millPeriods, nil)
				m.take()
			}
		}
		m.at = now.AddDate(0, 0, 100)
		b.Run("page", func(b *testing.B) { benchRegister(b, m) })
		b.Run("work", func(b *testing.B) { benchWork(b, m) })
		b.Run("page after work", func(b *testing.B) { benchRegister(b, m) })
	})
}

// benchVersions takes versions over, of one period each.
func benchVersions(b *testing.B, fresh func(testing.TB) string) {
	m := newMill(b, fresh(b))
	day := 0
	for _, n := range []int{million() / 5, million()} {
		first, version := 0, 2
		b.Run(fmt.Sprint("first of ", n), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				day++
				first = day
				m.publish("contoso", day, 1, n, nil)
				b.StartTimer()
				watched(b, m, m.take)
			}
		})
		next := func(cases int) func(b *testing.B) {
			return func(b *testing.B) {
				for b.Loop() {
					b.StopTimer()
					m.publish("contoso", first, version, n, differ(first, cases, version))
					version++
					b.StartTimer()
					watched(b, m, m.take)
				}
			}
		}
		b.Run(fmt.Sprint("1 per cent of ", n), next(n/100))
		b.Run(fmt.Sprint("a fifth of ", n), next(n/5))
		_, _, err := m.store.ListCases(b.Context(), jobs.CasesFilter{Limit: 1})
		m.must(err)
		old, err := m.store.Reports(b.Context(), jobs.ReportFilter{Carrier: "contoso"})
		m.must(err)
		b.Run(fmt.Sprint("since sign-off, a fifth of ", n), func(b *testing.B) {
			for b.Loop() {
				watched(b, m, func() {
					differ := 0
					if _, err := m.Since(b.Context(), old[version-2], func(*casework.Difference) { differ++ }); err != nil || differ == 0 {
						b.Fatal(differ, err)
					}
				})
			}
		})
	}
}

// benchRegister asks for what the page of the register shows.
func benchRegister(b *testing.B, m *mill) {
	for _, c := range []struct {
		name string
		f    jobs.CasesFilter
	}{
		{"all", jobs.CasesFilter{}},
		{"carrier", jobs.CasesFilter{Carrier: "carrier 2"}},
		{"period", jobs.CasesFilter{Period: now.Format(time.DateOnly)}},
		{"carrier and period", jobs.CasesFilter{Carrier: "carrier 2", Period: now.Format(time.DateOnly)}},
		{"class", jobs.CasesFilter{Classes: []string{"duration_over"}}},
		{"class of few", jobs.CasesFilter{Classes: []string{"answer_conflict"}}},
		{"class of none", jobs.CasesFilter{Classes: []string{"invalid"}}},
		{"open", jobs.CasesFilter{States: []jobs.CaseState{jobs.CaseOpen}}},
		{"disputed", jobs.CasesFilter{States: []jobs.CaseState{jobs.CaseDisputed}}},
		{"disputed of a class", jobs.CasesFilter{States: []jobs.CaseState{jobs.CaseDisputed}, Classes: []string{"time_mismatch"}}},
		{"owner", jobs.CasesFilter{Owner: "ann"}},
		{"nobody", jobs.CasesFilter{Unowned: true}},
		{"60 days open", jobs.CasesFilter{Before: m.at.AddDate(0, 0, -60)}},
		{"days open of a class and carrier", jobs.CasesFilter{Before: m.at.AddDate(0, 0, -60), Classes: []string{"number_mismatch"}, Carrier: "carrier 4"}},
		{"one case", jobs.CasesFilter{Cases: []string{millID(2, 471)}}},
	} {
		c.f.Limit = 50
		last := lastPage(b, m, c.f)
		b.Run(c.name+"/first", func(b *testing.B) { benchPage(b, m, c.f, "") })
		b.Run(c.name+"/last", func(b *testing.B) { benchPage(b, m, c.f, last) })
	}
	b.Run("evidence", func(b *testing.B) {
		for b.Loop() {
			_, _, err := m.store.CaseTrail(b.Context(), jobs.CasesFilter{Carrier: "carrier 2", Cases: []string{millID(2, 471)}})
			m.must(err)
		}
	})
	b.Run("API, all pages of a carrier", func(b *testing.B) {
		for b.Loop() {
			f := jobs.CasesFilter{Carrier: "carrier 2", Limit: 1000}
			for {
				_, next, err := m.store.ListCases(b.Context(), f)
				m.must(err)
				if f.After = next; next == "" {
					break
				}
			}
		}
	})
}

// benchPage is what a page of the register asks for.
func benchPage(b *testing.B, m *mill, f jobs.CasesFilter, after string) {
	ages := f
	f.After = after
	for b.Loop() {
		m.take()
		if _, err := m.store.AgeCases(b.Context(), ages, []time.Time{m.at.AddDate(0, 0, -7), m.at.AddDate(0, 0, -30), m.at.AddDate(0, 0, -60), m.at.AddDate(0, 0, -90)}); err != nil {
			b.Fatal(err)
		}
		if _, _, err := m.store.ListCases(b.Context(), f); err != nil {
			b.Fatal(err)
		}
	}
}

// lastPage is a cursor that has at most a page behind it: the oldest period is
// the last one.
func lastPage(b *testing.B, m *mill, f jobs.CasesFilter) string {
	b.Helper()
	f.Limit = 20_000
	for last := ""; ; {
		list, next, err := m.store.ListCases(b.Context(), f)
		m.must(err)
		if next == "" {
			if len(list) <= 50 {
				return last
			}
			f.After, f.Limit = last, len(list)-50
			_, next, err = m.store.ListCases(b.Context(), f)
			m.must(err)
			return next
		}
		last, f.After = next, next
	}
}

// benchWork works on one case and on many, there and back.
func benchWork(b *testing.B, m *mill) {
	one := jobs.CasesFilter{Carrier: "carrier 2", Cases: []string{millID(2, 471)}}
	few := jobs.CasesFilter{Carrier: "carrier 2", Period: now.Format(time.DateOnly), Classes: []string{"duration_under", "time_mismatch"}}
	n := 0
	for _, c := range []struct {
		name string
		f    jobs.CasesFilter
	}{{"one", one}, {"about 10,000", few}, {"a fifth", jobs.CasesFilter{Carrier: "carrier 1"}}, {"all", jobs.CasesFilter{Before: m.at}}} {
		do := func(b *testing.B, w jobs.CaseWork) {
			n++
			w.ID, w.By, w.Filter, w.Comment = fmt.Sprint("w", n), "ann", c.f, "sent on Monday"
			done, err := m.store.WorkOnCases(b.Context(), w, m.at)
			if m.must(err); done.Applied.Cases == 0 {
				b.Fatal("nothing was done")
			}
			b.ReportMetric(float64(done.Applied.Cases), "cases")
		}
		b.Run(c.name+"/look", func(b *testing.B) {
			for b.Loop() {
				do(b, jobs.CaseWork{To: jobs.CaseDisputed, DryRun: true})
			}
		})
		for _, to := range []jobs.CaseState{jobs.CaseDisputed, jobs.CaseOpen, jobs.CaseDisputed} {
			b.Run(c.name+"/"+string(to), func(b *testing.B) {
				for b.Loop() {
					watched(b, m, func() { do(b, jobs.CaseWork{To: to}) })
				}
			})
		}
	}
	ann := "ann"
	b.Run("own a period", func(b *testing.B) {
		for b.Loop() {
			n++
			_, err := m.store.WorkOnCases(b.Context(), jobs.CaseWork{ID: fmt.Sprint("w", n), By: "ann", Filter: few, Owner: &ann}, m.at)
			m.must(err)
		}
	})
}
