package integration

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAServerThatGoesOnAsksTheNodes: a balancer gave an app server up that hung. When it
// goes on there may be cookies that name it, of before.
func TestAServerThatGoesOnAsksTheNodes(t *testing.T) {
	for _, m := range []mode{stickySync, stickyAsync} {
		t.Run(strings.Join(m.flags, " "), func(t *testing.T) {
			f := startFarm(t, commandPath(t), 2, 2, m.flags...)
			hung, other := f.apps[0].url(), f.apps[1].url()
			changed, gone := newBrowser(), newBrowser()
			for _, user := range []*browser{changed, gone} {
				user.post(hung+"/session", "x", "old").want(t, http.StatusOK)
			}
			changedBefore, goneBefore := changed.clone(), gone.clone()
			time.Sleep(time.Second) // with BackupAsync it is sent behind the response

			f.apps[0].Freeze()
			changed.post(other+"/session", "x", "new").want(t, http.StatusOK)
			gone.post(other+"/logout").want(t, http.StatusNoContent)
			time.Sleep(2 * time.Second)
			f.apps[0].Thaw()

			if got := changedBefore.get(hung + "/session"); !strings.Contains(got.body, "new") {
				t.Errorf("a session that was changed elsewhere is %s", got.body)
			}
			if got := goneBefore.get(hung + "/session"); strings.Contains(got.body, "old") {
				t.Errorf("a session that was ended elsewhere is %s", got.body)
			}
		})
	}
}
