package main

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// idleTimeout holds for all contestants that have one.
const idleTimeout = 30 * time.Minute

// patience is how long a contestant waits for its nodes: a machine that is busy with
// other things is not to be taken for an outage.
const patience = 2 * time.Second

// A contestant is one way of keeping sessions.
type contestant struct {
	name  string
	ours  bool
	nodes int // memcached processes that it gets
	loses string
	open  func(nodes []string) (*site, error)
}

// A site is a contestant inside of an app server.
type site struct {
	visits
	wrap   func(http.Handler) http.Handler // its middleware
	unsent func() int                      // sessions with changes that are still to be stored
}

// visits are what the handlers do with a session. Each contestant does it as its own
// documentation says.
type visits interface {
	begin(w http.ResponseWriter, r *http.Request, v visit) error
	load(r *http.Request) (visit, error)
	add(w http.ResponseWriter, r *http.Request) (visit, error) // one more to the count
	end(w http.ResponseWriter, r *http.Request) error
}

// A visit is what a session holds: about 520 bytes.
type visit struct {
	user  string
	count int
	text  string
}

const textSize = 500

// bare is the name of the contestant that is the handlers alone.
const bare = "no sessions"

func contestants() []contestant {
	return []contestant{
		{
			name: bare, open: openNothing,
			loses: "Everything: the handlers alone, which all others have to bear too.",
		},
		{
			name: "scs, memcached", nodes: 1, open: openScsMemcached(0),
			loses: "The session ends 24 hours after its begin, however much it is used. Every request with a cookie reads it, also those that do not use it. No copy: a node that dies takes its sessions along. Of parallel requests the last one overwrites the others, and brings a session back that was destroyed meanwhile.",
		},
		{
			name: "scs, memcached, IdleTimeout", nodes: 1, open: openScsMemcached(idleTimeout),
			loses: "As above, but a session in use goes on. For that every request with a cookie writes the whole session and sends the cookie again, so that even a request that only reads overwrites a parallel change.",
		},
		{
			name: "scs, memory", open: openScsMemory,
			loses: "All sessions when the process ends, a new version included; one app server only, or sticky ones without failover. Parallel changes overwrite each other.",
		},
		{
			name: "gorilla, cookie store", open: openGorilla,
			loses: "A logout cannot be enforced, for whoever has the old cookie has the session; likewise an old state can be sent again. About 4 KB at most, sent with each request, and readable by the user (it is signed here, not encrypted). Parallel changes overwrite each other.",
		},
		{
			name: "Holdfast, sticky, async", ours: true, nodes: 2, open: openHoldfast(stickyAsync),
			loses: "What was not yet sent to the nodes when the app server dies; Stats.Local says how much that is. The balancer should be sticky.",
		},
		{
			name: "Holdfast, sticky, sync", ours: true, nodes: 2, open: openHoldfast(stickySync),
			loses: "The balancer should be sticky: where it is not, sessions are read from the nodes.",
		},
		{
			name: "Holdfast, one copy", ours: true, nodes: 1, open: openHoldfast(oneCopy),
			loses: "No further copy: a node that dies takes its sessions along.",
		},
		{
			name: "Holdfast, two copies", ours: true, nodes: 2, open: openHoldfast(twoCopies),
			loses: "Each operation goes to two nodes.",
		},
		{
			name: "Holdfast, two copies, locked", ours: true, nodes: 2, open: openHoldfast(locked),
			loses: "Requests of one session wait for each other, and each takes a lock and gives it back.",
		},
	}
}

// contestantsLike are those whose name the expression matches anywhere.
func contestantsLike(expression string) ([]contestant, error) {
	re, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	list := slices.DeleteFunc(contestants(), func(c contestant) bool { return !re.MatchString(c.name) })
	if len(list) == 0 {
		return nil, fmt.Errorf("no contestant matches %q", expression)
	}
	return list, nil
}

func contestantCalled(name string) (contestant, error) {
	for _, c := range contestants() {
		if c.name == name {
			return c, nil
		}
	}
	return contestant{}, fmt.Errorf("there is no contestant %q", name)
}
