package node_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/node"
)

// TestAnswers holds the facts of memcached that users of the node rely on. All
// others are compared with a real memcached in package integration.
func TestAnswers(t *testing.T) {
	large, opaque := strings.Repeat("x", 2000), "O"+strings.Repeat("o", 32)
	for _, c := range []struct{ name, lines, want string }{
		{"cas counts from one", "ms a 1 c|x|ms a 1 c|y", "HD c1|HD c2"},
		{"a read with T leaves the cas", "ms a 1 T9|x|mg a c T99|mg a c t", "HD|HD c1|HD c1 t99"},
		{"T0 is never", "ms a 1 T0|x|mg a t", "HD|HD t-1"},
		{"T above 30 days is a date, long past", "ms a 1 T2592000|x|mg a s|mg a T2592001|mg a s", "HD|HD s1|HD|EN"},
		{"too large drops the item, though the cas is wrong", "ms a 1|x|ms a 2000 C77|" + large + "|mg a", "HD|SERVER_ERROR object too large for cache|EN"},
		{"too large an add keeps the item", "set a 0 0 1|x|add a 0 0 2000|" + large + "|mg a", "STORED|SERVER_ERROR object too large for cache|HD"},
		{"E is refused", "ms a 1 E5|x|mg a", "CLIENT_ERROR invalid flag|EN"},
		{"the wrong cas changes nothing", "ms a 1 F7|x|ms a 1 C9 F8|y|md a C9|mg a v f c", "HD|EX|EX|VA 1 f7 c1|x"},
		{"quiet hides what is ordinary", "mg a q|ms a 1 q|x|mg a q v|md a q|md a q|mn", "VA 1|x|NF|MN"},
		{"noreply hides all", "set a 0 0 1 noreply|x|delete b noreply|incr a 1 noreply|get a", "VALUE a 0 1|x|END"},
		{"stale items are won once", "ms a 1|x|md a I|mg a c v|mg a c v|mg a c v", "HD|HD|VA 1 c2 X W|x|VA 1 c2 Z X|x|VA 1 c2 Z X|x"},
		{"an opaque that is too long", "ms a 1|x|mg a R9 " + opaque + "|mg a u h|mg a " + opaque + "|mg a u h", "HD|CLIENT_ERROR opaque token too long|HD h0|CLIENT_ERROR opaque token too long|HD h1"},
		{"keys in base64", "ms YSBi 1 b|x|mg YSBi b k v|me YSBi b", "HD|VA 1 kYSBi b|x|ME YSBi exp=-1 la=0 cas=1 fetch=yes cls=1 size=63"},
		{"flags and cas with gets", "set a 4294967295 0 1|x|gets a", "STORED|VALUE a 4294967295 1 1|x|END"},
		{"the limit in the settings", "stats settings", "STAT maxbytes 67108864|STAT maxconns 1024|STAT evictions on|STAT cas_enabled yes|STAT auth_enabled_ascii no|" +
			"STAT item_size_max 1024|STAT maxconns_fast yes|STAT flush_enabled yes|STAT dump_enabled no|END"},
		{"what the node does not have", "watch|lru_crawler metadump all|stats slabs|slabs automove 1", "ERROR|ERROR|ERROR|ERROR"},
		{"the version", "version", "VERSION " + node.Version},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, p := start(t, &node.Options{MaxItem: 1024})
			call(t, p).want(c.lines, c.want)
		})
	}
}

func TestItemsEndWithTheTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := start(t, nil)
		ph := call(t, p)
		time.Sleep(300 * time.Millisecond)
		ph.want("ms a 1 T1|x|ms b 1 T2|x|mg a t|mg b t", "HD|HD|HD t1|HD t2")
		time.Sleep(699 * time.Millisecond)
		ph.want("mg a t", "HD t1")
		time.Sleep(time.Millisecond)
		ph.want("mg a t|mg b t|ms a 1 ME|y", "EN|HD t1|HD")
		time.Sleep(time.Second)
		ph.want("mg b t|touch b 9|incr b 1|md b|replace b 0 0 1|x|gat 9 b", "EN|NOT_FOUND|NOT_FOUND|NF|NOT_STORED|END")
	})
}

func TestFlushAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, p := start(t, nil)
		ph := call(t, p)
		ph.want("ms old 1|x|flush_all 10|mg old|mg old", "HD|OK|HD|HD")
		time.Sleep(8 * time.Second)
		ph.want("mg old", "HD")
		time.Sleep(time.Second) // memcached is a second early
		ph.want("mg old|ms new 1|x|mg new", "EN|HD|EN")
		time.Sleep(time.Second)
		ph.want("mg new|ms new 1 c|x|mg new", "EN|HD c3|HD")
		n.Flush()
		ph.want("mg new|ms new 1 c|x|mg new", "EN|HD c5|HD")
	})
}

func TestLastAccessMovesFromTheSecondReadOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, p := start(t, nil)
		ph := call(t, p)
		ph.want("ms a 1|x", "HD")
		time.Sleep(5 * time.Second)
		ph.want("mg a l u h|mg a l h|mg a l h|mg a l h", "HD l5 h0|HD l5 h0|HD l5 h1|HD l0 h1")
	})
}

func TestMemoryIsBoundedByDroppingWhatWasNotUsed(t *testing.T) {
	const limit = 100_000
	_, p := start(t, &node.Options{MaxMemory: limit})
	ph := call(t, p)
	value := strings.Repeat("x", 1000)
	ph.want("set kept 0 0 1000|"+value, "STORED")
	for i := range 1000 {
		ph.want(fmt.Sprintf("set k%d 0 0 1000|%s", i, value), "STORED")
		ph.want("mg kept s", "HD s1000")
	}
	ph.want("mg k0|mg k900|mg k999", "EN|EN|HD")
	if got := ph.stat("bytes"); got > limit {
		t.Errorf("%d bytes of items, %d allowed", got, limit)
	}
	if got := ph.stat("evictions"); got < 900 {
		t.Errorf("evictions: %d", got)
	}
}

func TestMemoryIsCountedWhileAValueIsOnItsWay(t *testing.T) {
	_, p := start(t, &node.Options{MaxMemory: 20_000})
	var announced []net.Conn
	for range 15 {
		conn, err := p.dial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := conn.Write([]byte("set a 0 0 1000\r\n")); err != nil {
			t.Fatal(err)
		}
		// A first part of the value is only taken when the memory is reserved.
		if _, err := conn.Write([]byte("part")); err != nil {
			t.Fatal(err)
		}
		announced = append(announced, conn)
	}
	ph := call(t, p)
	value := strings.Repeat("x", 5000)
	ph.want("set b 0 0 5000|"+value+"|mg b", "SERVER_ERROR out of memory storing object|EN")
	for _, conn := range announced {
		conn.Close()
	}
	for ph.ask("set b 0 0 5000|"+value) != "STORED" { // as soon as the node has noticed
		time.Sleep(time.Millisecond)
	}
}

func TestTooManyConnectionsAreTurnedAway(t *testing.T) {
	_, p := start(t, &node.Options{MaxConns: 2})
	first, second := call(t, p), call(t, p)
	first.want("mn", "MN")
	second.want("mn", "MN")
	third := call(t, p)
	if line, err := third.in.ReadString('\n'); line != "ERROR Too many open connections\r\n" || !third.ended() {
		t.Errorf("the third got %q, %v", line, err)
	}
	first.conn.Close()
	for line := ""; line != "MN\r\n"; { // as soon as the node has noticed
		fourth := call(t, p)
		go func() { _, _ = fourth.conn.Write([]byte("mn\r\n")) }()
		var err error
		if line, err = fourth.in.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
		fourth.conn.Close()
	}
}

