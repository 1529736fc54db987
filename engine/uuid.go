package engine

import (
	"encoding/binary"
	"unsafe"
)

// parseUUID returns the two halves of a UUID in its usual form of 36
// lower-case characters, and whether s is one.
func parseUUID(s string) (hi, lo uint64, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return 0, 0, false
	}
	b := unsafe.Slice(unsafe.StringData(s), len(s)) // read only
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[i:]) }
	const low = 1<<32 - 1
	w0, bad0 := hex8(at(0))
	w1, bad1 := hex8(at(9)&low | at(10)&^low)
	w2, bad2 := hex8(at(19)&low | at(20)&^low)
	w3, bad3 := hex8(at(28))
	return w0<<32 | w1, w2<<32 | w3, bad0|bad1|bad2|bad3 == 0
}

const (
	each   = 0x0101010101010101
	highs  = 0x80 * each
	lowest = 0x0f * each
)

// hex8 decodes eight lower-case hexadecimal characters, the first in the low
// byte, all at once. bad is 0 when that is what they are.
func hex8(x uint64) (v, bad uint64) {
	// In each byte the high bit says that the character is at least some
	// bound; right as long as no byte has its own high bit set.
	zero, nine := x+(0x80-'0')*each, x+(0x80-'9'-1)*each
	a, f := x+(0x80-'a')*each, x+(0x80-'f'-1)*each
	letter := a &^ f & highs
	bad = x&highs | highs&^(zero&^nine|letter)
	v = x&lowest + letter>>7*9
	// Fold the nibbles of neighbouring bytes, then the bytes.
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v<<8 | v>>16) & 0x0000ffff0000ffff
	return v<<16&0xffff0000 | v>>32, bad
}

const hexDigits = "0123456789abcdef"

func unpackUUID(b []byte) string {
	var s [36]byte
	at := 0
	for i := range 16 {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			s[at] = '-'
			at++
		}
		s[at], s[at+1] = hexDigits[b[i]>>4], hexDigits[b[i]&15]
		at += 2
	}
	return string(s[:])
}
