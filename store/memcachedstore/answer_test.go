package memcachedstore

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestParseAnswer(t *testing.T) {
	const all = hasCAS | hasFlags | hasTTL | hasOpaque
	for line, want := range map[string]answer{
		"HD":                       {code: done},
		"HD O1":                    {code: done, opaque: 1, fields: hasOpaque},
		"HD c5 O65535":             {code: done, cas: 5, opaque: 65535, fields: hasCAS | hasOpaque},
		"HD c18446744073709551615": {code: done, cas: 1<<64 - 1, fields: hasCAS},
		"VA 0 c1 f0 t-1 O2":        {code: found, cas: 1, opaque: 2, fields: all},
		"VA 300 c1 f4294967295 t59 O2": {
			code: found, size: 300, cas: 1, flags: 1<<32 - 1, ttl: 59 * time.Second, opaque: 2, fields: all,
		},
		"VA 1":                    {code: found, size: 1},
		"HD t0":                   {code: done, ttl: time.Millisecond, fields: hasTTL},
		"HD c7 O3 W":              {code: done, cas: 7, opaque: 3, fields: hasCAS | hasOpaque},
		"HD X Z":                  {code: done},
		"EN":                      {code: miss},
		"EN O5":                   {code: miss, opaque: 5, fields: hasOpaque},
		"NF O5":                   {code: miss, opaque: 5, fields: hasOpaque},
		"NS c0 O5":                {code: notStored, opaque: 5, fields: hasCAS | hasOpaque},
		"EX c0 O5":                {code: exists, opaque: 5, fields: hasCAS | hasOpaque},
		"SERVER_ERROR object too": {code: refused, text: "object too"},
		"SERVER_ERROR":            {code: refused},
	} {
		got, err := parseAnswer([]byte(line))
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", line, got, err, want)
		}
	}
}

func TestParseAnswerRefuses(t *testing.T) {
	for _, line := range []string{
		"", " ", "hd", "HDO1", "HD ", "HD  O1", "HD O1 ", " HD", "VA", "VA ", "VA x", "VA -1", "VA +1", "VA 1073741825", "VA 1 c1 O",
		"VA 1  c1", "VA c1", "HD c", "HD c-1", "HD c18446744073709551616", "HD f4294967296", "HD t-2", "HD t4294967297",
		"HD t", "HD O65536", "HD O", "HD O1 O1", "HD c1 c1", "HD W1", "HD kkey", "HD s3", "HD\tO1", "HD \x00",
		"MN", "OK", "STORED", "END", "VALUE k 0 1", "ERROR", "CLIENT_ERROR bad", "SERVER_ERRORS", "HD c99999999999999999999999999",
	} {
		if a, err := parseAnswer([]byte(line)); !errors.Is(err, errProtocol) {
			t.Errorf("%q: got %+v, %v, want %v", line, a, err, errProtocol)
		}
	}
}

// What comes out of step may be a piece of a session.
func TestErrorsDoNotShowWhatMayBeAValue(t *testing.T) {
	for _, line := range []string{"secret=1", "VA secret", "HD secret", "ERROR secret"} {
		if _, err := parseAnswer([]byte(line)); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: error %v", line, err)
		}
	}
	if _, err := parseAnswer([]byte("CLIENT_ERROR why")); err == nil || !strings.Contains(err.Error(), "why") {
		t.Errorf("got %v, want the server's own words", err)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, line := range []string{
		"VA 3 c1 f7 t100 O99", "HD c1 f7 t-1", "EN O5", "NF", "NS c0 O4", "EX c0", "HD W X", "SERVER_ERROR x", "CLIENT_ERROR y", "VA 18446744073709551616",
	} {
		f.Add([]byte(line))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := bytes.Clone(line)
		a, err := parseAnswer(line)
		if !bytes.Equal(line, before) {
			t.Fatalf("the line was changed from %q to %q", before, line)
		}
		if err != nil {
			if !errors.Is(err, errProtocol) {
				t.Errorf("%q: %v does not match errProtocol", line, err)
			}
			return
		}
		if a.size < 0 || a.size > maxSize || a.ttl < 0 || a.fields&hasTTL != 0 && a.ttl == store.Forever && !bytes.Contains(line, []byte("t-1")) {
			t.Errorf("%q: impossible answer %+v", line, a)
		}
		again, err := parseAnswer(appendAnswer(nil, a))
		if err != nil || again != a {
			t.Errorf("%q: %+v is written as %q and read as %+v, %v", line, a, appendAnswer(nil, a), again, err)
		}
	})
}

