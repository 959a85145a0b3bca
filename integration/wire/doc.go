// Package wire is a proxy that stands between a client and one memcached. It
// counts what passes, command by command, as an independent witness of what
// the client claims to do; and it can break the line in the ways a network
// does: refused, reset, hung, slow, an answer lost after the command was done.
package wire
