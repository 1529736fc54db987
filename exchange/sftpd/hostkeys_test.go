package sftpd

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// quickKeys opens host keys that are all of the quick kind; step fails a change.
func quickKeys(dir string, now func() time.Time, step func() error) (*HostKeys, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	if step == nil {
		step = func() error { return nil }
	}
	quick := func(string) (crypto.PrivateKey, error) {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	h := &HostKeys{root: root, now: now, generate: quick, step: step, keys: map[string]*hostKey{}}
	if err := h.load(); err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return h, nil
}

func mustKeys(t *testing.T, dir string, now func() time.Time) *HostKeys {
	t.Helper()
	h, err := quickKeys(dir, now, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = h.Close() })
	return h
}

func prints(keys ...ssh.Signer) string {
	var all []string
	for _, k := range keys {
		all = append(all, ssh.FingerprintSHA256(k.PublicKey()))
	}
	return strings.Join(all, " ")
}

func fixed(t time.Time) func() time.Time { return func() time.Time { return t } }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func TestHostKeysAreMadeAtTheFirstStart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	h, err := OpenHostKeys(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{ssh.KeyAlgoED25519, ssh.KeyAlgoRSA}
	for i, k := range h.Signers() {
		if k.PublicKey().Type() != kinds[i] {
			t.Errorf("key %d is of the type %s", i, k.PublicKey().Type())
		}
		info, err := os.Stat(filepath.Join(dir, keyNames[i]))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", keyNames[i], info, err)
		}
		if multi, ok := k.(ssh.MultiAlgorithmSigner); ok && bytes.Contains([]byte(strings.Join(multi.Algorithms(), " ")+" "), []byte("ssh-rsa ")) {
			t.Error("an RSA key signs with SHA-1")
		}
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder: %v, %v", info, err)
	}
	again, err := OpenHostKeys(dir, time.Now)
	if err != nil || prints(again.Signers()...) != prints(h.Signers()...) {
		t.Errorf("at the second start: other keys, %v", err)
	}
	if all, err := os.ReadDir(dir); err != nil || len(all) != 2 {
		t.Errorf("%d files, %v", len(all), err)
	}
}

func TestServersThatStartAtOnceShareTheirKeys(t *testing.T) {
	dir := t.TempDir()
	got := make([]string, 8)
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			h, err := quickKeys(dir, time.Now, nil)
			if err != nil {
				t.Error(err)
				return
			}
			got[i] = prints(h.Signers()...)
			_ = h.Close()
		})
	}
	wg.Wait()
	for i := range got {
		if got[i] != got[0] || got[i] == "" {
			t.Fatalf("server %d has %s, server 0 %s", i, got[i], got[0])
		}
	}
}

func TestHostKeysThatOthersMayReadAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(file string) error{
		"others may read it": func(f string) error { return os.Chmod(f, 0o644) },
		"ssh: no key found":  func(f string) error { return os.WriteFile(f, []byte("nonsense"), 0o600) },
	} {
		dir := t.TempDir()
		mustKeys(t, dir, time.Now)
		if err := spoil(filepath.Join(dir, keyNames[1])); err != nil {
			t.Fatal(err)
		}
		if _, err := quickKeys(dir, time.Now, nil); err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), keyNames[1]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostKeysRotateWithAnOverlap(t *testing.T) {
	dir, now := t.TempDir(), noon
	h := mustKeys(t, dir, func() time.Time { return now })
	before := h.Signers()
	if err := h.Rotate(time.Hour); err != nil {
		t.Fatal(err)
	}
	announced := h.announced()
	if got := prints(h.Signers()...); got != prints(before...) {
		t.Error("the new keys are used at once")
	}
	if len(announced) != 4 || prints(announced[:2]...) != prints(before...) || len(h.Announced()) != 4 {
		t.Errorf("%d keys are announced", len(announced))
	}
	if err := h.Rotate(time.Hour); err == nil || !strings.Contains(err.Error(), "under way until 2026-03-01T13:00:00Z") {
		t.Errorf("a second rotation: %v", err)
	}
	now = noon.Add(time.Hour - time.Second)
	if prints(h.Signers()...) != prints(before...) || prints(mustKeys(t, dir, h.now).announced()...) != prints(announced...) {
		t.Error("a restart within the overlap changes the keys")
	}
	now = noon.Add(time.Hour)
	if prints(h.Signers()...) != prints(announced[2:]...) || prints(h.announced()...) != prints(announced[2:]...) {
		t.Error("the new keys are not used in time")
	}
	for i, name := range keyNames {
		old, err := h.read(name + ".old")
		if err != nil || prints(old) != prints(before[i]) {
			t.Errorf("%s.old: %v", name, err)
		}
	}
	if prints(mustKeys(t, dir, h.now).Signers()...) != prints(announced[2:]...) {
		t.Error("a restart brings other keys")
	}
	if err := h.Rotate(0); err != nil || prints(h.Signers()...) == prints(announced[2:]...) {
		t.Errorf("a rotation at once: %v", err)
	}
}

// A power cut at any instant of a rotation leaves the keys that clients know.
func TestRotationSurvivesACrash(t *testing.T) {
	crash := errors.New("crash")
	for at := 0; ; at++ {
		dir, now, left := t.TempDir(), noon, at
		before := prints(mustKeys(t, dir, fixed(noon)).Signers()...)
		h, err := quickKeys(dir, func() time.Time { return now }, func() error {
			if left--; left < 0 {
				return crash
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		rotated := h.Rotate(time.Hour)
		known := prints(h.announced()...)
		now = noon.Add(2 * time.Hour)
		if rotated == nil {
			h.Signers()
		}
		_ = h.Close()
		if got := prints(mustKeys(t, dir, fixed(noon)).Signers()...); rotated != nil && got != before {
			t.Fatalf("change %d: after a restart within the overlap: %s, before %s", at, got, before)
		}
		for _, k := range mustKeys(t, dir, fixed(now)).Signers() {
			if rotated == nil && !strings.Contains(known, prints(k)) {
				t.Fatalf("change %d: a key that no client was told of", at)
			}
		}
		if left >= 0 {
			return
		}
	}
}

func TestLeftoverKeysAreSwept(t *testing.T) {
	dir := t.TempDir()
	old, young := filepath.Join(dir, tempPrefix+"OLD"), filepath.Join(dir, tempPrefix+"YOUNG")
	for _, f := range []string{old, young} {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-24 * time.Hour)
	if err := os.Chtimes(old, yesterday, yesterday); err != nil {
		t.Fatal(err)
	}
	mustKeys(t, dir, time.Now)
	_, oldErr := os.Stat(old)
	_, youngErr := os.Stat(young)
	if !errors.Is(oldErr, os.ErrNotExist) || youngErr != nil {
		t.Errorf("old: %v, young: %v", oldErr, youngErr)
	}
}
