package jobs

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"concord/engine"
	"concord/exchange/landing"
	"concord/fixtures/hostile"
	"concord/formats"
)

const (
	carrierRow2  = "c2,+4930123456,+33145678901,2026-10-01T12:10:00Z,90500\n"
	badRow       = "c3,+4930123456,+33145678901,+4930123456,90500\n"
	plainProfile = "carrier: fabrikam\ncolumns: {record_id: record_id, caller: caller, callee: callee, start: start, duration_ms: duration_ms}\n"
	withTrailer  = plainProfile + "trailer: {prefix: \"T,\", count: 2, seconds: 3}\n"
)

// look inspects a content in this process.
func look(t *testing.T, content []byte, profile string) *Inspection {
	t.Helper()
	in := files(t, map[string]string{"c": string(content), "profile.yaml": profile})
	o := InspectOptions{Path: in("c"), Name: "c", Carrier: "fabrikam", Rejects: in("rejects.csv")}
	if profile != "" {
		o.Profile = in("profile.yaml")
	}
	found, err := inspect(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := io.WriteString(w, text)
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func parquetOf(t *testing.T, rows int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := formats.NewCanonicalWriter(&b, engine.Carrier, formats.CanonicalParquet, formats.CanonicalOptions{})
	calls := make([]engine.Call, rows)
	for i := range calls {
		calls[i] = engine.Call{RecordID: fmt.Sprint("c", i), Caller: engine.ParseNumber("+4930123456"), Start: int64(i), DurationMS: 1000}
	}
	if err == nil {
		err = errors.Join(w.Write(calls), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var trusts = []landing.Trust{landing.Doubtful, landing.Closed, landing.Vouched}

func TestPackedFilesAndParquetCutAnywhereAreNeverWhole(t *testing.T) {
	for name, b := range map[string][]byte{"gzip": packed(t, carrierCSV+carrierRow2), "parquet": parquetOf(t, 20)} {
		t.Run(name, func(t *testing.T) {
			step := 1 + len(b)/400
			for n := 1; n < len(b); n += step {
				found := look(t, b[:n], "")
				for _, trust := range trusts {
					if s := found.standing(trust, true); s.why == "" || s.more != (trust != landing.Vouched) {
						t.Errorf("cut after %d of %d bytes, trust %d: %+v", n, len(b), trust, s)
					}
				}
			}
			for _, trust := range trusts {
				if s := look(t, b, "").standing(trust, false); s != (standing{proof: proofContent}) {
					t.Errorf("whole, trust %d: %+v", trust, s)
				}
			}
		})
	}
}

func TestTextWithATrailerCutAnywhereIsNeverWhole(t *testing.T) {
	for _, text := range []string{carrierCSV + carrierRow2 + "T,2,165.5", strings.ReplaceAll(carrierCSV+carrierRow2+"T,2,165.5", "\n", "\r\n")} {
		// The last three bytes say less than a second.
		for n := 1; n < len(text)-2; n++ {
			found := look(t, []byte(text[:n]), withTrailer)
			for _, trust := range trusts {
				if s := found.standing(trust, true); s.why == "" {
					t.Errorf("cut after %d of %d bytes, trust %d: %+v", n, len(text), trust, s)
				}
			}
		}
		if s := look(t, []byte(text+"\n"), withTrailer).standing(landing.Doubtful, false); s != (standing{proof: proofContent}) {
			t.Errorf("whole: %+v", s)
		}
		found := look(t, []byte(text), withTrailer)
		if s := found.standing(landing.Doubtful, false); s.why != whyDoubtful || !s.more {
			t.Errorf("without the last line end: %+v", s)
		}
		if s := found.standing(landing.Closed, false); s != (standing{proof: proofClosed}) {
			t.Errorf("without the last line end, closed: %+v", s)
		}
	}
}

func TestPlainTextIsWholeAtLineEndsAndByTrustOnly(t *testing.T) {
	text := carrierCSV + carrierRow2
	header := strings.Index(text, "\n")
	for n := 1; n <= len(text); n++ {
		found := look(t, []byte(text[:n]), "")
		ended := text[n-1] == '\n'
		if s := found.standing(landing.Doubtful, true); s.why == "" || !s.more {
			t.Errorf("doubtful, cut after %d bytes: %+v", n, s)
		}
		if s := found.standing(landing.Closed, true); (s.why == "") != ended || s.more == ended {
			t.Errorf("closed, cut after %d bytes: %+v", n, s)
		}
		// The last line without its end is a row as well, if it is one.
		usable := n >= header && len(found.Faults) == 0
		if s := found.standing(landing.Vouched, true); (s.why == "") != usable || s.more {
			t.Errorf("vouched, cut after %d bytes: %+v", n, s)
		}
	}
}

func TestAFileOfNothingIsAReportOnlyUnderANumber(t *testing.T) {
	gz := look(t, packed(t, ""), "")
	header := look(t, []byte(strings.SplitAfter(carrierCSV, "\n")[0]), "")
	cases := []struct {
		name     string
		found    *Inspection
		trust    landing.Trust
		numbered bool
		want     standing
	}{
		{"no bytes, no number", nothing(), landing.Closed, false, standing{more: true, why: whyEmpty}},
		{"no bytes, no number, vouched", nothing(), landing.Vouched, false, standing{why: whyEmpty}},
		{"no bytes, doubtful", nothing(), landing.Doubtful, true, standing{more: true, why: whyDoubtful}},
		{"no bytes, closed", nothing(), landing.Closed, true, standing{proof: proofClosed}},
		{"no bytes, vouched", nothing(), landing.Vouched, true, standing{proof: proofVouched}},
		{"a gzip of nothing", gz, landing.Doubtful, true, standing{proof: proofContent}},
		{"a gzip of nothing without a number", gz, landing.Doubtful, false, standing{why: whyEmpty}},
		{"a header, doubtful", header, landing.Doubtful, true, standing{more: true, why: whyDoubtful}},
		{"a header, closed", header, landing.Closed, true, standing{proof: proofClosed}},
		{"a header, closed, no number", header, landing.Closed, false, standing{proof: proofClosed}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if s := c.found.standing(c.trust, c.numbered); s != c.want {
				t.Errorf("%+v, want %+v", s, c.want)
			}
		})
	}
}

func TestTooManyBadRowsRejectAFileThatIsWhole(t *testing.T) {
	text := carrierCSV + strings.Repeat(badRow, 12)
	found := look(t, []byte(text), "")
	if s := found.standing(landing.Closed, false); s.more || !strings.Contains(s.why, "more than 5 % of its rows could not be read") {
		t.Errorf("closed: %+v", s)
	}
	if s := found.standing(landing.Doubtful, false); !s.more {
		t.Errorf("good rows could still come: %+v", s)
	}
	if len(found.Reasons) != 12 || found.Reasons[0] != (landing.Reason{Line: 3, Row: 2, Field: "start", Reason: found.Reasons[0].Reason}) {
		t.Errorf("%+v", found.Reasons)
	}
}

func TestAWorkerListsTheRowsThatItCannotRead(t *testing.T) {
	in := files(t, map[string]string{"c": carrierCSV + strings.Repeat(badRow, 60) + strings.Repeat(carrierRow2, 2000)})
	found, err := worker("nothing").Inspect(context.Background(), InspectOptions{Path: in("c"), Name: "day/c.csv", Rejects: in("rejects.csv")})
	if err != nil {
		t.Fatal(err)
	}
	if found.Rows != 2061 || found.Accepted != 2001 || found.BadRows != 60 || len(found.Reasons) != mostReasons || found.DurationMS != 75_000+2000*90_500 {
		t.Errorf("%+v", found)
	}
	b, err := os.ReadFile(in("rejects.csv"))
	lines := strings.Split(string(b), "\n")
	if err != nil || len(lines) != 62 || lines[0] != "side,file,line,row_group,row,field,reason" || !strings.HasPrefix(lines[60], "carrier,day/c.csv,62,,61,start,") {
		t.Errorf("%v %q", err, lines)
	}
	if strings.Contains(string(b)+fmt.Sprint(found), "4930123456") {
		t.Error("a number is shown")
	}
	onlyFiles(t, in("."), 2)
}

func TestAFileThatKillsItsWorkerHasAFault(t *testing.T) {
	for _, how := range []string{"panic", "nothing"} {
		in := files(t, map[string]string{"killer.csv": carrierCSV})
		found, err := worker(how).Inspect(context.Background(), InspectOptions{Path: in("killer.csv"), Name: "killer.csv"})
		if err != nil {
			t.Fatal(err)
		}
		if s := found.standing(landing.Doubtful, true); s.more || s.why != beyondLimits {
			t.Errorf("%s: %+v", how, s)
		}
	}
}

func TestWhatIsNoFaultOfTheFileIsAnError(t *testing.T) {
	in := files(t, map[string]string{"c.csv": carrierCSV, "bad.csv": carrierCSV + badRow, "mute.csv": carrierCSV, "broken.yaml": "carrier: [\n", "killer.csv": carrierCSV})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	cases := []struct {
		name   string
		ctx    context.Context
		worker Worker
		o      InspectOptions
	}{
		{"no such content", context.Background(), worker("nothing"), InspectOptions{Path: in("none")}},
		{"no such program", context.Background(), Worker{Program: in("none")}, InspectOptions{Path: in("c.csv")}},
		{"a program that does something else", context.Background(), worker("mute"), InspectOptions{Path: in("mute.csv"), Name: "killer.csv"}},
		{"a profile that is broken", context.Background(), worker("nothing"), InspectOptions{Path: in("c.csv"), Profile: in("broken.yaml")}},
		{"no room for the rejected rows", context.Background(), worker("nothing"), InspectOptions{Path: in("bad.csv"), Rejects: in("no/such/folder.csv")}},
		{"the service stops", ctx, worker("nothing"), InspectOptions{Path: in("c.csv")}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if found, err := c.worker.Inspect(c.ctx, c.o); err == nil {
				t.Errorf("found %+v", found)
			}
		})
	}
}

func TestAWorkerThatHangsIsEndedWithTheService(t *testing.T) {
	in := files(t, map[string]string{"killer.csv": carrierCSV})
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	w := worker("hang")
	w.bound = nil
	if found, err := w.Inspect(ctx, InspectOptions{Path: in("killer.csv"), Name: "killer.csv"}); !errors.Is(err, context.Canceled) {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestHostileFilesEndWithOneReason gives each of them to a worker, as if its
// sender had vouched for it.
func TestHostileFilesEndWithOneReason(t *testing.T) {
	for _, h := range hostile.All() {
		if h.Side != engine.Carrier {
			continue
		}
		t.Run(h.Name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), h.Name)
			write(t, path, h)
			found, err := worker("nothing").Inspect(context.Background(), InspectOptions{Path: path, Name: h.Name, Rejects: path + ".rejects"})
			if size, _ := fileSize(path); size == 0 {
				found, err = nothing(), nil
			}
			if err != nil {
				t.Fatal(err)
			}
			s := found.standing(landing.Vouched, false)
			if s.more || (s.why != "") != (h.Outcome == hostile.FileRejected) || (found.BadRows > 0) != (h.Outcome == hostile.RowsRejected) && s.why == "" {
				t.Errorf("%s: %+v, %d bad rows", h.Outcome, s, found.BadRows)
			}
			if len(found.Faults) > 1 {
				t.Errorf("%d reasons: %v", len(found.Faults), found.Faults)
			}
		})
	}
}
