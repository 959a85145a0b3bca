package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// loadRole is the first argument of the process that sends the requests over HTTP: what
// it takes is not to be counted with what the server takes.
const loadRole = "load"

// A job is a load: each client sends one request at a time, with its own sessions in turn.
type job struct {
	Line    string     // of the request, up to the path
	Cookies [][]string // of each client
	For     time.Duration
}

// An outcome is what a job came to.
type outcome struct {
	measure.Tally
	Failure string
}

// sendLoads does the jobs that come in, until there are no more.
func sendLoads(addr string) error {
	jobs, outcomes := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	var clients []*measure.Browser
	for {
		var j job
		if err := jobs.Decode(&j); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		for len(clients) < len(j.Cookies) {
			clients = append(clients, &measure.Browser{Addr: addr})
		}
		if err := outcomes.Encode(j.send(clients)); err != nil {
			return err
		}
	}
}

func (j *job) send(clients []*measure.Browser) outcome {
	requests := make([]func(n int) error, len(j.Cookies))
	for i, cookies := range j.Cookies {
		requests[i] = func(n int) error {
			p, err := clients[i].Send(context.Background(), j.Line, "", []byte(cookies[n%len(cookies)]))
			if err == nil && p.Status != http.StatusOK {
				err = fmt.Errorf("%s: %d %s", j.Line, p.Status, p.Body)
			}
			return err
		}
	}
	t, err := measure.InTurns(requests, j.For)
	if err != nil {
		return outcome{t, err.Error()}
	}
	return outcome{t, ""}
}
