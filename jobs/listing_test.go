package jobs

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/engine/numbers"

	"github.com/google/go-cmp/cmp"
)

// readsListing reads a listing of fabrikam's numbers in this process.
func readsListing(t *testing.T, text string) (*ListingFound, []string) {
	t.Helper()
	dir := t.TempDir()
	o := ListingOptions{Path: filepath.Join(dir, "in"), Name: "l.csv", Carrier: "fabrikam", Source: "own", AsOf: 1_790_000_000_000_000, Out: filepath.Join(dir, "out")}
	if err := os.WriteFile(o.Path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := readListing(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(found.Faults) > 0 {
		return found, nil
	}
	var rows []string
	for x, err := range ListedRowsIn(nil, o.Out) {
		if err != nil {
			t.Fatal(err)
		}
		s := x.Full() + " " + x.TargetID
		switch {
		case x.Held:
			s = x.Full() + " held"
		case x.From != numbers.Unsaid:
			s += fmt.Sprintf(" %d", x.From)
		}
		rows = append(rows, s)
	}
	return found, rows
}

func TestEachLineOfAListingCountsOnce(t *testing.T) {
	const day = "2020-01-%02dT00:00:00Z"
	at := func(n int) string { return fmt.Sprintf(day, n) }
	for _, c := range []struct {
		name     string
		text     []string
		want     []string
		accepted int64
		rejected string
		blind    bool
	}{
		{"sorted by number and extension", []string{"+492,a,,", "+491;ext=7,b,,", "+491,c,,"}, []string{"+491 c", "+491;ext=7 b", "+492 a"}, 3, "", false},
		{"the first row of a line counts", []string{"+492,a,,", "+491,b,,", "+492,c,,"}, []string{"+491 b", "+492 a"}, 2, "line 4, row 3: telephone_number: " + reasonRepeated, false},
		{"a history", []string{"+491,b," + at(3) + ",", "+491,a," + at(1) + "," + at(3)}, []string{"+491 a 1577836800000000", "+491 b 1578009600000000"}, 2, "", false},
		{"a history that overlaps", []string{"+491,a," + at(1) + "," + at(4), "+491,b," + at(3) + ","}, []string{"+491 a 1577836800000000"}, 1, "line 3, row 2: telephone_number: " + reasonRepeated, false},
		{"a history beside a row without", []string{"+491,a," + at(1) + "," + at(4), "+491,b,,"}, []string{"+491 b"}, 1, "line 2, row 1: telephone_number: " + reasonRepeated, false},
		{"a bad row holds its line", []string{"+491,a,x,", "+492,b,,"}, []string{"+491 held", "+492 b"}, 1, "line 2, row 1: valid_from: not a time in RFC 3339", false},
		{"a good row beside a bad one", []string{"+491,a,x,", "+491,b,,"}, []string{"+491 b"}, 1, "line 2, row 1: valid_from: not a time in RFC 3339", false},
		{"a row without a line", []string{"x,a,,", "+492,b,,"}, []string{"+492 b"}, 1, "line 2, row 1: telephone_number: not a number in E.164", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, rows := readsListing(t, "telephone_number,target_id,valid_from,valid_to\n"+strings.Join(c.text, "\n")+"\n")
			var bad []string
			for _, r := range found.Reasons {
				bad = append(bad, fmt.Sprintf("line %d, row %d: %s: %s", r.Line, r.Row, r.Field, r.Reason))
			}
			if d := cmp.Diff(c.want, rows); d != "" || strings.Join(bad, "; ") != c.rejected {
				t.Errorf("%s %q", d, bad)
			}
			if found.Accepted != c.accepted || found.Rejected != int64(len(bad)) || found.Blind != c.blind || found.Rows != c.accepted+found.Rejected {
				t.Errorf("%+v", found)
			}
		})
	}
}

func TestAListingOfRepetitionsIsRefused(t *testing.T) {
	found, _ := readsListing(t, "telephone_number\n"+strings.Repeat("+491\n", 11))
	if len(found.Faults) != 1 || !strings.Contains(found.Faults[0], "repeat") {
		t.Errorf("%+v", found)
	}
	found, rows := readsListing(t, "telephone_number\n"+strings.Repeat("+491\n", 9))
	if len(found.Faults) != 0 || len(rows) != 1 || found.Rejected != 8 {
		t.Errorf("%+v", found)
	}
}

func TestAListingThatCannotBeReadHasFaults(t *testing.T) {
	found, _ := readsListing(t, "a,b\n")
	if len(found.Faults) != 1 || found.Rows != 0 {
		t.Errorf("%+v", found)
	}
	if _, err := readListing(t.Context(), ListingOptions{Path: filepath.Join(t.TempDir(), "none")}); err == nil {
		t.Error("a file that is not there")
	}
}

// A listing that ends the process which reads it is a listing with a fault; a
// worker that does something else is none.
func TestAListingThatKillsItsReader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "l")
	if err := os.WriteFile(path, []byte("telephone_number\n+491\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"panic", "nothing", "mute"} {
		found, err := worker(how).ReadListing(t.Context(), ListingOptions{Path: path, Name: "killer.csv", Carrier: "fabrikam", Out: path + ".out"})
		if how == "mute" {
			if err == nil {
				t.Errorf("%s: %+v", how, found)
			}
			continue
		}
		if err != nil || len(found.Faults) != 1 || !strings.Contains(found.Faults[0], "could not be decoded within limits") {
			t.Errorf("%s: %+v, %v", how, found, err)
		}
	}
	found, err := worker("nothing").ReadListing(t.Context(), ListingOptions{Path: path, Name: "l.csv", Carrier: "fabrikam", Out: path + ".out"})
	if err != nil || found.Accepted != 1 || len(found.Faults) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
}
