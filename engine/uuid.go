package engine

import "encoding/binary"

// packUUID writes the 16 bytes of a UUID in its usual form of 36 lower-case
// characters to b, and reports whether s is one.
func packUUID(b []byte, s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	w0, ok0 := hex8(load8(s, 0))
	w1, ok1 := hex8(load8(s, 9)&0xffffffff | load8(s, 10)&0xffffffff_00000000)
	w2, ok2 := hex8(load8(s, 19)&0xffffffff | load8(s, 20)&0xffffffff_00000000)
	w3, ok3 := hex8(load8(s, 28))
	if !ok0 || !ok1 || !ok2 || !ok3 {
		return false
	}
	_ = b[15]
	binary.BigEndian.PutUint32(b, w0)
	binary.BigEndian.PutUint32(b[4:], w1)
	binary.BigEndian.PutUint32(b[8:], w2)
	binary.BigEndian.PutUint32(b[12:], w3)
	return true
}

func load8(s string, i int) uint64 {
	t := s[i : i+8]
	return uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
		uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
}

const (
	each   = 0x0101010101010101
	highs  = 0x80 * each
	lowest = 0x0f * each
)

// hex8 decodes eight lower-case hexadecimal characters, the first in the low
// byte, all at once.
func hex8(x uint64) (uint32, bool) {
	if x&highs != 0 {
		return 0, false
	}
	// In each byte the high bit says that the character is at least some bound.
	atLeast := func(c uint64) uint64 { return (x + (0x80-c)*each) & highs }
	digit := atLeast('0') &^ atLeast('9'+1)
	letter := atLeast('a') &^ atLeast('f'+1)
	if digit|letter != highs {
		return 0, false
	}
	v := x&lowest + letter>>7*9
	// Fold the nibbles of neighbouring bytes, then the bytes.
	v = v<<4 | v>>8
	v &= 0x00ff00ff00ff00ff
	return uint32(v&0xff)<<24 | uint32(v>>16&0xff)<<16 | uint32(v>>32&0xff)<<8 | uint32(v>>48&0xff), true
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