// appendAnswer is the reverse of parseAnswer.
func appendAnswer(b []byte, a answer) []byte {
	switch a.code {
	case found:
		b = fmt.Appendf(b, "VA %d", a.size)
	case refused:
		return append(append(b, "SERVER_ERROR "...), a.text...)
	default:
		b = append(b, map[code]string{done: "HD", miss: "EN", notStored: "NS", exists: "EX"}[a.code]...)
	}
	if a.fields&hasCAS != 0 {
		b = fmt.Appendf(b, " c%d", a.cas)
	}
	if a.fields&hasFlags != 0 {
		b = fmt.Appendf(b, " f%d", a.flags)
	}
	switch {
	case a.fields&hasTTL == 0:
	case a.ttl == store.Forever:
		b = append(b, " t-1"...)
	default:
		b = fmt.Appendf(b, " t%d", a.ttl/time.Second)
	}
	if a.fields&hasOpaque != 0 {
		b = fmt.Appendf(b, " O%d", a.opaque)
	}
	return b
}

func TestMeaningOfAnswers(t *testing.T) {
	at := store.Version{Generation: 4, Token: 9}
	full := "c7 f5 t60 O1"
	item := store.Item{Flags: 5, TTL: time.Minute, Version: store.Version{Generation: 4, Token: 7}}
	written := store.Item{Version: item.Version}
	gets, heads, touches := request{verb: get}, request{verb: head}, request{verb: touch}
	puts, adds, swaps := request{verb: put, at: store.Any}, request{verb: put}, request{verb: put, at: at}
	removes, removesAt := request{verb: remove, at: store.Any}, request{verb: remove, at: at}
	for _, tc := range []struct {
		request request
		line    string
		want    store.Item
		err     error
	}{
		{gets, "VA 3 " + full, item, nil},
		{heads, "HD " + full, item, nil},
		{touches, "HD c7", written, nil},
		{puts, "HD c7", written, nil},
		{adds, "HD c7", written, nil},
		{swaps, "HD c7", written, nil},
		{removes, "HD", store.Item{Version: store.Version{Generation: 4}}, nil},

		{gets, "EN", store.Item{}, store.ErrNotFound},
		{heads, "EN", store.Item{}, store.ErrNotFound},
		{touches, "EN", store.Item{}, store.ErrNotFound},
		{touches, "NF", store.Item{}, store.ErrNotFound},
		{removes, "NF", store.Item{}, nil},
		{removesAt, "NF", store.Item{}, nil},

		{adds, "NS c0", store.Item{}, store.ErrConflict},
		{swaps, "EX c0", store.Item{}, store.ErrConflict},
		{swaps, "NF c0", store.Item{}, store.ErrConflict},
		{removesAt, "EX", store.Item{}, store.ErrConflict},

		{puts, "SERVER_ERROR object too large for cache", store.Item{}, store.ErrTooLarge},
		{swaps, "SERVER_ERROR out of memory storing object", store.Item{}, store.ErrFull},
		{gets, "SERVER_ERROR out of memory writing get response", store.Item{}, store.ErrUnavailable},
		{touches, "SERVER_ERROR out of memory storing object", store.Item{}, store.ErrUnknownOutcome},
		{removes, "SERVER_ERROR busy", store.Item{}, store.ErrUnknownOutcome},
		{puts, "SERVER_ERROR busy", store.Item{}, errProtocol},

		{gets, "HD " + full, store.Item{}, errProtocol},
		{heads, "VA 3 " + full, store.Item{}, errProtocol},
		{gets, "VA 3 c7 f5 O1", store.Item{}, errProtocol},
		{gets, "VA 3 c0 f5 t60", store.Item{}, errProtocol},
		{heads, "HD c7", store.Item{}, errProtocol},
		{gets, "EX", store.Item{}, errProtocol},
		{gets, "NS", store.Item{}, errProtocol},
		{touches, "HD", store.Item{}, errProtocol},
		{touches, "EX", store.Item{}, errProtocol},
		{puts, "HD", store.Item{}, errProtocol},
		{puts, "HD c0", store.Item{}, errProtocol},
		{puts, "NS c0", store.Item{}, errProtocol},
		{puts, "EX c0", store.Item{}, errProtocol},
		{puts, "NF c0", store.Item{}, errProtocol},
		{adds, "NF c0", store.Item{}, errProtocol},
		{removes, "EX", store.Item{}, errProtocol},
		{removes, "VA 1", store.Item{}, errProtocol},
	} {
		a, err := parseAnswer([]byte(tc.line))
		if err != nil {
			t.Fatal(err)
		}
		got, err := tc.request.settle(a, 4)
		if !errors.Is(err, tc.err) || got.Version != tc.want.Version || got.Flags != tc.want.Flags || got.TTL != tc.want.TTL {
			t.Errorf("%v at %v, %q: got %+v, %v, want %+v, %v", tc.request.verb, tc.request.at, tc.line, got, err, tc.want, tc.err)
		}
	}
}
