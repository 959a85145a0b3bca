package memcachedstore

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// A fake is a small memcached in memory: the commands and flags that this
// package uses, and connections that a test can cut.
type fake struct {
	old   bool        // knows no meta commands
	proxy bool        // and closes the connection on what it does not know
	slow  func()      // called before each command, if not nil
	tls   *tls.Config // of the server's side, if not nil

	mu    sync.Mutex // guards the fields below
	items map[string]fakeItem
	cas   uint64
	conns map[net.Conn]bool

	wg sync.WaitGroup // one for each connection
}

type fakeItem struct {
	value []byte
	flags string
	cas   uint64
	end   time.Time // zero: none
}

func newFake(t testing.TB) *fake {
	f := &fake{items: map[string]fakeItem{}, conns: map[net.Conn]bool{}}
	t.Cleanup(func() {
		f.cut()
		f.wg.Wait()
	})
	return f
}

// dial is for Options.Dial.
func (f *fake) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	f.take(theirs)
	return ours, nil
}

// accept serves the connections of a listener until it is closed.
func (f *fake) accept(listener net.Listener) {
	for {
		c, err := listener.Accept()
		if err != nil {
			return
		}
		f.take(c)
	}
}

func (f *fake) take(c net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.conns[c] = true
	f.wg.Go(func() {
		defer c.Close()
		if f.tls != nil {
			f.serve(tls.Server(c, f.tls))
		} else {
			f.serve(c)
		}
	})
}

// cut closes all connections. Items stay.
func (f *fake) cut() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		c.Close()
	}
	clear(f.conns)
}

// restart is a new life: no connections, no items, tokens from 1.
func (f *fake) restart() {
	f.cut()
	f.forget()
}

// forget is a new life that no connection tells of.
func (f *fake) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.items)
	f.cas = 0
}

// serve answers commands. Answers are held back while more commands are there
// already, as memcached does.
func (f *fake) serve(c net.Conn) {
	in, out := bufio.NewReader(c), bufio.NewWriter(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if f.slow != nil {
			f.slow()
		}
		if err := f.obey(strings.Fields(line), in, out); err != nil {
			return
		}
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

func (f *fake) obey(words []string, in io.Reader, out *bufio.Writer) error {
	known, err := f.obeyClassic(words, in, out)
	switch {
	case known || err != nil:
		return err
	case f.proxy:
		return fmt.Errorf("unknown command %q", words)
	case f.old && words[0] != "stats":
		_, err := out.WriteString("ERROR\r\n")
		return err
	}
	switch words[0] {
	case "stats":
		_, err := out.WriteString("STAT item_size_max 1048576\r\nEND\r\n")
		return err
	case "mg":
		return f.get(words[1], words[2:], out)
	case "ms":
		size, err := strconv.Atoi(words[2])
		if err != nil {
			return err
		}
		value := make([]byte, size+2)
		if _, err := io.ReadFull(in, value); err != nil {
			return err
		}
		code, cas := f.set(words[1], value[:size], words[3:])
		return reply(out, code, words[3:], map[byte]string{'c': fmt.Sprint(cas)})
	case "md":
		return reply(out, f.remove(words[1], words[2:]), words[2:], nil)
	}
	return fmt.Errorf("unknown command %q", words)
}

func (f *fake) get(key string, flags []string, out *bufio.Writer) error {
	f.mu.Lock()
	it, ok := f.liveLocked(key)
	if ttl, set := flag(flags, 'T'); set && ok {
		it.end = endAfter(ttl)
		f.items[key] = it
	}
	f.mu.Unlock()
	if !ok {
		return reply(out, "EN", flags, nil)
	}
	left := "-1"
	if !it.end.IsZero() {
		left = strconv.Itoa(int(time.Until(it.end) / time.Second))
	}
	fields := map[byte]string{'c': fmt.Sprint(it.cas), 'f': it.flags, 't': left}
	if _, whole := flag(flags, 'v'); !whole {
		return reply(out, "HD", flags, fields)
	}
	if err := reply(out, fmt.Sprintf("VA %d", len(it.value)), flags, fields); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s\r\n", it.value)
	return err
}

func (f *fake) set(key string, value []byte, flags []string) (code string, cas uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	it, ok := f.liveLocked(key)
	token, conditional := flag(flags, 'C')
	mode, _ := flag(flags, 'M')
	switch {
	case conditional && !ok:
		return "NF", 0
	case conditional && token != fmt.Sprint(it.cas):
		return "EX", 0
	case mode == "E" && ok:
		return "NS", 0
	}
	f.cas++
	it = fakeItem{value: value, cas: f.cas}
	it.flags, _ = flag(flags, 'F')
	ttl, _ := flag(flags, 'T')
	it.end = endAfter(ttl)
	f.items[key] = it
	return "HD", f.cas
}

func (f *fake) remove(key string, flags []string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	it, ok := f.liveLocked(key)
	token, conditional := flag(flags, 'C')
	switch {
	case !ok:
		return "NF"
	case conditional && token != fmt.Sprint(it.cas):
		return "EX"
	}
	delete(f.items, key)
	return "HD"
}

func (f *fake) liveLocked(key string) (fakeItem, bool) {
	it, ok := f.items[key]
	return it, ok && (it.end.IsZero() || time.Now().Before(it.end))
}

// reply writes a code, and the flags that were asked for and are known, in the
// order in which they were asked for.
func reply(out *bufio.Writer, code string, flags []string, fields map[byte]string) error {
	out.WriteString(code) // the last write has the error of all
	for _, f := range flags {
		if value, ok := fields[f[0]]; ok && len(f) == 1 {
			fmt.Fprintf(out, " %c%s", f[0], value)
		}
		if f[0] == 'O' {
			fmt.Fprintf(out, " %s", f)
		}
	}
	_, err := out.WriteString("\r\n")
	return err
}

// flag is the value of the flag with this letter.
func flag(flags []string, letter byte) (string, bool) {
	for _, f := range flags {
		if f[0] == letter {
			return f[1:], true
		}
	}
	return "", false
}

func endAfter(ttl string) time.Time {
	seconds, err := strconv.Atoi(ttl)
	if err != nil || seconds == 0 {
		return time.Time{}
	}
	if seconds > 30*24*60*60 {
		return time.Unix(int64(seconds), 0)
	}
	return time.Now().Add(time.Duration(seconds) * time.Second)
}
