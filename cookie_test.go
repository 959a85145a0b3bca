package holdfast_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

func TestCookieAttributes(t *testing.T) {
	for name, c := range map[string]struct {
		cookie holdfast.Cookie
		want   string // of the header, after the value
		name   string
	}{
		"default":             {holdfast.Cookie{}, "; Path=/; HttpOnly; Secure; SameSite=Lax", "__Host-session"},
		"named":               {holdfast.Cookie{Name: "sid"}, "; Path=/; HttpOnly; Secure; SameSite=Lax", "sid"},
		"host prefix, named":  {holdfast.Cookie{Name: "__Host-sid"}, "; Path=/; HttpOnly; Secure; SameSite=Lax", "__Host-sid"},
		"root path":           {holdfast.Cookie{Path: "/"}, "; Path=/; HttpOnly; Secure; SameSite=Lax", "__Host-session"},
		"path":                {holdfast.Cookie{Path: "/shop"}, "; Path=/shop; HttpOnly; Secure; SameSite=Lax", "session"},
		"domain":              {holdfast.Cookie{Domain: "example.com"}, "; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax", "session"},
		"secure prefix":       {holdfast.Cookie{Name: "__Secure-sid", Domain: "example.com"}, "; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=Lax", "__Secure-sid"},
		"insecure":            {holdfast.Cookie{AllowInsecure: true}, "; Path=/; HttpOnly; SameSite=Lax", "session"},
		"script":              {holdfast.Cookie{AllowScript: true}, "; Path=/; Secure; SameSite=Lax", "__Host-session"},
		"strict":              {holdfast.Cookie{SameSite: http.SameSiteStrictMode}, "; Path=/; HttpOnly; Secure; SameSite=Strict", "__Host-session"},
		"none":                {holdfast.Cookie{SameSite: http.SameSiteNoneMode}, "; Path=/; HttpOnly; Secure; SameSite=None", "__Host-session"},
		"browser's own":       {holdfast.Cookie{SameSite: http.SameSiteDefaultMode}, "; Path=/; HttpOnly; Secure", "__Host-session"},
		"partitioned":         {holdfast.Cookie{Partitioned: true, SameSite: http.SameSiteNoneMode}, "; Path=/; HttpOnly; Secure; SameSite=None; Partitioned", "__Host-session"},
		"insecure and script": {holdfast.Cookie{AllowInsecure: true, AllowScript: true}, "; Path=/; SameSite=Lax", "session"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newManager(t, nil, &holdfast.Options{Cookie: c.cookie})
			w := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { increment(s) }).get("/")
			got := strings.Join(w.Header()["Set-Cookie"], "\n")
			want := regexp.MustCompile(`^` + c.name + `=[A-Z2-7]{26}-local` + regexp.QuoteMeta(c.want) + `$`)
			if !want.MatchString(got) {
				t.Errorf("Set-Cookie %q, want %s", got, want)
			}
		})
	}
}

func TestNewRefusesWhatContradictsItself(t *testing.T) {
	for name, c := range map[string]struct {
		options holdfast.Options
		says    string
	}{
		"host prefix, domain":      {cookie(holdfast.Cookie{Name: "__Host-s", Domain: "example.com"}), "Domain"},
		"host prefix, path":        {cookie(holdfast.Cookie{Name: "__Host-s", Path: "/shop"}), "Path"},
		"host prefix, insecure":    {cookie(holdfast.Cookie{Name: "__Host-s", AllowInsecure: true}), "AllowInsecure"},
		"host prefix in lowercase": {cookie(holdfast.Cookie{Name: "__host-s", Path: "/shop"}), "__Host-"},
		"secure prefix, insecure":  {cookie(holdfast.Cookie{Name: "__Secure-s", AllowInsecure: true}), "AllowInsecure"},
		"secure prefix, uppercase": {cookie(holdfast.Cookie{Name: "__SECURE-s", AllowInsecure: true}), "__Secure-"},
		"SameSite none, insecure":  {cookie(holdfast.Cookie{SameSite: http.SameSiteNoneMode, AllowInsecure: true}), "SameSite=None"},
		"partitioned, insecure":    {cookie(holdfast.Cookie{Partitioned: true, AllowInsecure: true}), "Partitioned"},
		"unknown SameSite":         {cookie(holdfast.Cookie{SameSite: 9}), "SameSite"},
		"negative SameSite":        {cookie(holdfast.Cookie{SameSite: -1}), "SameSite"},
		"name with a space":        {cookie(holdfast.Cookie{Name: "my session"}), `"my session"`},
		"path with a semicolon":    {cookie(holdfast.Cookie{Path: "/a;b"}), "Path"},
		"relative path":            {cookie(holdfast.Cookie{Path: "shop"}), "Path"},
		"domain with a slash":      {cookie(holdfast.Cookie{Domain: "example.com/"}), "Domain"},
		"route with a dot":         {holdfast.Options{Route: "app.1"}, `Route "app.1"`},
		"route too long":           {holdfast.Options{Route: strings.Repeat("a", 65)}, "Route"},
		"waiting for ever":         {holdfast.Options{OperationTimeout: holdfast.Never}, "OperationTimeout"},
		"plain without keys":       {holdfast.Options{AllowPlain: true}, "AllowPlain"},
		"short key":                {holdfast.Options{Keys: [][]byte{make([]byte, 16)}}, "Keys"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := holdfast.New(nil, &c.options)
			if err == nil || !strings.Contains(err.Error(), c.says) || !strings.HasPrefix(err.Error(), "holdfast: ") {
				t.Errorf("New: %v, want an error about %s", err, c.says)
			}
		})
	}
}

