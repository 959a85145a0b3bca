// Package lock keeps locks on cache nodes, so that requests on several app servers
// use one session one after the other.
//
// A lock is advice. It can be held twice for a while: when the node that it lies on
// dies, hangs or is emptied, when app servers disagree on which nodes answer, and
// when its holder stood still for longer than its lease. What it protects needs a
// fence of its own, as the compare-and-set of a session's commit is.
//
// It lies under one key as a queue of tickets, one for each app server that wants
// it, changed by compare-and-set only. The owner of a ticket counts its beat up
// while it lives. Whoever has watched a beat stand still for long enough, by its
// own clock, takes the ticket out: the clocks of app servers need not agree.
//
// On one app server locks are given in the order in which they were asked for;
// app servers take turns.
package lock
