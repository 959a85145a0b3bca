package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// A keyRing is the keys of a file, as holdfast.Options.Keys has them.
type keyRing [][]byte

const keySize = 32

// UnmarshalText reads the keys from the file called text.
func (k *keyRing) UnmarshalText(text []byte) error {
	content, err := os.ReadFile(string(text))
	if err != nil {
		return fmt.Errorf("cannot read the keys: %w", err)
	}
	*k = nil
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key := decodeKey(line)
		if key == nil {
			return fmt.Errorf("%s, line %d: want 32 random bytes in base64 or hex, such as \"openssl rand -base64 32\" writes", text, number)
		}
		*k = append(*k, key)
	}
	if len(*k) == 0 {
		return fmt.Errorf("%s has no key: write 32 random bytes in base64 or hex, such as \"openssl rand -base64 32\" writes", text)
	}
	return nil
}

// decodeKey returns nil for what is no key. The length tells hex from base64.
func decodeKey(line string) []byte {
	decode := base64.RawStdEncoding.DecodeString
	if len(line) == hex.EncodedLen(keySize) {
		decode = hex.DecodeString
	} else {
		line = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(line, "="))
	}
	if key, err := decode(line); err == nil && len(key) == keySize {
		return key
	}
	return nil
}

// Format keeps the keys out of everything that is printed.
func (k keyRing) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "%d keys", len(k)) }