func cookie(c holdfast.Cookie) holdfast.Options { return holdfast.Options{Cookie: c} }

// change and read are handlers of the cookie tests, by path.
func changeOrRead(w http.ResponseWriter, r *http.Request, s *holdfast.Session) {
	switch r.URL.Path {
	case "/change":
		increment(s)
	case "/renew":
		s.Renew()
	case "/login":
		s.Login("bob")
	case "/destroy":
		s.Destroy()
	case "/persist":
		s.Persist(32 * time.Hour)
	case "/begin-and-destroy":
		increment(s)
		s.Commit()
		s.Destroy()
	case "/destroy-and-begin":
		s.Destroy()
		increment(s)
	case "/own-caching":
		w.Header().Set("Cache-Control", "private")
		s.Renew()
	case "/unused":
		return
	}
	show(w, r, s)
}

// The cookie goes out exactly when the browser does not have it.
func TestWhenTheCookieIsSet(t *testing.T) {
	const granted, revoked, none = "granted", "revoked", ""
	for _, c := range []struct {
		name, cookie, path string // cookie: "valid", "none", "unknown" or "without hint"
		set, vary, caching string
	}{
		{"unused, no cookie", "none", "/unused", none, "", ""},
		{"unused", "valid", "/unused", none, "", ""},
		{"read, no cookie", "none", "/read", none, "Cookie", ""},
		{"read", "valid", "/read", none, "Cookie", ""},
		{"read, unknown id", "unknown", "/read", none, "Cookie", ""},
		{"read, cookie without hint", "without hint", "/read", granted, "Cookie", "no-store"},
		{"begin", "none", "/change", granted, "Cookie", "no-store"},
		{"begin, unknown id", "unknown", "/change", granted, "Cookie", "no-store"},
		{"change", "valid", "/change", none, "Cookie", ""},
		{"change, cookie without hint", "without hint", "/change", granted, "Cookie", "no-store"},
		{"renew", "valid", "/renew", granted, "Cookie", "no-store"},
		{"renew, no cookie", "none", "/renew", none, "Cookie", ""},
		{"login", "valid", "/login", granted, "Cookie", "no-store"},
		{"login, no cookie", "none", "/login", granted, "Cookie", "no-store"},
		{"destroy", "valid", "/destroy", revoked, "Cookie", "no-store"},
		{"destroy, no cookie", "none", "/destroy", none, "Cookie", ""},
		{"destroy, unknown id", "unknown", "/destroy", none, "Cookie", ""},
		{"begin and destroy", "none", "/begin-and-destroy", none, "Cookie", ""},
		{"destroy and begin", "valid", "/destroy-and-begin", granted, "Cookie", "no-store"},
		{"persist", "valid", "/persist", granted, "Cookie", "no-store"},
		{"own caching", "valid", "/own-caching", granted, "Cookie", "private"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newManager(t, newTap(), nil)
			v := visit(m, changeOrRead)
			valid := beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
			v.cookie = map[string]string{
				"valid": valid, "unknown": "__Host-session=ABCDEFGHIJKLMNOPQRSTUVWXYZ-n1",
				"without hint": strings.TrimSuffix(valid, "-n1"),
			}[c.cookie]
			sent := v.cookie
			w := v.get(c.path)
			wantStatus(t, w, http.StatusOK)
			set := none
			if cookies := w.Result().Cookies(); len(cookies) == 1 && cookies[0].MaxAge < 0 {
				set = revoked
			} else if len(cookies) > 0 {
				set = granted
			}
			if set != c.set {
				t.Errorf("cookie %q, want %q: %q", set, c.set, w.Header()["Set-Cookie"])
			}
			if set == granted && v.sends() == sent && c.path != "/persist" {
				t.Error("the browser was sent what it had")
			}
			if vary, caching := w.Header().Get("Vary"), w.Header().Get("Cache-Control"); vary != c.vary || caching != c.caching {
				t.Errorf("Vary %q, Cache-Control %q; want %q, %q", vary, caching, c.vary, c.caching)
			}
		})
	}
}

