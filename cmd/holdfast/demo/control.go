package demo

import (
	"errors"
	"net/http"
	"strconv"
)

// controlRoutes adds what the page's buttons post to. All answer 204, or say what is
// wrong.
func (d *demo) controlRoutes(mux *http.ServeMux) {
	handle := func(path string, do func(*http.Request) error) {
		mux.HandleFunc("POST /demo/"+path, func(w http.ResponseWriter, r *http.Request) { answer(w, do(r)) })
	}
	handle("fault", d.makeFault)
	handle("mode", d.setMode)
	handle("copies", d.setCopies)
	handle("load", d.setLoad)
}

func answer(w http.ResponseWriter, err error) {
	switch {
	case err == nil:
		w.WriteHeader(http.StatusNoContent)
	case errors.Is(err, errRefused), errors.Is(err, errNotAlone):
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func (d *demo) makeFault(r *http.Request) error {
	return d.cluster.strike(r.Context(), r.FormValue("part"), what(r.FormValue("what")))
}

func (d *demo) setMode(r *http.Request) error {
	m, err := modeNamed(r.FormValue("mode"))
	if err != nil {
		return err
	}
	return d.balancer.hold(func() error {
		_, copies := d.cluster.settings()
		return d.cluster.configure(r.Context(), m, copies)
	})
}

func (d *demo) setCopies(r *http.Request) error {
	copies, err := strconv.Atoi(r.FormValue("copies"))
	if err != nil {
		return refused("%q copies", r.FormValue("copies"))
	}
	return d.balancer.hold(func() error {
		mode, _ := d.cluster.settings()
		return d.cluster.configure(r.Context(), mode, copies)
	})
}

func (d *demo) setLoad(r *http.Request) error {
	if r.FormValue("on") == "true" {
		d.load.start()
		d.feed.tell(remark("%d users have come. Each adds to its session in two tabs, and compares every answer with what it was promised.", userCount))
		return nil
	}
	d.load.stop()
	d.feed.tell(remark("The users have left."))
	return nil
}
