package node

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// counts are what the cache counts since its start.
type counts struct {
	get, getHits           uint64
	touch, touchHits       uint64
	set, stored            uint64
	deleteHits, deleteMiss uint64
	incrHits, incrMiss     uint64
	decrHits, decrMiss     uint64
	flush, evicted         uint64
}

// read counts a read, which with touch is one that sets the end.
func (n *counts) read(hit, touch bool) {
	all, hits := &n.get, &n.getHits
	if touch {
		all, hits = &n.touch, &n.touchHits
	}
	*all++
	if hit {
		*hits++
	}
}

func (n *counts) deletion(hit bool) {
	if hit {
		n.deleteHits++
	} else {
		n.deleteMiss++
	}
}

func (n *counts) arithmetic(up, hit bool) {
	switch {
	case up && hit:
		n.incrHits++
	case up:
		n.incrMiss++
	case hit:
		n.decrHits++
	default:
		n.decrMiss++
	}
}

// traffic is what the node counts of its connections.
type traffic struct {
	connected       atomic.Uint64
	received, wrote atomic.Uint64
}

// counted is a connection whose bytes are counted.
type counted struct {
	net.Conn
	srv *Server
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.srv.received.Add(uint64(n))
	return n, err
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.srv.wrote.Add(uint64(n))
	return n, err
}

// stats is stats [settings|reset]. Lines are named as in memcached; those about
// slabs, threads and logs are left out.
func (cl *client) stats(words fields) error {
	switch {
	case len(words) == 1:
		cl.list(cl.srv.figures())
	case string(words[1]) == "settings":
		cl.list(cl.srv.settings())
	case string(words[1]) == "reset":
		cl.srv.resetCounts()
		cl.reply("RESET")
	default:
		cl.reply("ERROR")
	}
	return nil
}

// A figure is one line of stats.
type figure struct {
	name  string
	value any
}

func (cl *client) list(figures []figure) {
	var lines strings.Builder
	for _, f := range figures {
		fmt.Fprintf(&lines, "STAT %s %v\r\n", f.name, f.value)
	}
	cl.reply(lines.String() + "END")
}

func (s *Server) settings() []figure {
	return []figure{
		{"maxbytes", s.opts.MaxMemory},
		{"maxconns", s.opts.MaxConns},
		{"evictions", "on"},
		{"cas_enabled", "yes"},
		{"auth_enabled_ascii", "no"},
		{"item_size_max", s.opts.MaxItem},
		{"maxconns_fast", "yes"},
		{"flush_enabled", "yes"},
		{"dump_enabled", "no"},
	}
}

func (s *Server) figures() []figure {
	open := s.openConns()
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	n := s.cache.counts
	return []figure{
		{"pid", os.Getpid()},
		{"uptime", int(time.Since(s.clock.start).Seconds())},
		{"time", time.Now().Unix()},
		{"version", Version},
		{"pointer_size", 32 << (^uint(0) >> 63)},
		{"max_connections", s.opts.MaxConns},
		{"curr_connections", open},
		{"total_connections", s.connected.Load()},
		{"cmd_get", n.get},
		{"cmd_set", n.set},
		{"cmd_flush", n.flush},
		{"cmd_touch", n.touch},
		{"get_hits", n.getHits},
		{"get_misses", n.get - n.getHits},
		{"delete_misses", n.deleteMiss},
		{"delete_hits", n.deleteHits},
		{"incr_misses", n.incrMiss},
		{"incr_hits", n.incrHits},
		{"decr_misses", n.decrMiss},
		{"decr_hits", n.decrHits},
		{"touch_hits", n.touchHits},
		{"touch_misses", n.touch - n.touchHits},
		{"bytes_read", s.received.Load()},
		{"bytes_written", s.wrote.Load()},
		{"limit_maxbytes", s.opts.MaxMemory},
		{"threads", 1},
		{"bytes", s.cache.bytes},
		{"curr_items", len(s.cache.items)},
		{"total_items", n.stored},
		{"evictions", n.evicted},
	}
}

func (s *Server) openConns() int {
	s.netMu.Lock()
	defer s.netMu.Unlock()
	return len(s.conns)
}

func (s *Server) resetCounts() {
	s.cacheMu.Lock()
	defer s.cacheMu.Unlock()
	s.cache.counts = counts{}
}
