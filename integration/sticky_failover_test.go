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

// TestKilledServersLoseWhatTheySaid: no change arrives on a node in the last 100 ms of
// an app server.
func TestKilledServersLoseWhatTheySaid(t *testing.T) {
	d := startDrill(t, stickyAsync, commandPath(t))
	stop := d.start()
	d.repair()
	d.killWhileHolding()
	stop()
	if d.judge() == 0 {
		t.Error("nothing was lost: this shows nothing")
	}
}
