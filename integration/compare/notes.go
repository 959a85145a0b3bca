package main

import (
	"fmt"
	"strings"
)

// howMeasured is what a reader needs to doubt the figures at the right places.
var howMeasured = [...]string{
	"**app** and **store** are processor time for one request, of the app server's process with its HTTP server and garbage collection, and of all memcached processes together. They vary less than requests/s, p50 and p99, which depend on how busy the machine is: all processes and the load share it. What is done behind the requests is waited for and counted.",
	"**p50** and **p99** are those of a machine under full load: all connections send their next request as soon as they have an answer.",
	"**waits** are the sequential round trips to memcached that the user waits for, found by holding back each answer for a while; **commands** are those that memcached counted, with those behind the answer. Both are the least of some single requests.",
	"**new** includes making the session's text; **destroy** ends the sessions that **new** made.",
	"Holdfast extends the life of a session in use at most once in a sixteenth of its idle timeout, behind a request. Here that is once in 112 seconds, so that few requests of this load did; at worst it adds one command for each copy to a request.",
	"Holdfast stores a change only if nobody else changed the session meanwhile, and answers when all copies have it, but for async. The others store what they have.",
	"Each answer is checked against what the session must hold by then. No two requests of one session are under way at once, but for the parallel changes.",
	"**store, bytes of items** is what memcached counts for the items, of all copies; its slabs need some more. The heap is what is left after a collection.",
	"scs has had no store for memcached since its second version; here it has one of 30 lines over gomemcache, with 256 idle connections. With several memcached servers gomemcache spreads the sessions, and one that dies takes its share along.",
	"Holdfast runs with its default settings but for those named and an OperationTimeout of two seconds, which scs' client has too: a busy machine is not to be taken for an outage. It runs without Keys: sessions on the nodes are plain, as those of scs are.",
}

func writeNotes(b *strings.Builder, all *results) {
	b.WriteString("## How it was measured\n\n")
	for _, note := range howMeasured {
		fmt.Fprintf(b, "- %s\n", note)
	}
	for _, r := range all.rows {
		if r.wrong > 0 {
			fmt.Fprintf(b, "- **%s gave %d wrong answers** to %d requests, such as: %v\n", r.name, r.wrong, r.requests, r.example)
		}
		if r.evictions > 0 {
			fmt.Fprintf(b, "- **%s**: memcached evicted %d items; its figures are too good.\n", r.name, r.evictions)
		}
	}
	b.WriteString("\n## What each gives up\n\n| | |\n| --- | --- |\n")
	for _, r := range all.rows {
		fmt.Fprintf(b, "| %s | %s |\n", r.name, r.loses)
	}
}
