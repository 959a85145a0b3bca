package schedules

import (
	"slices"
	"strings"
)

// targetOf reads home:u1, copy:u1, spare:u1, n2 and app1, route:u1.
func (s *site) targetOf(words []string) target {
	t := target{s.nodes[0], "app1"}
	for _, word := range words {
		role, name, _ := strings.Cut(word, ":")
		cookie := s.cookieOf(name)
		switch role {
		case "home":
			t.node = s.nodeAfter(cookie, 0)
		case "copy":
			t.node = s.nodeAfter(cookie, 1)
		case "spare":
			t.node = s.nodeAfter(cookie, 2)
		case "route":
			t.server = s.serverFor("route", cookie)
		}
		if strings.HasPrefix(word, "app") {
			t.server = word
		}
	}
	return t
}

func (s *site) cookieOf(user string) string {
	for _, u := range s.users {
		if u.name == user {
			u.mu.Lock()
			defer u.mu.Unlock()
			return u.cookie
		}
	}
	return ""
}

// nodeAfter is the node so many places behind the home of a cookie's session.
func (s *site) nodeAfter(cookie string, places int) *cacheNode {
	home := homeOf(cookie)
	at := max(slices.IndexFunc(s.nodes, func(n *cacheNode) bool { return n.name == home }), 0)
	return s.nodes[(at+places)%len(s.nodes)]
}
