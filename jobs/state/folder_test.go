package state_test

import (
	"slices"
	"sync"
	"testing"
)

// A database belongs to the data folder that was there first, also when several
// services start at once.
func TestADatabaseBelongsToOneFolder(t *testing.T) {
	both(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		owners := make([]string, 8)
		var wg sync.WaitGroup
		for i := range owners {
			wg.Go(func() {
				var err error
				if owners[i], err = s.Folder(t.Context(), string(rune('a'+i))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if slices.Sort(owners); owners[0] == "" || owners[0] != owners[7] {
			t.Errorf("it belongs to %q", owners)
		}
	})
}
