package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// interval is the time between two pictures of the cluster.
const interval = 500 * time.Millisecond

// A picture is the cluster at a moment.
type picture struct {
	Point  point       `json:"point"`
	Mode   string      `json:"mode"`
	Copies int         `json:"copies"`
	Parts  []partView  `json:"parts"`
	Load   loadFigures `json:"load"`
}

// A partView is a server or a node in a picture.
type partView struct {
	Name   string  `json:"name"`
	State  string  `json:"state"` // up, dead, frozen; returning: up, and not used yet
	Rate   float64 `json:"rate"`  // requests or commands a second
	Amount int64   `json:"amount"`
}

// A past is what a page is told first.
type past struct {
	Points []point `json:"points"`
	Notes  []note  `json:"notes"`
}

// report sends pictures until ctx ends.
func (d *demo) report(ctx context.Context) {
	gauges := d.newGauges()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.feed.send("picture", d.picture(gauges))
		case <-ctx.Done():
			return
		}
	}
}

func (d *demo) picture(gauges []*gauge) picture {
	mode, copies := d.cluster.settings()
	parts := d.cluster.look()
	p := picture{Point: d.meter.take(), Mode: mode.Name, Copies: copies, Load: d.load.figures(), Parts: make([]partView, len(parts))}
	inUse := usedNodes(parts)
	var looking sync.WaitGroup
	for i, part := range parts {
		looking.Go(func() { p.Parts[i] = gauges[i].view(part, inUse) })
	}
	looking.Wait()
	return p
}

// usedNodes are those that every server uses that runs.
func usedNodes(parts []part) map[string]bool {
	used := map[string]bool{}
	for _, p := range parts {
		if p.isNode {
			used[p.name] = true
		}
	}
	for _, p := range parts {
		if p.isNode || p.state != up {
			continue
		}
		for _, n := range p.sessions.Nodes() {
			used[n.Name] = used[n.Name] && n.State == "up"
		}
	}
	return used
}

// A gauge measures one part.
type gauge struct {
	count func() (total uint64, amount int64) // so far, and how much it holds
	total uint64
	at    time.Time
}

// newGauges are in the order of the parts.
func (d *demo) newGauges() (all []*gauge) {
	for i, u := range d.balancer.servers {
		server := d.cluster.servers[i].Name
		all = append(all, &gauge{at: time.Now(), count: func() (uint64, int64) {
			return u.sent.Load(), d.cluster.part(server).inMemory()
		}})
	}
	for _, n := range d.cluster.nodes {
		all = append(all, &gauge{at: time.Now(), count: func() (uint64, int64) { return ofNode(n) }})
	}
	return all
}

func (p part) inMemory() int64 {
	if p.sessions == nil {
		return 0
	}
	return p.sessions.Stats().Local.Sessions
}

func ofNode(n *rig.Node) (uint64, int64) {
	s, err := n.Stats(interval / 2)
	if err != nil {
		return 0, 0
	}
	return s.Commands, int64(s.Items)
}

func (g *gauge) view(p part, inUse map[string]bool) partView {
	v := partView{Name: p.name, State: string(p.state)}
	if p.state != up {
		g.total, g.at = 0, time.Now()
		return v
	}
	if p.isNode && !inUse[p.name] {
		v.State = "returning"
	}
	total, amount := g.count()
	now := time.Now()
	if total >= g.total && g.total > 0 {
		v.Rate = float64(total-g.total) / now.Sub(g.at).Seconds()
	}
	g.total, g.at, v.Amount = total, now, amount
	return v
}

// events streams what happens until the client leaves or the demo ends.
func (d *demo) events(w http.ResponseWriter, r *http.Request, ends <-chan struct{}) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	notes, all := d.feed.join()
	defer d.feed.leave(all)
	first, err := json.Marshal(past{d.meter.last(), notes})
	for next := (event{"past", first}); err == nil; {
		if err = send(w, next); err != nil {
			return
		}
		var open bool
		select {
		case next, open = <-all:
			if !open {
				return
			}
		case <-r.Context().Done():
			return
		case <-ends:
			return
		}
	}
}

func send(w http.ResponseWriter, e event) error {
	if _, err := fmt.Fprintf(w, "event: %s\ndata: %s\n\n", e.name, e.data); err != nil {
		return err
	}
	return http.NewResponseController(w).Flush()
}
