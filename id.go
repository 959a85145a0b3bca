package holdfast

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// An ID is a session's identity and a secret: whoever sends it is the user. It
// shows itself as a short fingerprint everywhere but in [ID.Secret].
type ID string

// newID returns 26 characters with 130 random bits.
func newID() ID { return ID(rand.Text()) }

// Secret returns the id itself. Keep it out of logs, pages and URLs.
func (id ID) Secret() string { return string(id) }

// String returns the fingerprint: eight characters that tell sessions apart in a
// log and are of no use to a thief. It is "" for the id of no session.
func (id ID) String() string {
	if id == "" {
		return ""
	}
	sum := sha256.Sum256([]byte("holdfast fingerprint " + string(id)))
	return base64.RawURLEncoding.EncodeToString(sum[:])[:fingerprintSize]
}

const fingerprintSize = 8

// GoString is String, so that %#v shows no secret.
func (id ID) GoString() string { return fmt.Sprintf("holdfast.ID(%s)", id.String()) }

// Format is String for every verb: for a wrong one such as %d, package fmt would
// show the secret.
func (id ID) Format(f fmt.State, verb rune) {
	if verb == 'v' && f.Flag('#') {
		_, _ = io.WriteString(f, id.GoString())
		return
	}
	if !strings.ContainsRune("sqxX", verb) {
		verb = 's'
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), id.String())
}

// LogValue is String, so that slog shows no secret.
func (id ID) LogValue() slog.Value { return slog.StringValue(id.String()) }

// MarshalText is String, so that encoders show no secret.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// Format shows the fingerprint and nothing that is in the session.
func (s *Session) Format(f fmt.State, _ rune) {
	s.mu.Lock()
	id := s.token.id
	s.mu.Unlock()
	_, _ = fmt.Fprintf(f, "session(%s)", id)
}

// Format shows nothing of the session in a context that somebody prints.
func (r *request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "holdfast.Context") }