func TestLinesAreBounded(t *testing.T) {
	for _, c := range []struct {
		name, text string
		ends       bool
	}{
		{"a long line", strings.Repeat("x", 3000), true},
		{"a long set", "set " + strings.Repeat("k", 20_000), true},
		{"a get of many keys", "get" + strings.Repeat(" key", 10_000) + "\r\n", false},
		{"a get without end", "get " + strings.Repeat("k", 2<<20), true},
		{"the binary protocol", "\x80\x0b\x00\x00", true},
		{"quit", "quit\r\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, p := start(t, nil)
			ph := call(t, p)
			go func() { _, _ = ph.conn.Write([]byte(c.text)) }()
			if c.ends {
				if !ph.ended() {
					t.Error("the node keeps the connection")
				}
				return
			}
			if line, err := ph.in.ReadString('\n'); line != "END\r\n" {
				t.Errorf("answer %q, %v", line, err)
			}
		})
	}
}

func TestAClientThatDoesNotReadHoldsUpNobodyElse(t *testing.T) {
	_, p := start(t, nil)
	ph := call(t, p)
	value := strings.Repeat("x", 100_000)
	ph.want("set a 0 0 100000|"+value, "STORED")
	deaf := call(t, p)
	if _, err := deaf.conn.Write([]byte("get a a a\r\n")); err != nil {
		t.Fatal(err)
	}
	ph.want("set a 0 0 1|y|incr a 1|mg a v", "STORED|CLIENT_ERROR cannot increment or decrement non-numeric value|VA 1|y")
	for range 3 {
		if line, err := deaf.in.ReadString('\n'); line != "VALUE a 0 100000\r\n" && line != "VALUE a 0 1\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		if line, err := deaf.in.ReadString('\n'); line != value+"\r\n" && line != "y\r\n" {
			t.Fatalf("a value of %d bytes, %v", len(line), err)
		}
	}
}

func TestIncrementsOfManyClientsAddUp(t *testing.T) {
	_, p := start(t, nil)
	call(t, p).want("set n 0 0 1|0", "STORED")
	var wg sync.WaitGroup
	for range 8 {
		ph := call(t, p)
		wg.Go(func() {
			for range 100 {
				ph.ask("incr n 1|mg n v q|gets n")
			}
		})
	}
	wg.Wait()
	call(t, p).want("mg n v", "VA 3|800")
}

func TestCloseEndsConnectionsAndListeners(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a goroutine left behind fails the test
		n, p := node.New(nil), newPipes()
		served := make(chan error, 1)
		go func() { served <- n.Serve(p) }()
		idle, halfway := call(t, p), call(t, p)
		if _, err := halfway.conn.Write([]byte("set a 0 0 100\r\npart")); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if err := n.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		}
		if err := <-served; err != nil {
			t.Errorf("Serve after Close: %v", err)
		}
		if !idle.ended() || !halfway.ended() {
			t.Error("a connection is left open")
		}
		if err := n.Serve(newPipes()); err == nil {
			t.Error("Serve works after Close")
		}
	})
}

func TestServeReturnsTheErrorOfItsListener(t *testing.T) {
	n, p := node.New(nil), newPipes()
	defer n.Close()
	p.Close()
	if err := n.Serve(p); err == nil {
		t.Error("no error")
	}
}

func TestStatsCount(t *testing.T) {
	_, p := start(t, nil)
	ph := call(t, p)
	ph.want("set a 0 0 1|5|get a b|mg a v|touch a 9|touch b 9|incr a 1|decr b 1|delete a|delete a|flush_all",
		"STORED|VALUE a 0 1|5|END|VA 1|5|TOUCHED|NOT_FOUND|6|NOT_FOUND|DELETED|NOT_FOUND|OK")
	for name, want := range map[string]int{
		"cmd_set": 1, "get_hits": 2, "touch_hits": 1, "touch_misses": 1, "incr_hits": 1, "decr_misses": 1,
		"delete_hits": 1, "delete_misses": 1, "cmd_flush": 1, "total_items": 1, "curr_items": 0, "bytes": 0, "curr_connections": 1,
	} {
		if got := ph.stat(name); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
}

// stat returns one figure of stats.
func (p *phone) stat(name string) int {
	p.t.Helper()
	for line := range strings.SplitSeq(p.ask("stats"), "|") {
		var got string
		var n int
		if _, err := fmt.Sscanf(line, "STAT %s %d", &got, &n); err == nil && got == name {
			return n
		}
	}
	p.t.Fatalf("no figure %s", name)
	return 0
}
