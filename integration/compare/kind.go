package main

// A kind of request.
type kind int

const (
	unused  kind = iota // has the session's cookie, and does not look at the session
	read                // all attributes
	change              // one more to the count
	begin               // a new session
	destroy             // an end to it
)

// kinds are in the order in which a session meets them: what begin makes, destroy ends.
func kinds() []kind { return []kind{unused, read, change, begin, destroy} }

func (k kind) String() string {
	return [...]string{"not used", "read", "change", "new", "destroy"}[k]
}

// line is the first part of the request line.
func (k kind) line() string {
	return [...]string{"GET /unused", "GET /read", "POST /change", "POST /new/", "POST /destroy"}[k]
}