func TestVaryIsAddedToTheHandlersOwn(t *testing.T) {
	m := newManager(t, nil, nil)
	w := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		w.Header().Set("Vary", "Accept")
		textKey.Get(s)
	}).get("/")
	if got := fmt.Sprint(w.Header()["Vary"]); got != "[Accept Cookie]" {
		t.Errorf("Vary %s", got)
	}
}

func TestOtherCookiesAreLeftAlone(t *testing.T) {
	m := newManager(t, nil, nil)
	w := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		http.SetCookie(w, &http.Cookie{Name: "theme", Value: "dark"})
		increment(s)
		s.Commit()
		s.Renew()
		http.SetCookie(w, &http.Cookie{Name: "__Host-session2", Value: "x"})
	}).get("/")
	var names []string
	for _, c := range w.Result().Cookies() {
		names = append(names, c.Name)
	}
	if got := fmt.Sprint(names); got != "[theme __Host-session2 __Host-session]" {
		t.Errorf("cookies %s", got)
	}
}

// A session is found in whatever mess of cookies a browser, a balancer or a
// stranger makes.
func TestCookiesInTheHeader(t *testing.T) {
	m := newManager(t, newTap(), nil)
	valid := strings.TrimPrefix(beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") }), "__Host-session=")
	stale := func(n int) string { return strings.Repeat("Z", 25) + fmt.Sprint(n) }
	const name = "__Host-session="
	for header, found := range map[string]bool{
		name + valid:                                              true,
		name + `"` + valid + `"`:                                  true,
		"a=b; " + name + valid + "; c=d":                          true,
		"a=b;" + name + valid + ";c=d":                            true,
		name + stale(1) + "; " + name + valid:                     true,
		name + valid + "; " + name + stale(1):                     true,
		name + valid[:26]:                                         true,
		name + valid[:26] + "-n9.app7":                            true,
		name + valid + ".balancer!0042":                           true,
		name + "; " + name + valid:                                true,
		name + "x; " + name + stale(1)[:20] + "; " + name + valid: true,
		strings.Repeat(name+stale(1)+"; ", 50) + name + valid:     true,
		"=;;==; ; ,\x00" + "; " + name + valid:                    true,
		// Not the id, or not the name.
		"":                                  false,
		strings.ToLower(name) + valid:       false,
		name + strings.ToLower(valid):       false,
		name + valid[:25]:                   false,
		name + "x" + valid:                  false,
		"session=" + valid:                  false,
		name + "%" + valid:                  false,
		strings.Repeat(";", 5000):           false,
		"x=" + strings.Repeat("y", 100_000): false,
		// Only so many of one name are looked for.
		name + stale(1) + ";" + name + stale(2) + ";" + name + stale(3) + ";" + name + stale(4) + ";" + name + valid: false,
		name + stale(1) + ";" + name + stale(2) + ";" + name + stale(3) + ";" + name + valid:                         true,
	} {
		v := visit(m, show)
		v.cookie = header
		want := "0|||"
		if found {
			want = "0|old||"
		}
		wantBody(t, v.get("/"), want)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header["Cookie"] = []string{name + stale(1), name + valid}
	w := httptest.NewRecorder()
	m.Handler(page(show)).ServeHTTP(w, r)
	wantBody(t, w, "0|old||")
}

func TestUnknownIDsAreNeverAdopted(t *testing.T) {
	const planted = "PLANTEDPLANTEDPLANTEDPLANT"
	for _, path := range []string{"/change", "/login", "/persist", "/destroy-and-begin"} {
		m := newManager(t, newTap(), nil)
		v := visit(m, changeOrRead)
		v.cookie = "__Host-session=" + planted + "-n1"
		wantStatus(t, v.get(path), http.StatusOK)
		if strings.Contains(v.sends(), planted) {
			t.Errorf("%s: the planted id is now the browser's: %s", path, v.sends())
		}
		thief := visit(m, show)
		thief.cookie = "__Host-session=" + planted + "-n1"
		wantBody(t, thief.get("/"), "0|||")
	}
}

func TestADestroyedSessionIsNotAdoptedEither(t *testing.T) {
	m := newManager(t, newTap(), nil)
	v := visit(m, changeOrRead)
	old := beginSession(m, func(s *holdfast.Session) { s.Login("bob") })
	v.cookie = old
	v.get("/destroy")
	v.cookie = old
	v.get("/change")
	if v.sends()[:41] == old[:41] {
		t.Error("the id of the destroyed session is in use again")
	}
	wantBody(t, v.get("/read"), "1|||")
}

// Remember me: the cookie outlives the browser, and is sent again while the
// session is used, once per sixteenth of its idle timeout at most.
func TestPersist(t *testing.T) {
	for _, path := range []string{"/read", "/change"} {
		t.Run(path, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, newTap(), nil)
				v := visit(m, changeOrRead)
				v.get("/change")
				if got := maxAge(v.get("/persist")); got != 400*24*time.Hour {
					t.Errorf("Max-Age %v, want the longest that browsers keep, 400 days", got)
				}
				sent := 0
				const grain = 2 * time.Hour
				for range 16 * 10 {
					time.Sleep(grain / 10)
					if maxAge(v.get(path)) > 0 {
						sent++
					}
				}
				if sent < 12 || sent > 17 {
					t.Errorf("the cookie was sent %d times in 16 sixteenths", sent)
				}
			})
		})
	}
}

