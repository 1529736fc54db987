package exchange_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"concord/exchange"
	"concord/exchange/exchangetest"
)

func local(t *testing.T, dir string) *exchange.LocalFolder {
	t.Helper()
	l, err := exchange.OpenLocal(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestLocalFolderKeepsTheContract(t *testing.T) {
	exchangetest.Contract(t, func(t *testing.T) exchange.Remote { return local(t, t.TempDir()) })
}

func TestMemKeepsTheContract(t *testing.T) {
	exchangetest.Contract(t, func(t *testing.T) exchange.Remote { return exchangetest.NewMem() })
}

func TestAFolderOfARemoteKeepsTheContract(t *testing.T) {
	exchangetest.Contract(t, func(t *testing.T) exchange.Remote {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "outbox"), 0o777); err != nil {
			t.Fatal(err)
		}
		return exchangetest.Under(local(t, dir), "outbox")
	})
}

func TestNoNameLeadsOutOfALocalFolder(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	home := filepath.Join(dir, "home")
	err := errors.Join(os.WriteFile(secret, []byte("secret"), 0o666), os.Mkdir(home, 0o777),
		os.Symlink("../secret", filepath.Join(home, "link")),
		os.Symlink("..", filepath.Join(home, "up")),
		syscall.Mkfifo(filepath.Join(home, "pipe"), 0o666))
	if err != nil {
		t.Fatal(err)
	}
	l := local(t, home)
	for _, name := range []string{"../secret", secret, "link", "up/secret", "up", "pipe", "x/../../secret"} {
		for what, err := range map[string]error{
			"get":    l.Get(t.Context(), name, io.Discard, 0),
			"put":    l.Put(t.Context(), name, strings.NewReader("mine")),
			"rename": l.Rename(t.Context(), name, "new"),
			"remove": l.Remove(t.Context(), name),
		} {
			if err == nil || !errors.Is(err, exchange.ErrPermanent) || strings.Contains(strings.ReplaceAll(err.Error(), name, ""), dir) {
				t.Errorf("%s %s: %v", what, name, err)
			}
		}
	}
	for _, to := range []string{"../secret", "up/secret"} {
		if err := l.Put(t.Context(), "a", bytes.NewReader(nil)); err != nil {
			t.Fatal(err)
		}
		if err := l.Rename(t.Context(), "a", to); err == nil {
			t.Errorf("renamed to %s", to)
		}
	}
	if b, err := os.ReadFile(secret); string(b) != "secret" {
		t.Errorf("the secret is %q, %v", b, err)
	}
}

func TestAFolderThatIsNotThereIsSaidToBeSo(t *testing.T) {
	if _, err := exchange.OpenLocal(filepath.Join(t.TempDir(), "none")); !errors.Is(err, exchange.ErrPermanent) {
		t.Errorf("error %v", err)
	}
}
