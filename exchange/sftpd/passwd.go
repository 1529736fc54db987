package sftpd

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// The cost of a hash: 19 MiB and two passes, as OWASP's password storage cheat
// sheet advises for Argon2id.
const (
	hashMemory = 19 << 10 // KiB
	hashPasses = 2
	hashKey    = 32
	hashSalt   = 16
	// maxHashMemory is the most that a hash from the configuration may ask for, in KiB.
	maxHashMemory = 256 << 10
	maxHashPasses = 16
	maxBcryptCost = 14 // a second or so
)

const bcryptLength = 60

// Nobody is the hash of no password: it takes whoever is not there as long to be
// refused as a wrong password.
var Nobody = fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, hashMemory, hashPasses,
	base64.RawStdEncoding.EncodeToString(make([]byte, hashSalt)), base64.RawStdEncoding.EncodeToString(make([]byte, hashKey)))

// HashPassword returns what the configuration keeps of a password: its Argon2id
// hash in the usual form.
func HashPassword(password []byte) (string, error) {
	if len(password) == 0 {
		return "", errors.New("a password is not empty")
	}
	salt := make([]byte, hashSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", err
	}
	key := argon2.IDKey(password, salt, hashPasses, hashMemory, 1, hashKey)
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=1$%s$%s", argon2.Version, hashMemory, hashPasses, b64(salt), b64(key)), nil
}

// argon is an Argon2id hash taken apart.
type argon struct {
	memory, passes uint32
	threads        uint8
	salt, key      []byte
}

var errHash = errors.New("not a password hash; make one with concord carrier passwd")

// CheckHash returns what is wrong with a password hash: it must be Argon2id or
// bcrypt.
func CheckHash(hash string) error {
	if strings.HasPrefix(hash, "$2") {
		cost, err := bcrypt.Cost([]byte(hash))
		if err != nil || len(hash) != bcryptLength {
			return errHash
		}
		if cost > maxBcryptCost {
			return fmt.Errorf("the password hash has the cost %d; at most %d", cost, maxBcryptCost)
		}
		return nil
	}
	_, err := parseArgon(hash)
	return err
}

func parseArgon(hash string) (a argon, err error) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return a, errHash
	}
	const costs = "m=%d,t=%d,p=%d"
	_, err = fmt.Sscanf(parts[3], costs, &a.memory, &a.passes, &a.threads)
	if err != nil || fmt.Sprintf(costs, a.memory, a.passes, a.threads) != parts[3] {
		return a, errHash
	}
	a.salt, err = base64.RawStdEncoding.DecodeString(parts[4])
	var kerr error
	a.key, kerr = base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || kerr != nil || len(a.key) < 16 || len(a.salt) < 8 {
		return a, errHash
	}
	if a.memory > maxHashMemory || a.passes > maxHashPasses || a.passes == 0 || a.threads == 0 {
		return a, fmt.Errorf("the password hash asks for %d KiB and %d passes; at most %d and %d", a.memory, a.passes, maxHashMemory, maxHashPasses)
	}
	return a, nil
}

// checkPassword compares a password with a hash. It takes memory, so few are
// done at once.
func (s *Server) checkPassword(hash string, password []byte) bool {
	s.hashing <- struct{}{}
	defer func() { <-s.hashing }()
	return Matches(hash, password)
}

// Matches reports whether a password is the one of a hash that CheckHash
// accepts. It takes as much memory and time as the hash asks for.
func Matches(hash string, password []byte) bool {
	if CheckHash(hash) != nil {
		return false // a costly one would keep everybody out
	}
	if strings.HasPrefix(hash, "$2") {
		return bcrypt.CompareHashAndPassword([]byte(hash), password) == nil
	}
	a, err := parseArgon(hash)
	if err != nil {
		return false
	}
	key := argon2.IDKey(password, a.salt, a.passes, a.memory, a.threads, uint32(len(a.key)))
	return subtle.ConstantTimeCompare(key, a.key) == 1
}
