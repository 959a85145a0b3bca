// Package placement decides where sessions lie. A [Cluster] is the
// store.Backend over nodes that know nothing of each other.
//
// It follows the commit and failover protocol of docs/protocol.md; the steps keep
// their names there, and in the model that checked them. Read it in this order:
//
//	cluster.go, nodes.go, roster.go   the nodes, and how their list changes
//	op.go, answer.go, mark.go         the work of one request: calls, and what came back
//	view.go, read.go                  what follows from the answers: READ
//	commit.go, epoch.go, create.go    COMMIT, CREATE
//	destroy.go                        DESTROY
//	renew.go, through.go              RENEW
//	life.go, extend.go                LIFE, read repair
//	keyed.go                          what package sticky needs beside store.Backend
//	owed.go, mends.go, behind.go, missing.go
//	                                  what is remembered between requests
package placement
