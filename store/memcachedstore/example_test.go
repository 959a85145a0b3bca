package memcachedstore_test

import (
	"fmt"

	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

func ExampleNodes() {
	nodes, err := memcachedstore.Nodes("n1:10.0.0.1:11211, n2:[2001:db8::2]:11211", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range nodes {
		fmt.Println(n.Name)
	}
	_, err = memcachedstore.Nodes("n1:10.0.0.1:11211 n1:10.0.0.2:11211", nil)
	fmt.Println(err)
	// Output:
	// n1
	// n2
	// memcachedstore: nodes "n1:10.0.0.1:11211" and "n1:10.0.0.2:11211" have the same name or address: each server stands once in the list, under a name of its own
}
