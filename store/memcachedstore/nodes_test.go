package memcachedstore

import (
	"strings"
	"testing"

	"github.com/holdfast-sessions/holdfast/store"
)

func TestNodes(t *testing.T) {
	for spec, want := range map[string]string{
		"n1:10.0.0.1:11211":                      "n1=10.0.0.1:11211",
		"n1:a:1 n2:b:2":                          "n1=a:1 n2=b:2",
		"n1:a:1,n2:b:2":                          "n1=a:1 n2=b:2",
		" n1:a:1 ,, n2:b:2\t\n,\r\nn3:c:3 ":      "n1=a:1 n2=b:2 n3=c:3",
		"n2:b:2 n1:a:1":                          "n2=b:2 n1=a:1",
		"n1:[::1]:11211 n2:[2001:db8::1]:11211":  "n1=[::1]:11211 n2=[2001:db8::1]:11211",
		"localhost:11211":                        "n1=localhost:11211",
		"[::1]:11211":                            "n1=[::1]:11211",
		"/run/memcached.sock":                    "n1=/run/memcached.sock",
		"n1:/run/a.sock n2:/run/b.sock":          "n1=/run/a.sock n2=/run/b.sock",
		"A_9:cache-1.my_net.example.org.:65535":  "A_9=cache-1.my_net.example.org.:65535",
		"n1:a:1 n2:a:2":                          "n1=a:1 n2=a:2",
		"N1:a:1 n1:b:1":                          "N1=a:1 n1=b:1",
		strings.Repeat("n", 32) + ":a:1":         strings.Repeat("n", 32) + "=a:1",
		"11211:11211":                            "n1=11211:11211",
		"n1:11211:11211 n2:[fe80::1%eth0]:11211": "n1=11211:11211 n2=[fe80::1%eth0]:11211",
	} {
		nodes, err := Nodes(spec, nil)
		if got := describe(nodes); err != nil || got != want {
			t.Errorf("%q: got %s, %v, want %s", spec, got, err, want)
		}
		closeAll(nodes)
	}
}

func TestNodesRefuses(t *testing.T) {
	for spec, quotes := range map[string]string{
		"":                                  "n1:10.0.0.1:11211",
		" , ":                               "n1:10.0.0.1:11211",
		"localhost":                         `"localhost"`,
		"n1:localhost":                      `"n1:localhost"`,
		"n1:a:1 b:2":                        `"b:2"`,
		"a:1 b:2":                           `"a:1"`,
		"n1:a:1 :b:2":                       `":b:2"`,
		"n-1:a:1":                           `"n-1:a:1"`,
		"n.1:a:1 n2:b:1":                    `"n.1:a:1"`,
		"ä:a:1":                             `"ä:a:1"`,
		strings.Repeat("n", 33) + ":a:1":    "1 to 32",
		"n1:a:0":                            "1 to 65535",
		"n1:a:65536":                        "1 to 65535",
		"n1:a:x":                            "1 to 65535",
		"n1:a:-1":                           "1 to 65535",
		"n1:a:+1":                           "1 to 65535",
		"n1:a:":                             "1 to 65535",
		"n1::1":                             `"n1::1"`,
		"n1:::1:11211":                      "[::1]:11211",
		"n1:[::1]":                          `"n1:[::1]"`,
		"n1:[::1:11211":                     `"n1:[::1:11211"`,
		"n1:[x]:1:2":                        `"n1:[x]:1:2"`,
		"n1:a:1:b:2":                        `"n1:a:1:b:2"`,
		"n1:a/b:1":                          `"n1:a/b:1"`,
		"http://localhost:8091/pools":       `"http://localhost:8091/pools"`,
		"n1:a:1;n2:b:2":                     `"n1:a:1;n2:b:2"`,
		"n1:a:1 n1:b:2":                     `"n1:a:1" and "n1:b:2"`,
		"n1:a:1 n2:b:2 n3:A:1":              `"n1:a:1" and "n3:A:1"`,
		"n1:a:1 n2:a.:01":                   `"n1:a:1" and "n2:a.:01"`,
		"n1:[::1]:1 n2:[0:0:0:0:0:0:0:1]:1": `"n1:[::1]:1" and "n2:[0:0:0:0:0:0:0:1]:1"`,
		"n1:10.0.0.1:1 n2:[::ffff:a00:1]:1": `"n1:10.0.0.1:1" and "n2:[::ffff:a00:1]:1"`,
		"n1:/run/a n2:/run/a":               `"n1:/run/a" and "n2:/run/a"`,
	} {
		nodes, err := Nodes(spec, nil)
		if err == nil || !strings.Contains(err.Error(), quotes) {
			t.Errorf("%q: got %s, %v, want an error with %s", spec, describe(nodes), err, quotes)
		}
	}
}

func TestNodesHaveTheOptions(t *testing.T) {
	if _, err := Nodes("n1:a:1", &Options{User: "bob"}); err == nil {
		t.Error("no error for a user without a password")
	}
}

func FuzzNodes(f *testing.F) {
	for _, spec := range []string{
		"n1:a:1 n2:b:2", "n1:[::1]:11211,n2:/run/x", "localhost:11211", "[::1]:1", "n1:a:1 n1:a:1", "n1:::1:1", "a", ":::", "n1:[fe80::1%x]:1", "é:a:1",
	} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		nodes, err := Nodes(spec, nil)
		if err != nil {
			if len(nodes) != 0 {
				t.Errorf("%q: nodes and error %v", spec, err)
			}
			return
		}
		defer closeAll(nodes)
		var entries []string
		names, addrs := map[string]bool{}, map[string]bool{}
		for _, n := range nodes {
			addr := n.Store.(*Store).addr
			if !isName(n.Name) || names[n.Name] || addrs[canonical(addr)] {
				t.Errorf("%q: bad or doubled node %s at %q", spec, n.Name, addr)
			}
			names[n.Name], addrs[canonical(addr)] = true, true
			entries = append(entries, n.Name+":"+addr)
		}
		again, err := Nodes(strings.Join(entries, ","), nil)
		if err != nil || describe(again) != describe(nodes) {
			t.Errorf("%q: got %s, written again %s, %v", spec, describe(nodes), describe(again), err)
		}
		closeAll(again)
	})
}

func describe(nodes []store.Node) string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Name+"="+n.Store.(*Store).addr)
	}
	return strings.Join(all, " ")
}

func closeAll(nodes []store.Node) {
	for _, n := range nodes {
		n.Store.(*Store).Close()
	}
}
