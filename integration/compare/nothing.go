package main

import (
	"net/http"
	"strings"
)

// nothing answers as if everybody were one visitor. Its pages are as large as those of
// the others.
type nothing struct{ always visit }

func somebody() visit {
	return visit{user: "somebody", count: 1000, text: strings.Repeat("t", textSize)}
}

func openNothing([]string) (*site, error) { return &site{visits: nothing{somebody()}}, nil }

func (nothing) begin(http.ResponseWriter, *http.Request, visit) error { return nil }

func (n nothing) load(*http.Request) (visit, error) { return n.always, nil }

func (n nothing) add(http.ResponseWriter, *http.Request) (visit, error) { return n.always, nil }

func (nothing) end(http.ResponseWriter, *http.Request) error { return nil }
