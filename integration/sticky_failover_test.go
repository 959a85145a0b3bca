package integration

import "testing"

// The drill of TestNothingAcknowledgedIsLostWhenOneThingFails in sticky mode, with
// balancers that send each session to the server that its cookie names.

// TestNothingAcknowledgedIsLostInStickyMode is behind nginx, which waits for a server
// that hangs.
func TestNothingAcknowledgedIsLostInStickyMode(t *testing.T) {
	d := startDrill(t, stickySync, commandPath(t))
	d.run(d.faults(), 1)
}

// TestServerThatHangsGoesOnWithOldSessions is behind HAProxy, which moves the sessions of
// a server that hangs. When that goes on it has their old states, and requests that it
// was sent before.
func TestServerThatHangsGoesOnWithOldSessions(t *testing.T) {
	m := stickySync
	m.balancer = stickyAsync.balancer
	d := startDrill(t, m, commandPath(t))
	d.run(d.appFaults(), 1)
}

// TestOnlyWhatWasNotSentIsLostWithAsynchronousBackup is behind HAProxy. Nothing is lost
// but what a killed server had said that it holds alone.
func TestOnlyWhatWasNotSentIsLostWithAsynchronousBackup(t *testing.T) {
	d := startDrill(t, stickyAsync, commandPath(t))
	d.run(d.faults(), 1)
}
