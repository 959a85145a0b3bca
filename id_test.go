package holdfast_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast"
)

const secretID = holdfast.ID("SECRETSECRETSECRETSECRETSE")

func TestAnIDShowsItsFingerprintOnly(t *testing.T) {
	print := secretID.String()
	if len(print) != 8 || strings.Contains(string(secretID), print) {
		t.Fatalf("fingerprint %q", print)
	}
	if other := holdfast.ID("SECRETSECRETSECRETSECRETSF").String(); other == print {
		t.Error("two ids have one fingerprint")
	}
	if got := secretID.Secret(); got != "SECRETSECRETSECRETSECRETSE" {
		t.Errorf("Secret is %q", got)
	}
	if got := holdfast.ID("").String(); got != "" {
		t.Errorf("the id of no session shows as %q", got)
	}
	for format, want := range map[string]string{
		"%v": print, "%+v": print, "%s": print, "%q": `"` + print + `"`, "%12s": "    " + print, "%-10s|": print + "  |", "%.3s": print[:3],
		"%#v": "holdfast.ID(" + print + ")", "%x": fmt.Sprintf("%x", print), "%X": fmt.Sprintf("%X", print), "%#q": "`" + print + "`",
	} {
		if got := fmt.Sprintf(format, secretID); got != want {
			t.Errorf("%s shows %q, want %q", format, got, want)
		}
	}
}

// Wrong verbs, too: package fmt shows the value raw in its complaint. Only %p and
// %w, which go vet refuses here, ask no method.
func TestNoFormatShowsTheSecret(t *testing.T) {
	event := holdfast.Event{ID: secretID, FormerID: secretID}
	for verb := rune('!'); verb <= 'z'; verb++ {
		if verb == 'p' || verb == 'w' {
			continue
		}
		for _, flags := range []string{"", "+", "#", "-", " ", "0", "+#", "9.9"} {
			for _, value := range []any{secretID, &event, event, []holdfast.ID{secretID}, map[string]holdfast.ID{"a": secretID}} {
				got := fmt.Sprintf("%"+flags+string(verb), value)
				if leaks(got) {
					t.Errorf("%%%s%c of %T: %s", flags, verb, value, got)
				}
			}
		}
	}
}

func leaks(text string) bool {
	hexed := fmt.Sprintf("%x", string(secretID))
	return strings.Contains(text, "SECRET") || strings.Contains(strings.ToLower(text), hexed[:20])
}

func TestNoEncoderShowsTheSecret(t *testing.T) {
	type Value struct {
		ID  holdfast.ID
		IDs []holdfast.ID
	}
	value := Value{secretID, []holdfast.ID{secretID}}
	asJSON, err := json.Marshal(value)
	if err != nil || leaks(string(asJSON)) || !strings.Contains(string(asJSON), secretID.String()) {
		t.Errorf("JSON: %s, %v", asJSON, err)
	}
	asXML, err := xml.Marshal(value)
	if err != nil || leaks(string(asXML)) {
		t.Errorf("XML: %s, %v", asXML, err)
	}
	var text, lines bytes.Buffer
	for _, h := range []slog.Handler{slog.NewTextHandler(&text, nil), slog.NewJSONHandler(&lines, nil)} {
		slog.New(h).Info("session", "id", secretID, "value", value, "event", holdfast.Event{ID: secretID}, "error", fmt.Errorf("session %v", secretID))
	}
	if leaks(text.String()) || leaks(lines.String()) {
		t.Errorf("slog: %s%s", text.String(), lines.String())
	}
	if err := errors.Join(fmt.Errorf("%s: %d: %w", secretID, secretID, errors.New("x"))); leaks(err.Error()) {
		t.Error(err)
	}
}

// What a tired programmer prints to see what is going on.
func TestASessionAndItsContextCanBePrinted(t *testing.T) {
	m := newManager(t, nil, nil)
	v := visit(m, func(_ http.ResponseWriter, r *http.Request, s *holdfast.Session) {
		textKey.Set(s, "a secret value")
		s.Commit()
		s.Renew()
		for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			for _, value := range []any{s, r.Context(), []any{s, r.Context()}} {
				got := fmt.Sprintf(format, value)
				for _, secret := range []string{s.ID().Secret(), "secret value"} {
					if strings.Contains(got, secret) {
						t.Errorf("%s of %T shows %q: %s", format, value, secret, got)
					}
				}
			}
		}
	})
	v.get("/")
	first := v.sends()[len("__Host-session="):][:26]
	visit(m, nil).with(m.Handler(page(func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		s.ID()
		if got := fmt.Sprint(s); strings.Contains(got, first) || got != "session("+holdfast.ID("").String()+")" {
			t.Errorf("no session shows as %q", got)
		}
	}))).get("/")
}

func TestIDs(t *testing.T) {
	m := newManager(t, newTap(), nil)
	var during, after holdfast.ID
	v := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		if id := s.ID(); id != "" {
			t.Errorf("the id of no session is %v", id)
		}
		increment(s)
		during = s.ID()
		s.Commit()
		after = s.ID()
	})
	v.get("/")
	if !strings.Contains(v.sends(), "="+during.Secret()+"-") || during != after {
		t.Errorf("id %q, then %q, cookie %q; want the same", during.Secret(), after.Secret(), v.sends())
	}
	v.session(m, func(s *holdfast.Session) {
		if s.ID() != during {
			t.Error("the next request sees another id")
		}
		s.Renew()
		if s.ID() == during {
			t.Error("after Renew the id is still the former one")
		}
		s.Renew() // once more is once
	}).get("/")
	if got := m.Stats().Renewed; got != 1 {
		t.Errorf("renewed %d times, want once", got)
	}
}
