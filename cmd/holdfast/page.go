package main

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"github.com/holdfast-sessions/holdfast"
)

// The page shows the session of the browser that asks and changes it through
// plain forms: each posts to a route of its own here, which answers with a
// redirect to the page. Nothing needs a script.

//go:embed templates static
var files embed.FS

// noticeName is the attribute that carries the outcome of an action over the
// redirect to the page.
const noticeName = "holdfast.notice"

var (
	pageTemplate = template.Must(template.ParseFS(files, "templates/*.html"))
	notice       = holdfast.NewFlash[string](noticeName)
)

func (a *app) pageRoutes(handle func(pattern string, h http.HandlerFunc), mux *http.ServeMux) {
	mux.Handle("GET /static/", staticFiles())
	handle("GET /{$}", a.page)
	handle("POST /page/set", a.action(setFromPage))
	handle("POST /page/remove", a.action(removeFromPage))
	handle("POST /page/count", a.action(countFromPage))
	handle("POST /page/login", a.action(loginFromPage))
	handle("POST /page/renew", a.action(renewFromPage))
	handle("POST /page/logout", a.logoutFromPage)
}

func staticFiles() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "max-age=60")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		http.ServeFileFS(w, r, files, strings.TrimPrefix(r.URL.Path, "/"))
	})
}

// page shows the session, or that there is none. It creates none.
func (a *app) page(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.From(r.Context())
	d, err := a.pageData(r, s)
	if err == nil {
		err = s.Commit() // the notice is taken, so that it shows once
	}
	if err != nil {
		a.errorPage(w, r, s, err)
		return
	}
	a.render(w, http.StatusOK, "session.html", d)
}

// errorPage answers err for a person to read.
func (a *app) errorPage(w http.ResponseWriter, r *http.Request, s *holdfast.Session, err error) {
	_ = s.Err() // answered here
	status := announceError(w, err)
	a.render(w, status, "error.html", errorData{
		Server: a.server(r), Status: status, Title: http.StatusText(status), Text: err.Error(),
	})
}

// render writes a page, whole or not at all.
func (a *app) render(w http.ResponseWriter, status int, name string, data any) {
	var page bytes.Buffer
	if err := pageTemplate.ExecuteTemplate(&page, name, data); err != nil {
		a.log.Error("cannot make the page", "template", name, "error", err)
		http.Error(w, "cannot make the page", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // a client that left is no error of ours
}

// contentPolicy lets the page load its own style and icon and post to itself;
// nothing else, and no other page may frame it.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// action does do, leaves its notice in the session and returns to the page.
func (a *app) action(do func(*holdfast.Session, *http.Request) (string, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s := a.sessions.From(r.Context())
		_, err := formFields(w, r)
		done := ""
		if err == nil {
			done, err = do(s, r)
		}
		if err == nil {
			err = leaveNotice(s, done)
		}
		if err != nil {
			a.errorPage(w, r, s, err)
			return
		}
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// leaveNotice stores text with what the action changed. An action on a session
// that does not exist leaves none: a notice is no reason to create one.
func leaveNotice(s *holdfast.Session, text string) error {
	if s.Exists() {
		if err := notice.Add(s, text); err != nil {
			return err
		}
	}
	return s.Commit()
}

func setFromPage(s *holdfast.Session, r *http.Request) (string, error) {
	name := r.PostForm.Get("name")
	if err := checkName(name); err != nil {
		return "", err
	}
	err := holdfast.NewKey[string](name).Set(s, r.PostForm.Get("value"))
	return fmt.Sprintf("Set %s.", name), err
}

func removeFromPage(s *holdfast.Session, r *http.Request) (string, error) {
	name := r.PostForm.Get("name")
	if name == "" {
		return "", &problem{http.StatusBadRequest, "which? an attribute has a name"}
	}
	err := holdfast.NewKey[string](name).Delete(s)
	return fmt.Sprintf("Removed %s.", name), err
}

func countFromPage(s *holdfast.Session, _ *http.Request) (string, error) {
	err := increment(s, counterName)
	if err != nil {
		return "", counterError(s, counterName, err)
	}
	return "Counted one more.", nil
}

func loginFromPage(s *holdfast.Session, r *http.Request) (string, error) {
	user := r.PostForm.Get("user")
	if user == "" {
		return "", &problem{http.StatusBadRequest, "who? a login needs a name"}
	}
	return fmt.Sprintf("Logged in as %s. The session has a new id.", user), s.Login(user)
}

func renewFromPage(s *holdfast.Session, _ *http.Request) (string, error) {
	return "Renewed: same session, new id.", s.Renew()
}

// logoutFromPage leaves no notice: there is no session any more to hold it.
func (a *app) logoutFromPage(w http.ResponseWriter, r *http.Request) {
	s := a.sessions.From(r.Context())
	if err := s.Destroy(); err != nil {
		a.errorPage(w, r, s, err)
		return
	}
	http.Redirect(w, r, "/?ended", http.StatusSeeOther)
}
