// Package overload puts more on an app server than it is made for, and what it should
// never get: sessions that somebody has invented, far too large ones, thousands of
// connections, clients and nodes that hardly move. The tests say that memory stays
// bounded, that the errors are the right ones, and that all honest requests are
// answered. With -full they run at the rates of docs/testing.md and print its table.
package overload
