package demo

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/holdfast-sessions/holdfast/cmd/holdfast/rig"
)

// A sight is where a session was seen: what its app server answered.
type sight struct {
	ID        string   `json:"id"` // as a fingerprint
	New       bool     `json:"new"`
	Server    string   `json:"server"`
	Home      string   `json:"node"`
	Copies    []string `json:"copies"`
	newCookie bool     // came with the answer
	toldOf    string   // a node whose failure was found to change nothing
}

// sights remember where the sessions of people were seen last.
type sights struct {
	cluster *cluster

	mu   sync.Mutex
	last map[string]sight // by ID; guarded by mu
}

const (
	mostSights  = 1000
	storyHeader = "Demo-Story" // what became of the session, if anything did
)

func newSights(c *cluster) *sights { return &sights{cluster: c, last: map[string]sight{}} }

// see compares an answer with the one before, and has it tell the page what happened.
func (s *sights) see(res *http.Response) error {
	if !strings.HasPrefix(res.Request.URL.Path, "/session") || res.StatusCode != http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{bytes.NewReader(body), res.Body}
	var now sight
	if json.Unmarshal(body, &now) != nil || now.ID == "" {
		return nil // no answer about a session
	}
	now.newCookie = setsCookie(res)
	if story := s.compare(now); story != "" {
		res.Header.Set(storyHeader, story)
	}
	return nil
}

func setsCookie(res *http.Response) bool {
	for _, c := range res.Cookies() {
		if c.Name == rig.CookieName {
			return true
		}
	}
	return false
}

// compare remembers now, and returns what became of the session since it was seen last.
func (s *sights) compare(now sight) string {
	mode, _ := s.cluster.settings()
	w := world{mode.Sticky, s.cluster.look()}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.last[now.ID]
	now.toldOf = before.toldOf
	story := w.tell(before, &now)
	if len(s.last) >= mostSights {
		clear(s.last)
	}
	s.last[now.ID] = now
	return story
}
