package memcachedstore

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
)

// received reads one answer to r from text.
func received(d classic, r request, text string) (item store.Item, rest int, err error) {
	in := bufio.NewReaderSize(strings.NewReader(text), readBuffer)
	c := &conn{wire: wire{in: in, maxItem: 1 << 20, speaks: d}, generation: 4}
	cl := &call{request: r}
	cl.state.Store(sent)
	line, err := readLine(in)
	if err == nil {
		item, err = d.receive(c, cl, line)
	}
	return item, in.Buffered(), err
}

func TestMeaningOfClassicAnswers(t *testing.T) {
	at := store.Version{Generation: 4, Token: 9}
	gets, heads, touches := request{verb: get, key: "k"}, request{verb: head, key: "k"}, request{verb: touch, key: "k"}
	puts, adds, swaps := request{verb: put, key: "k", at: store.Any}, request{verb: put, key: "k"}, request{verb: put, key: "k", at: at}
	removes, removesAt, removesNone := request{verb: remove, key: "k", at: store.Any}, request{verb: remove, key: "k", at: at}, request{verb: remove, key: "k"}
	for _, tc := range []struct {
		request request
		text    string
		err     error
	}{
		{puts, "STORED", nil},
		{adds, "STORED", nil},
		{swaps, "STORED", nil},
		{touches, "TOUCHED", nil},
		{removes, "DELETED", nil},
		{removes, "NOT_FOUND", nil},
		{removesAt, "STORED", nil},
		{removesAt, "NOT_FOUND", nil},
		{removesNone, "NOT_FOUND", nil},

		{gets, "END", store.ErrNotFound},
		{heads, "END", store.ErrNotFound},
		{touches, "NOT_FOUND", store.ErrNotFound},
		{adds, "NOT_STORED", store.ErrConflict},
		{swaps, "EXISTS", store.ErrConflict},
		{swaps, "NOT_FOUND", store.ErrConflict},
		{removesAt, "EXISTS", store.ErrConflict},
		{removesNone, "EXISTS", store.ErrConflict},

		{puts, "SERVER_ERROR object too large for cache", store.ErrTooLarge},
		{swaps, "SERVER_ERROR out of memory storing object", store.ErrFull},
		{puts, "SERVER_ERROR busy", errProtocol},
		{gets, "SERVER_ERROR Connection refused", store.ErrUnavailable},
		{gets, "SERVER_ERROR", store.ErrUnavailable},
		{touches, "SERVER_ERROR Connection timed out", store.ErrUnknownOutcome},
		{removes, "SERVER_ERROR Connection timed out", store.ErrUnknownOutcome},

		{puts, "NOT_STORED", errProtocol},
		{puts, "DELETED", errProtocol},
		{puts, "TOUCHED", errProtocol},
		{puts, "HD", errProtocol},
		{puts, "END", errProtocol},
		{puts, "VALUE k 0 1 1", errProtocol},
		{adds, "NOT_FOUND", errProtocol},
		{touches, "STORED", errProtocol},
		{touches, "EXISTS", errProtocol},
		{removes, "STORED", errProtocol},
		{removes, "EXISTS", errProtocol},
		{removesAt, "DELETED", errProtocol},
		{gets, "STORED", errProtocol},
		{gets, "NOT_FOUND", errProtocol},
		{gets, "ERROR", errProtocol},
		{puts, "ERROR", errProtocol},
		{puts, "CLIENT_ERROR bad data chunk", errProtocol},
		{puts, "", errProtocol},
	} {
		item, rest, err := received(classic{}, tc.request, tc.text+"\r\n")
		if !errors.Is(err, tc.err) || tc.err == nil && err != nil || item.Version != store.Absent || rest != 0 {
			t.Errorf("%v at %v, %q: got %+v, %v, want %v", tc.request.verb, tc.request.at, tc.text, item, err, tc.err)
		}
	}
}

func TestClassicItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // the clock stands still
		key := noteKey("k")
		noteOf := func(sum uint64, left time.Duration) string {
			value := noteRequest("k", note{sum, endOf(left, time.Now())}).item.Value
			return fmt.Sprintf("VALUE %s 0 %d 8\r\n%s\r\n", key, len(value), value)
		}
		value := "VALUE k 7 5 9\r\nvalue\r\n"
		sum := fingerprint(7, []byte("value"))
		for name, tc := range map[string]struct {
			text string
			ttl  time.Duration
		}{
			"item and note":        {value + noteOf(sum, time.Minute), time.Minute},
			"note first":           {noteOf(sum, time.Minute) + value, time.Minute},
			"no end":               {value + noteOf(sum, store.Forever), store.Forever},
			"no note":              {value, store.Forever},
			"the note of another":  {value + noteOf(sum+1, time.Minute), store.Forever},
			"a note that is none":  {value + "VALUE " + key + " 0 1 8\r\nx\r\n", store.Forever},
			"an empty note":        {value + "VALUE " + key + " 0 0 8\r\n\r\n", store.Forever},
			"words of an answer":   {"VALUE k 7 5 9\r\nEND\r\n\r\n", store.Forever},
			"a value of line ends": {"VALUE k 7 4 9\r\n\r\n\r\n\r\n", store.Forever},
		} {
			for _, hidden := range []bool{false, true} {
				d := classic{hidden: hidden}
				whole, rest, err := received(d, request{verb: get, key: "k"}, tc.text+"END\r\n")
				head, _, headErr := received(d, request{verb: head, key: "k"}, tc.text+"END\r\n")
				if err != nil || headErr != nil || rest != 0 || whole.Flags != 7 || whole.TTL != tc.ttl || !strings.Contains(tc.text, "\r\n"+string(whole.Value)+"\r\n") {
					t.Errorf("%s: got %+v, %v, %v", name, whole, err, headErr)
				}
				want := d.version(4, 9, fingerprint(7, whole.Value))
				if whole.Version != want || head.Version != want || head.Value != nil || head.Flags != 7 || head.TTL != tc.ttl {
					t.Errorf("%s: got %+v and the head %+v, want version %v", name, whole, head, want)
				}
			}
		}
	})
}

func TestClassicItemsThatEndTheConnection(t *testing.T) {
	for _, text := range []string{
		"VALUE other 0 1 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1 1\r\nv\r\nVALUE k 0 1 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1 0\r\nv\r\nEND\r\n",
		"VALUE k 0 1 1 1\r\nv\r\nEND\r\n",
		"VALUE k 4294967296 1 1\r\nv\r\nEND\r\n",
		"VALUE k 0 -1 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1048577 1\r\nv\r\nEND\r\n",
		"VALUE k 0 99999999999 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1 18446744073709551616\r\nv\r\nEND\r\n",
		"VALUE  0 1 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1 1\r\nvv\r\nEND\r\n",
		"VALUE k 0 3 1\r\nv\r\nEND\r\n",
		"VALUE k 0 1 1\r\nv\r\nSERVER_ERROR out of memory\r\n",
		"VALUE k 0 1 1\r\nv\r\n",
		"VALUE k 0 1 1\r\n",
		"END \r\n",
	} {
		item, _, err := received(classic{}, request{verb: get, key: "k"}, text)
		if !errors.Is(err, errProtocol) || item.Value != nil {
			t.Errorf("%q: got %+v, %v, want %v", text, item, err, errProtocol)
		}
	}
}

func FuzzClassicAnswer(f *testing.F) {
	note := noteRequest("k", note{sum: 5, end: endOf(time.Minute, time.Unix(1e9, 0))}).item.Value
	for i, text := range []string{
		"END\r\n", "VALUE k 7 5 9\r\nvalue\r\nEND\r\n", "STORED\r\n", "TOUCHED\r\n", "DELETED\r\n",
		"EXISTS\r\n", "NOT_FOUND\r\n", "NOT_STORED\r\n", "SERVER_ERROR x\r\n", "CLIENT_ERROR y\r\n", "ERROR\r\n",
		fmt.Sprintf("VALUE k 0 1 1\r\nv\r\nVALUE %s 0 %d 2\r\n%s\r\nEND\r\n", noteKey("k"), len(note), note),
		"VALUE k 4294967295 0 18446744073709551615\r\n\r\nEND\r\n", "VALUE k 0 5 1\r\nEND\r\n\r\nEND\r\nEND\r\n",
	} {
		f.Add([]byte(text), uint8(i))
	}
	f.Fuzz(func(t *testing.T, text []byte, choice uint8) {
		verbs := []verb{get, head, put, touch, remove}
		r := request{verb: verbs[int(choice)%len(verbs)], key: "k"}
		if choice > 127 {
			r.at = store.Any
		}
		item, _, err := received(classic{}, r, string(text))
		if err != nil {
			if item.Value != nil || item.Version != store.Absent {
				t.Errorf("%q: an item %+v with the error %v", text, item, err)
			}
			return
		}
		if r.verb == get && (item.TTL < 0 || !bytes.Contains(text, append(item.Value, "\r\n"...)) || item.Version.Token == 0) {
			t.Errorf("%q: impossible item %+v", text, item)
		}
	})
}

// FuzzClassicStream feeds any bytes to a connection on which calls wait: they all
// end, and no get returns what the server did not send.
func FuzzClassicStream(f *testing.F) {
	f.Add([]byte("VALUE k 0 5 1\r\nvalue\r\nEND\r\nSTORED\r\nVALUE k 0 0 2\r\n\r\nEND\r\nDELETED\r\n"))
	f.Add([]byte("END\r\nSERVER_ERROR out of memory storing object\r\nEND\r\nNOT_FOUND\r\n"))
	f.Add([]byte("VALUE k 0 100 1\r\nvalue"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		fuzzStream(t, stream, oldServer, 5) // a put has two lines, and a read behind it
	})
}
