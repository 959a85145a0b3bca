// Package integration holds the tests with real processes: memcached, nginx
// and the holdfast command, started on free loopback ports and killed, frozen
// and cut off while requests are under way.
//
// Beside it stand its tools: package servers starts the processes, package
// wire breaks and counts what passes between them, package history of the command
// judges what the clients saw.
package integration
