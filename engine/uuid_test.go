package engine

import (
	"encoding/hex"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// An id that does not come back as it was sent is an id that nobody finds.
func TestUUIDsComeBackAsTheyWere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes")
		h := hex.EncodeToString(b)
		s := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
		if got := unpackUUID(b); got != s {
			t.Fatalf("%s comes back as %s", s, got)
		}
		k := newKeys()
		var id ident
		k.ident(s, &id)
		if id.kind != idUUID || unpackUUID(appendID(nil, s, &id)) != s {
			t.Fatalf("%s is not read as a UUID", s)
		}
		at, c := rapid.IntRange(0, 35).Draw(t, "at"), rapid.Byte().Draw(t, "byte")
		other := s[:at] + string([]byte{c}) + s[at+1:]
		k.ident(other, &id)
		if isUUID := strings.Trim(other, "0123456789abcdef-") == "" && strings.Count(other, "-") == 4 &&
			other[8] == '-' && other[13] == '-' && other[18] == '-' && other[23] == '-'; isUUID != (id.kind == idUUID) {
			t.Fatalf("%q: a UUID: %v", other, id.kind == idUUID)
		}
	})
}