// A lasting cookie of a session in use does not end, whatever the requests are.
func TestALastingCookieLastsWhileTheSessionIsUsed(t *testing.T) {
	for name, paths := range map[string][]string{
		"reads": {"/read"}, "changes": {"/change"}, "both": {"/read", "/change"}, "changes and files": {"/change", "/unused"}, "files before reads": {"/unused", "/read"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, newTap(), nil)
				v := visit(m, changeOrRead)
				v.get("/persist")
				begun := time.Now()
				end := begun.Add(400 * 24 * time.Hour)
				for i := range 1000 {
					time.Sleep(15 * time.Hour)
					if time.Now().After(end) {
						t.Fatalf("after %v the browser has forgotten the cookie", time.Since(begun))
					}
					if age := maxAge(v.get(paths[i%len(paths)])); age > 0 {
						end = time.Now().Add(age)
					}
					synctest.Wait()
				}
			})
		})
	}
}

func maxAge(w *httptest.ResponseRecorder) time.Duration {
	for _, c := range w.Result().Cookies() {
		return time.Duration(c.MaxAge) * time.Second
	}
	return 0
}

func TestMaxAgeOfALastingCookie(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		options holdfast.Options
		idle    time.Duration
		want    time.Duration
	}{
		"idle":                  {holdfast.Options{}, 8 * day, 400 * day},
		"for ever":              {holdfast.Options{}, holdfast.Never, 400 * day},
		"zero is for ever":      {holdfast.Options{}, 0, 400 * day},
		"longer than browsers":  {holdfast.Options{}, 1000 * day, 400 * day},
		"absolute":              {holdfast.Options{AbsoluteTimeout: day}, 8 * day, day},
		"absolute and for ever": {holdfast.Options{AbsoluteTimeout: day}, holdfast.Never, day},
		"less than a second":    {holdfast.Options{AbsoluteTimeout: time.Millisecond}, day, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newManager(t, newTap(), &c.options)
				w := visit(m, func(_ http.ResponseWriter, _ *http.Request, s *holdfast.Session) { s.Persist(c.idle) }).get("/")
				if got := maxAge(w); got != c.want {
					t.Errorf("Max-Age %v, want %v", got, c.want)
				}
			})
		})
	}
}

func TestPersistAfterTheHeaderIsTooLate(t *testing.T) {
	m := newManager(t, newTap(), nil)
	v := visit(m, func(w http.ResponseWriter, _ *http.Request, s *holdfast.Session) {
		fmt.Fprint(w, "first byte")
		s.Persist(time.Hour)
		if err := s.Err(); !errors.Is(err, holdfast.ErrTooLate) {
			t.Errorf("Err: %v, want ErrTooLate", err)
		}
	})
	v.cookie = beginSession(m, func(s *holdfast.Session) { textKey.Set(s, "old") })
	wantNoCookie(t, v.get("/"))
}

func TestRouteIsInTheCookie(t *testing.T) {
	on := newTap()
	one, two := newManager(t, on, &holdfast.Options{Route: "app1"}), newManager(t, on, &holdfast.Options{Route: "app-2"})
	v := visit(one, changeOrRead)
	v.get("/change")
	if got := v.sends(); !strings.HasSuffix(got, "-n1.app1") {
		t.Errorf("cookie %q, want the route at its end", got)
	}
	v = v.with(two.Handler(page(changeOrRead)))
	wantBody(t, v.get("/change"), "2|||")
	if got := v.sends(); !strings.HasSuffix(got, "-n1.app1") {
		t.Errorf("cookie %q: in non-sticky mode another server is no reason for another cookie", got)
	}
	v.get("/renew")
	if got := v.sends(); !strings.HasSuffix(got, "-n1.app-2") {
		t.Errorf("cookie %q, want the route of the server that made it", got)
	}
}
