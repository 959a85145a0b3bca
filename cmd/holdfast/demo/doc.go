// Package demo is a cluster that a person plays with: app servers, cache nodes and a
// balancer in one process, any of which can be made to fail, and a page that shows
// what becomes of the sessions:
//
//   - demo.go: all of it, from the start to the end
//   - cluster.go, order.go: servers and nodes, and what is done to them
//   - balancer.go, barrier.go, upstream.go, proxy.go: the way of a request
//   - sight.go, story.go: what became of one's own session, in a sentence
//   - load.go: simulated users and what they were promised
//   - meter.go: how long requests take
//   - feed.go, events.go: what the pages are told
//   - page.go, control.go: the page, and its buttons
package demo
