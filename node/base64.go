package node

import (
	"bytes"
	"encoding/base64"
)

// decodeKey reads a key in base64 as memcached does: characters that do not
// belong there are passed over, and what follows the padding is not seen.
func decodeKey(key []byte) ([]byte, bool) {
	var digits []byte
	for _, c := range key {
		if isBase64(c) {
			digits = append(digits, c)
		}
	}
	if len(digits) == 0 || len(digits)%4 != 0 {
		return nil, false
	}
	if i := bytes.IndexByte(digits, '='); i >= 0 {
		digits = digits[:i/4*4+4]
	}
	return decodeDigits(digits)
}

// decodeDigits takes padding for zeros wherever it stands in the last four
// digits, and cuts off as many bytes as it was long.
func decodeDigits(digits []byte) ([]byte, bool) {
	padding := bytes.Count(digits, []byte{'='})
	if padding > 2 {
		return nil, false
	}
	zeros := bytes.ReplaceAll(digits, []byte{'='}, []byte{'A'})
	key, err := base64.StdEncoding.AppendDecode(nil, zeros)
	if err != nil {
		return nil, false
	}
	return key[:len(key)-padding], true
}

func isBase64(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}

func encodeKey(dst, key []byte) []byte { return base64.StdEncoding.AppendEncode(dst, key) }
