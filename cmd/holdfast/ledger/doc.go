// Package ledger keeps what clients of an app were told about their sessions, and
// compares it with what they are told later:
//
//   - app.go: the app, whose sessions have a counter and a note
//   - ask.go: one request to it
//   - session.go: what was acknowledged, and what is there
package ledger
