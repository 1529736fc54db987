package formats

import (
	"bytes"
	"encoding/json"
)

// flatObject puts the values of an object into fields, by the places of their
// names: texts unquoted, nothing for null. Nested values are passed over. It
// reports false when raw is no object.
func flatObject(raw json.RawMessage, index map[string]int, fields [][]byte) bool {
	return walkObject(raw, func(key, value []byte) {
		at, ok := index[string(key)]
		if !ok || len(value) == 0 {
			return
		}
		switch value[0] {
		case '"':
			fields[at] = text(value)
		case '{', '[', 'n':
			fields[at] = nil
		default:
			fields[at] = value
		}
	})
}

// walkObject calls visit for every property of raw, which must be valid JSON;
// keys are unquoted, values are as written.
func walkObject(raw json.RawMessage, visit func(key, value []byte)) bool {
	b := skipSpace(raw)
	if len(b) == 0 || b[0] != '{' {
		return false
	}
	for b = skipSpace(b[1:]); len(b) > 0 && b[0] == '"'; {
		n := valueLen(b)
		key := text(b[:n])
		b = skipSpace(b[n:])
		b = skipSpace(bytes.TrimPrefix(b, []byte{':'}))
		n = valueLen(b)
		visit(key, b[:n])
		b = skipSpace(b[n:])
		b = skipSpace(bytes.TrimPrefix(b, []byte{','}))
	}
	return true
}

func skipSpace(b []byte) []byte { return bytes.TrimLeft(b, " \t\r\n") }

// text returns the content of a JSON string.
func text(quoted []byte) []byte {
	if bytes.IndexByte(quoted, '\\') < 0 && len(quoted) >= 2 {
		return quoted[1 : len(quoted)-1]
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return nil
	}
	return []byte(s)
}

// valueLen returns the length of the JSON value that b begins with.
func valueLen(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			i = stringEnd(b, i)
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return min(i+1, len(b))
		}
	}
	return len(b)
}

// stringEnd returns where the quote is that ends the string at i.
func stringEnd(b []byte, i int) int {
	for i++; i < len(b) && b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return min(i, len(b)-1)
}
