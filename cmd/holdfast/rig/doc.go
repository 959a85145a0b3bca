// Package rig runs cache nodes and app servers that can be killed, frozen,
// emptied and revived, all of them with addresses of this machine:
//
//   - process.go: a program that listens, as a child of this process
//   - node.go, embedded.go, memcached.go: cache nodes, inside this process or
//     processes of their own
//   - server.go, mode.go: app servers, and how they keep sessions
//   - gate.go: how something inside this process stands still
package rig
