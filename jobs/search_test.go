package jobs

import (
	"os"
	"path/filepath"
	"testing"

	"concord/exchange/atrest"
	"concord/formats/trace"
)

// A number is looked for in many files at once, some of which are no good and one
// of which has left.
func TestANumberIsLookedForInFiles(t *testing.T) {
	dir := t.TempDir()
	n, err := trace.Parse("+4930199988877")
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	want := map[int]bool{3: true, 70: true, 99: true}
	for i := range 100 {
		text := "a,+4930199988878\n"
		if want[i] {
			text = "PAR1 030/199988877 PAR1"
		}
		paths = append(paths, filepath.Join(dir, string(rune('a'+i%26))+string(rune('a'+i/26))))
		if err := os.WriteFile(paths[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(paths[50]); err != nil {
		t.Fatal(err)
	}
	found, err := (Worker{Program: os.Args[0], Args: []string{"worker", "well"}}).Search(t.Context(), n, paths)
	if err != nil || len(found) != len(paths) {
		t.Fatalf("%d files, %v", len(found), err)
	}
	for i, f := range found {
		if (f.Times > 0) != want[i] {
			t.Errorf("file %d: %+v", i, f)
		}
	}
	// What kills whoever decodes it is looked through as it is, and that is said.
	found, err = (Worker{Program: os.Args[0], Args: []string{"worker", "exit"}}).Search(t.Context(), n, paths[2:5])
	if err != nil || len(found) != 3 || found[0].Times != 0 || found[1].Times != 1 || len(found[1].Unread) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
}

// What a carrier sends may begin as if we had encrypted it: then its bytes are
// looked through, and nothing stops.
func TestWhatOnlyLooksEncryptedIsLookedThrough(t *testing.T) {
	n, err := trace.Parse("+4930199988877")
	if err != nil {
		t.Fatal(err)
	}
	to, identity, err := atrest.Generate()
	if err != nil {
		t.Fatal(err)
	}
	keys, err := atrest.New(atrest.Given{Recipients: []string{to}, Identities: []string{identity}})
	if err != nil {
		t.Fatal(err)
	}
	for _, head := range []string{"age-encryption.org/v1\n", "age-encryption.org/v1\n-> concord.set 00\n\n--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n"} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(head+"a,+4930199988877\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := search(t.Context(), SearchOptions{Keys: keys, Number: n.E164().Full(), Paths: []string{path}})
		if err != nil || found.Files[0].Times != 1 || len(found.Files[0].Unread) != 1 {
			t.Errorf("%q: %+v, %v", head, found, err)
		}
	}
}
