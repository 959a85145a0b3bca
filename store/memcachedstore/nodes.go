package memcachedstore

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path"
	"strconv"
	"strings"

	"github.com/holdfast-sessions/holdfast/store"
)

// Nodes makes a Store for each memcached in spec, in that order, all with opts:
//
//	n1:10.0.0.1:11211 n2:cache2.example.org:11211, n3:[2001:db8::1]:11211
//	n1:/run/memcached/memcached.sock
//	10.0.0.1:11211
//
// Entries are name:host:port or name:/path of a unix socket, separated by
// commas, white space or both. A name is 1 to 32 of [A-Za-z0-9_]. A single
// entry may leave out the name, and then has n1. Names and addresses must
// differ from each other. The Store of each Node is a *Store, for the caller to
// close.
func Nodes(spec string, opts *Options) ([]store.Node, error) {
	entries := strings.FieldsFunc(spec, func(r rune) bool {
		return strings.ContainsRune(", \t\r\n", r)
	})
	if len(entries) == 0 {
		return nil, errors.New("memcachedstore: no nodes given: write name:host:port, such as n1:10.0.0.1:11211")
	}
	if len(entries) == 1 {
		if _, err := checkAddress(entries[0]); err == nil {
			entries[0] = "n1:" + entries[0]
		}
	}
	var nodes []store.Node
	seen := map[string]string{} // names and addresses, and the entry that has them
	for _, entry := range entries {
		node, err := newNode(entry, seen, opts)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

func newNode(entry string, seen map[string]string, opts *Options) (store.Node, error) {
	name, addr, _ := strings.Cut(entry, ":")
	if !isName(name) {
		return store.Node{}, fmt.Errorf("memcachedstore: node %q: the name %q is not 1 to 32 of A-Z a-z 0-9 _: write name:host:port, such as n1:10.0.0.1:11211", entry, name)
	}
	if _, err := checkAddress(addr); err != nil {
		return store.Node{}, fmt.Errorf("memcachedstore: node %q: %w", entry, err)
	}
	// A name has no colon and no slash, an address has one.
	for _, unique := range []string{name, canonical(addr)} {
		if other, taken := seen[unique]; taken {
			return store.Node{}, fmt.Errorf("memcachedstore: nodes %q and %q have the same name or address: each server stands once in the list, under a name of its own", other, entry)
		}
		seen[unique] = entry
	}
	s, err := New(addr, opts)
	return store.Node{Name: name, Store: s}, err
}

func isName(s string) bool {
	for _, r := range s {
		if !isLetterOrDigit(r) && r != '_' {
			return false
		}
	}
	return len(s) >= 1 && len(s) <= 32
}

func isLetterOrDigit(r rune) bool {
	return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
}

// checkAddress returns the network of addr: unix for a path, otherwise tcp.
func checkAddress(addr string) (network string, err error) {
	if path.IsAbs(addr) {
		if path.Clean(addr) != addr {
			return "", fmt.Errorf("socket %q: write the path without . .. and double slashes", addr)
		}
		return "unix", nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil || !isHost(host) {
		return "", fmt.Errorf("address %q: write host:port, such as 10.0.0.1:11211, or [::1]:11211 for IPv6", addr)
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return "", fmt.Errorf("address %q: the port %q is not a number from 1 to 65535", addr, port)
	}
	return "tcp", nil
}

// isHost accepts IP addresses, and names as they occur in name servers and
// hosts files.
func isHost(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	for _, r := range s {
		if !isLetterOrDigit(r) && !strings.ContainsRune("-._", r) {
			return false
		}
	}
	return s != ""
}

// canonical is the same for spellings of the same address.
func canonical(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr // a path
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		host = ip.Unmap().String()
	}
	n, _ := strconv.Atoi(port) // 011211 is 11211
	return net.JoinHostPort(strings.ToLower(strings.TrimSuffix(host, ".")), strconv.Itoa(n))
}
