package atrest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"filippo.io/age"
)

// pair makes keys with one recipient, and identities of others before it.
func pair(t *testing.T, older ...*Keys) *Keys {
	t.Helper()
	to, id, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	g := Given{Recipients: []string{to}, Identities: []string{id}}
	for _, k := range older {
		g.Identities = append(g.Identities, k.given.Identities...)
	}
	k, err := New(g)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func content(n int) []byte {
	r := rand.New(rand.NewPCG(uint64(n), 7))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func write(t *testing.T, k *Keys, name string, b []byte) {
	t.Helper()
	f, err := k.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.Write(b)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

func read(k *Keys, name string) ([]byte, error) {
	f, err := k.Open(name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

func TestWhatIsWrittenIsReadAtAnyPlace(t *testing.T) {
	k := pair(t)
	for _, n := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 5*chunkSize + 77} {
		for _, with := range []*Keys{nil, k} {
			name, want := filepath.Join(t.TempDir(), "f"), content(n)
			write(t, with, name, want)
			f, err := k.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := f.Stat(); err != nil || info.Size() != int64(n) || f.Size() != int64(n) {
				t.Errorf("%d bytes: Stat says %v, %v", n, info.Size(), err)
			}
			if err := iotest.TestReader(io.NewSectionReader(f, 0, f.Size()), want); err != nil {
				t.Errorf("%d bytes: %v", n, err)
			}
			if got, err := io.ReadAll(f); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%d bytes: read %d, %v", n, len(got), err)
			}
			if _, err := f.ReadAt(make([]byte, 1), int64(n)); err != io.EOF {
				t.Errorf("%d bytes: behind the end: %v", n, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if same := bytes.Equal(raw, want); same != (with == nil) {
				t.Errorf("%d bytes: in clear on the disk: %v", n, same)
			}
		}
	}
}

func TestManyFilesManyReaders(t *testing.T) {
	k, dir := pair(t), t.TempDir()
	const files = 2*mostLive + 3
	want := content(3*chunkSize + 5)
	open := make([]*File, files)
	for i := range open {
		name := filepath.Join(dir, string(rune('A'+i%26))+string(rune('a'+i/26)))
		write(t, k, name, append([]byte{byte(i)}, want...))
		var err error
		if open[i], err = k.Open(name); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(n), 1))
			for range 400 {
				i, off := r.IntN(files), r.IntN(len(want)-1)
				buf := make([]byte, 1+r.IntN(min(2*chunkSize, len(want)-off)))
				if _, err := open[i].ReadAt(buf, int64(off)+1); err != nil || !bytes.Equal(buf, want[off:off+len(buf)]) {
					t.Errorf("file %d at %d: %v", i, off, err)
					return
				}
			}
		})
	}
	wg.Wait()
	if n := k.live.turns.Len(); n > mostLive {
		t.Errorf("%d readers are live", n)
	}
	if n := k.cache.turns.Len(); n > mostChunks {
		t.Errorf("%d chunks are kept", n)
	}
	for _, f := range open {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if k.live.turns.Len()+k.cache.turns.Len()+len(k.cache.chunks) != 0 {
		t.Error("something is left of files that are closed")
	}
}

func TestOtherKeysAndDamage(t *testing.T) {
	k, dir := pair(t), t.TempDir()
	name, want := filepath.Join(dir, "f"), content(2*chunkSize+9)
	write(t, k, name, want)
	if _, err := read(pair(t), name); !errors.Is(err, ErrLocked) || errors.Is(err, ErrDamaged) {
		t.Errorf("with another identity: %v", err)
	}
	if got, err := read(pair(t, k), name); err != nil || !bytes.Equal(got, want) {
		t.Errorf("with the old identity beside a new one: %v", err)
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{len(raw) - 2*chunkSize - 70, len(raw) - chunkSize - 100, len(raw) - 1} {
		bad := bytes.Clone(raw)
		bad[at] ^= 4
		if err := os.WriteFile(name, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := read(k, name); !errors.Is(err, ErrDamaged) || bytes.Equal(got, want) {
			t.Errorf("byte %d changed: %v", at, err)
		}
	}
	for _, n := range []int{len(magic), len(magic) + 40, 300, len(raw) - chunkSize, len(raw) - 1} {
		if err := os.WriteFile(name, raw[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := read(k, name); !errors.Is(err, ErrDamaged) || len(got) == len(want) {
			t.Errorf("cut to %d bytes: %v", n, err)
		}
	}
}

// A disk that fails is no damage.
func TestReadErrorsAreThemselves(t *testing.T) {
	k, dir := pair(t), t.TempDir()
	name := filepath.Join(dir, "f")
	write(t, k, name, content(3*chunkSize))
	f, err := k.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.f.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ReadAt(make([]byte, 10), 0); !errors.Is(err, fs.ErrClosed) || errors.Is(err, ErrDamaged) {
		t.Errorf("from a closed file: %v", err)
	}
}

// What a carrier has encrypted itself is a content like any.
func TestForeignFilesOfAgeAreContent(t *testing.T) {
	k, dir := pair(t), t.TempDir()
	name := filepath.Join(dir, "f")
	var b bytes.Buffer
	w, err := age.Encrypt(&b, k.recipients[0])
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write([]byte("theirs"))
	if err := errors.Join(err, w.Close(), os.WriteFile(name, b.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	if got, err := read(k, name); err != nil || !bytes.Equal(got, b.Bytes()) {
		t.Errorf("in clear: %q, %v", got, err)
	}
	if _, err := k.Rewrap(t.Context(), dir, []string{"."}, false); err != nil {
		t.Fatal(err)
	}
	if got, err := read(k, name); err != nil || !bytes.Equal(got, b.Bytes()) {
		t.Errorf("encrypted: %v", err)
	}
}

// The program age reads what is written here.
func TestFilesAreThoseOfAge(t *testing.T) {
	k, name := pair(t), filepath.Join(t.TempDir(), "f")
	want := content(chunkSize * 2)
	write(t, k, name, want)
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := age.Decrypt(f, k.identities...)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
}

func TestPostQuantumKeys(t *testing.T) {
	id, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	k, err := New(Given{Recipients: []string{id.Recipient().String()}, Identities: []string{id.String()}})
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "f")
	write(t, k, name, []byte("content"))
	if got, err := read(k, name); err != nil || string(got) != "content" {
		t.Errorf("%q, %v", got, err)
	}
	old, _, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Given{Recipients: []string{id.Recipient().String(), old}, Identities: []string{id.String()}}); err == nil || !strings.Contains(err.Error(), "do not go together") {
		t.Errorf("two kinds of recipients: %v", err)
	}
}

func TestKeysThatCannotBeUsed(t *testing.T) {
	a, b := pair(t).given, pair(t).given
	for name, c := range map[string]struct {
		g    Given
		want string
	}{
		"no recipient":           {Given{Identities: a.Identities}, "no recipient"},
		"no identity":            {Given{Recipients: a.Recipients}, "no identity"},
		"an identity of another": {Given{a.Recipients, b.Identities}, "none of the identities belongs"},
		"a secret in the open":   {Given{a.Identities, a.Identities}, "is secret"},
		"no key at all":          {Given{[]string{"ssh-ed25519 AAAA"}, a.Identities}, "no public key of age"},
		"two keys in one":        {Given{[]string{a.Recipients[0] + "\n" + b.Recipients[0]}, a.Identities}, "no public key of age"},
		"no identity of age":     {Given{a.Recipients, []string{"hunter2"}}, "none of age"},
	} {
		_, err := New(c.g)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if strings.Contains(a.String()+a.GoString(), "SECRET") {
		t.Error("a secret is printed")
	}
}

func TestFolderKnowsItsKeys(t *testing.T) {
	dir, old := t.TempDir(), pair(t)
	if err := errors.Join((*Keys)(nil).Check(dir), old.Check(dir), old.Mark(dir), old.Mark(dir), old.Check(dir)); err != nil {
		t.Fatal(err)
	}
	if err := (*Keys)(nil).Check(dir); err == nil || !strings.Contains(err.Error(), "no encryption") || !strings.Contains(err.Error(), old.given.Recipients[0]) {
		t.Errorf("without keys: %v", err)
	}
	if err := pair(t).Check(dir); err == nil || !strings.Contains(err.Error(), old.given.Recipients[0]) {
		t.Errorf("with other keys: %v", err)
	}
	if err := pair(t, old).Check(dir); err != nil {
		t.Errorf("with both: %v", err)
	}
}
