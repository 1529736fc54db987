package casework

import (
	"cmp"
	"path/filepath"
	"slices"

	"concord/exchange/atrest"
	"concord/formats/report"
)

// Renamed returns which cases have other ids in a version that was made anew
// than before, old by new: those whose rows say the same otherwise.
func Renamed(keys *atrest.Keys, before, now string) (map[string]string, error) {
	came, err := missing(keys, now, before)
	if err != nil || len(came) == 0 {
		return nil, err
	}
	gone, err := missing(keys, before, now)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for i, k := 0, 0; i < len(gone) && k < len(came); {
		switch c := compare(&gone[i], &came[k]); {
		case c < 0:
			i++
		case c > 0:
			k++
		default:
			ids[gone[i].CaseID] = came[k].CaseID
			i, k = i+1, k+1
		}
	}
	return ids, nil
}

// missing are the rows of a version whose ids another one does not have, by what
// they say.
func missing(keys *atrest.Keys, folder, other string) (list []report.CaseRow, err error) {
	known := map[string]bool{}
	if err := each(keys, other, func(row *report.CaseRow) { known[row.CaseID] = true }); err != nil {
		return nil, err
	}
	err = each(keys, folder, func(row *report.CaseRow) {
		if !known[row.CaseID] {
			list = append(list, *row)
		}
	})
	slices.SortFunc(list, func(a, b report.CaseRow) int { return compare(&a, &b) })
	return list, err
}

func each(keys *atrest.Keys, folder string, do func(*report.CaseRow)) error {
	f, err := keys.Open(filepath.Join(folder, "discrepancies.csv"))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // it was only read
	for row, err := range report.ReadCases(f, false) {
		if err != nil {
			return err
		}
		do(&row)
	}
	return nil
}

func compare(a, b *report.CaseRow) int {
	x, y := &a.Now, &b.Now
	return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.Class, y.Class), cmp.Compare(a.Place, b.Place),
		cmp.Compare(x.MicrosoftMS, y.MicrosoftMS), cmp.Compare(x.CarrierMS, y.CarrierMS))
}
