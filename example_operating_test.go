package holdfast_test

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memorystore"
)

// addNode and useNode make a new node known, and then used. Every server does the
// first step before any server does the second one.
func addNode(m *holdfast.Manager, nodes []store.Node, name string) error {
	if err := m.SetNodes(nodes); err != nil {
		return err
	}
	return m.Drain(name)
}

func useNode(m *holdfast.Manager, nodes []store.Node) error {
	return m.SetNodes(nodes)
}

// A node is added in two steps while requests are served, and another one drained.
func ExampleManager_SetNodes() {
	nodes := []store.Node{
		{Name: "n1", Store: memorystore.New(nil)},
		{Name: "n2", Store: memorystore.New(nil)},
	}
	m, err := holdfast.New(nodes, nil)
	if err != nil {
		log.Fatal(err)
	}
	show := func() {
		for _, n := range m.Nodes() {
			fmt.Printf("[%s %s draining=%t]", n.Name, n.State, n.Draining)
		}
		fmt.Println()
	}
	nodes = append(nodes, store.Node{Name: "n3", Store: memorystore.New(nil)})
	if err := addNode(m, nodes, "n3"); err != nil {
		log.Fatal(err)
	}
	show()
	if err := useNode(m, nodes); err != nil {
		log.Fatal(err)
	}
	show()
	if err := m.Drain("n1"); err != nil { // sessions leave it, each with its next request
		log.Fatal(err)
	}
	show()
	// Output:
	// [n1 up draining=false][n2 up draining=false][n3 up draining=true]
	// [n1 up draining=false][n2 up draining=false][n3 up draining=false]
	// [n1 up draining=true][n2 up draining=false][n3 up draining=false]
}

// showStats answers with what an operator watches. Keep it from the public.
func showStats(m *holdfast.Manager) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		json.NewEncoder(w).Encode(map[string]any{"sessions": m.Stats(), "nodes": m.Nodes()})
	}
}

// The counts of a manager are plain numbers with names in JSON.
func ExampleManager_Stats() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	w := httptest.NewRecorder()
	showStats(m)(w, httptest.NewRequest("GET", "/stats", nil))
	fmt.Println(w.Code, json.Valid(w.Body.Bytes()))
	// Output: 200 true
}
