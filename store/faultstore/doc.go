// Package faultstore is a store whose faults a test chooses: a cache node in
// memory that dies, hangs, forgets, comes back with old memory, or is out of
// reach for some of its clients, as a memcached does.
//
//	n := faultstore.New()
//	app1, app2 := n.Client("app1"), n.Client("app2") // each a store.Store
//	n.Freeze()                                       // calls wait until their context ends
//	n.Thaw()                                         // and what was sent meanwhile happens now
//
// It has no goroutine, and waits on channels and contexts only, so that it
// works in the fake time of package synctest.
package faultstore
