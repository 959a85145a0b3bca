// Package holdfast keeps the sessions of Go web servers on plain memcached
// servers, so that a user's session survives the crash of the web server that
// served it and of the cache node that held it.
//
//	nodes, err := memcachedstore.Nodes("n1:127.0.0.1:11211 n2:127.0.0.1:11212", nil)
//	if err != nil { … }
//	m, err := holdfast.New(nodes, nil)
//	if err != nil { … }
//	srv := &http.Server{Addr: ":8080", Handler: m.Handler(mux)}
//	err = holdfast.Serve(ctx, srv, m)
//
// A handler finds the session in its request's context and reads and changes
// it through typed keys, which a program declares once:
//
//	var Visits = holdfast.NewKey[int]("visits")
//
//	func hello(w http.ResponseWriter, r *http.Request) {
//		s := holdfast.From(r.Context())
//		Visits.Update(s, func(n *int) error { *n++; return nil })
//		n, _ := Visits.Get(s)
//		fmt.Fprintf(w, "visit %d\n", n)
//	}
//
// # The path of a request
//
// [Manager.Handler] puts a [Session] into the context and does no I/O. The first
// operation on the session loads it, in one round trip; a request that does not
// use its session loads nothing. Before the first byte of the response header
// leaves, what the handler changed is committed, in one more. Only then can a
// cookie be set and an error still become an error page. What is changed later, in a
// stream or a WebSocket, is committed by [Session.Commit] or when the handler
// returns.
//
// # Parallel requests
//
// Every commit is conditional on the version that was loaded. When another
// request was faster, on this server or another, the operations of this one
// are applied again to the newer session and the commit is tried again: changes
// of different attributes never disturb each other. [Key.Update] changes a value in
// place and loses no update: a hundred increments give a hundred. [Session.Do]
// repeats a whole decision. Set(Get()+1) is neither: of two such requests the
// later one wins.
//
// # Errors
//
// A handler need not check errors. Each one stays in [Session.Err], and unless the
// handler has looked there, [Manager.Handler] replaces its response by an
// error page: 503 when the store does not answer, 409 when the session changed
// hands, 500 when it cannot be read or encoded. A page computed from a session
// that could not be read never reaches the browser. A handler that wants to
// answer by itself asks s.Err(), and [StatusOf] for the status.
//
// "Not there" and "cannot tell" are different answers everywhere: an outage logs
// nobody out and overwrites nothing.
//
// # Nodes
//
// A session lies on its home and on a copy ([Options.Copies]). A change is
// acknowledged when both have it. When a node dies, hangs or comes back empty, the
// other one decides, the session gets a new copy, and the cookie a new hint; the
// id stays. Whether a node is worth asking is decided outside of requests: one
// that hangs costs each app server one wait of half of [Options.OperationTimeout].
// [Manager.SetNodes] and [Manager.Drain] change the list while requests are
// served, [Manager.Nodes] tells the state of each, and [Manager.Explain] why a
// session was not found. Package holdfasttest has a whole cluster for tests, whose
// servers and nodes can be killed.
//
// # Login and logout
//
// [Session.Login] gives the session a new id, so that an id planted before the
// login is worth nothing. [Session.Renew] does so without a login, and leaves the
// former id good for a moment, so that parallel requests are not logged out.
// [Session.Destroy] is final: no request under way brings the session back.
//
// # The cookie
//
// By default it is __Host-session, Secure, HttpOnly and SameSite=Lax, and each
// unsafe choice has a name in [Cookie]. Its value is the session's id and hints,
// "NKW4…Q2-n1.app1". Unknown ids are never adopted. The store's keys are hashes of
// ids, and [ID] shows a fingerprint wherever it is printed. With [Options.Keys]
// the stored sessions are encrypted.
//
// # Stores
//
// Package store is the contract, package storetest its test suite. Package
// memcachedstore is the client for memcached; without nodes, [New] keeps sessions
// in the memory of the process. To test handlers, see package holdfasttest.
package holdfast
