package jobs

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"concord/engine"
	"concord/fixtures/hostile"
)

// TestAHostileFileHurtsNobody gives each hostile file to a whole run: it is
// named with one reason, or its good rows are used, and nothing is left.
func TestAHostileFileHurtsNobody(t *testing.T) {
	for _, h := range hostile.All() {
		t.Run(h.Name, func(t *testing.T) {
			in := files(t, map[string]string{"m.csv": microsoftCSV, "c.csv": carrierCSV})
			path := in(h.Name)
			write(t, path, h)
			o := MatchOptions{Microsoft: []string{in("m.csv")}, Carrier: []string{path}, Out: in("out")}
			if h.Side == engine.Microsoft {
				o.Microsoft, o.Carrier = []string{path}, []string{in("c.csv")}
			}
			_, err := worker("nothing").Match(context.Background(), o, engine.Observer{})
			if h.Outcome != hostile.FileRejected {
				if err != nil {
					t.Errorf("%s: %v", h.Outcome, err)
				}
				return
			}
			var f *Failure
			if !errors.As(err, &f) || f.Kind != KindInput || len(f.Messages) != 1 || !strings.HasPrefix(f.Messages[0], h.Name) {
				t.Errorf("error %v", err)
			}
			onlyFiles(t, in("."), 3)
		})
	}
}

func write(t *testing.T, path string, h hostile.File) {
	t.Helper()
	f, err := os.Create(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.Write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
}
