package formats

import "bytes"

// The conversions of Microsoft's values into canonical ones append to dst.

// seconds turns whole seconds into milliseconds. Anything else is left as it
// is, with a mark that makes the decoder reject it.
func seconds(dst, src []byte) []byte {
	src = bytes.TrimSpace(src)
	if len(src) == 0 {
		return dst
	}
	for i, c := range src {
		if (c < '0' || c > '9') && (c != '-' || i > 0) {
			return append(dst, "not whole seconds"...)
		}
	}
	return append(append(dst, src...), "000"...)
}

// noTime is how Microsoft writes a time that is not there.
var noTime = []byte("0001-01-01T00:00:00")

// instant turns a time in any of Microsoft's spellings into RFC 3339: a blank
// for the T, no zone for UTC, seven digits of a second of which six are kept.
func instant(dst, src []byte) []byte {
	src = bytes.TrimSpace(src)
	if len(src) < len(noTime) {
		return append(dst, src...)
	}
	at := len(dst)
	dst = append(dst, src[:len(noTime)]...)
	if dst[at+10] == ' ' {
		dst[at+10] = 'T'
	}
	if bytes.Equal(dst[at:], noTime) {
		return dst[:at]
	}
	fraction, zone := cutFraction(src[len(noTime):])
	dst = append(dst, fraction...)
	if len(zone) == 0 {
		return append(dst, 'Z')
	}
	return append(dst, zone...)
}

// cutFraction splits what follows the seconds, and cuts digits below a
// microsecond off.
func cutFraction(b []byte) (fraction, zone []byte) {
	if len(b) == 0 || b[0] != '.' {
		return nil, b
	}
	n := 1
	for n < len(b) && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:min(n, len(".123456"))], b[n:]
}

// direction derives the direction from a call type: user_in, conf_out, ByotIn,
// dr_out_user_forwarding and so on.
func direction(dst, src []byte) []byte {
	at := len(dst)
	dst = lower(dst, src)
	found := directionOf(dst[at:])
	return append(dst[:at], found...)
}

func directionOf(text []byte) string {
	if byot, ok := bytes.CutPrefix(text, []byte("byot")); ok {
		switch {
		case bytes.HasPrefix(byot, []byte("in")):
			return "in"
		case bytes.HasPrefix(byot, []byte("out")):
			return "out"
		}
	}
	for word := range bytes.SplitSeq(text, []byte{'_'}) {
		if s := string(word); s == "in" || s == "out" {
			return s
		}
	}
	return "unknown"
}

// source keeps the two sources that are known.
func source(dst, src []byte) []byte {
	at := len(dst)
	dst = lower(dst, src)
	switch string(dst[at:]) {
	case "microsoft", "operator":
		return dst
	}
	return append(dst[:at], "unknown"...)
}

func lower(dst, src []byte) []byte {
	at := len(dst)
	dst = append(dst, bytes.TrimSpace(src)...)
	for i, c := range dst[at:] {
		if c >= 'A' && c <= 'Z' {
			dst[at+i] = c + 'a' - 'A'
		}
	}
	return dst
}
