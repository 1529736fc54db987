package sftpd

import (
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func hasher() *Server { return &Server{hashing: make(chan struct{}, 2)} }

func TestPasswordsAreKnownByTheirHash(t *testing.T) {
	one, err := HashPassword([]byte("correct horse"))
	if err != nil {
		t.Fatal(err)
	}
	two, err := HashPassword([]byte("correct horse"))
	if err != nil || one == two {
		t.Errorf("two hashes are equal, %v", err)
	}
	cheap, err := bcrypt.GenerateFromPassword([]byte("correct horse"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range []string{one, two, string(cheap)} {
		if err := CheckHash(hash); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
		if s := hasher(); !s.checkPassword(hash, []byte("correct horse")) || s.checkPassword(hash, []byte("correct horsE")) || s.checkPassword(hash, nil) {
			t.Errorf("%s: the wrong answer", hash)
		}
	}
	if _, err := HashPassword(nil); err == nil {
		t.Error("an empty password has a hash")
	}
	if hasher().checkPassword(Nobody, nil) {
		t.Error("nobody has a password")
	}
}

func TestNonsenseIsNoHash(t *testing.T) {
	const good = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if err := CheckHash(good); err != nil {
		t.Fatal(err)
	}
	for name, hash := range map[string]string{
		"empty":                 "",
		"the password itself":   "correct horse",
		"another kind":          strings.Replace(good, "argon2id", "argon2i", 1),
		"another version":       strings.Replace(good, "v=19", "v=16", 1),
		"costs with a tail":     strings.Replace(good, "p=1$", "p=1,x=2$", 1),
		"costs below zero":      strings.Replace(good, "t=2", "t=-2", 1),
		"no passes":             strings.Replace(good, "t=2", "t=0", 1),
		"no threads":            strings.Replace(good, "p=1", "p=0", 1),
		"300 threads":           strings.Replace(good, "p=1", "p=300", 1),
		"4 TiB":                 strings.Replace(good, "m=19456", "m=4294967295", 1),
		"a million passes":      strings.Replace(good, "t=2", "t=1000000", 1),
		"a short salt":          strings.Replace(good, "$AAAAAAAAAAAAAAAAAAAAAA$", "$AAAA$", 1),
		"a short key":           good[:len(good)-40],
		"no base64":             good[:len(good)-1] + "!",
		"bcrypt, cut":           "$2a$10$N9qo8uLOickgx2ZMRZoMye",
		"bcrypt, of three days": "$2a$31$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy",
	} {
		if CheckHash(hash) == nil {
			t.Errorf("%s: passes", name)
		}
		if hasher().checkPassword(hash, []byte("correct horse")) {
			t.Errorf("%s: logs in", name)
		}
	}
}
