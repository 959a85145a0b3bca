// Package sticky keeps the sessions of one app server in its memory, and sends
// what changes there to the backend below: at once, or behind the requests.
package sticky
