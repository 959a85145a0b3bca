package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// pointRole is the first argument of a process that is a point: memory is shared by all
// of a process, and so is the work to collect garbage.
const pointRole = "point"

// A point is a process with one config.
type point struct {
	value   int
	process *measure.Process
	orders  *json.Encoder
	answers *json.Decoder
	samples map[string][]measure.Sample // by path
}

// An order asks a point for a sample.
type order struct {
	Path string
	For  time.Duration
}

// An answer is what the point says to an order, or when it is ready.
type answer struct {
	measure.Sample
	Failure string
}

func startPoint(ctx context.Context, c config) (*point, error) {
	child, err := measure.StartSelf(ctx, pointRole, c.String())
	if err != nil {
		return nil, err
	}
	p := &point{
		process: child, orders: json.NewEncoder(child.In), answers: json.NewDecoder(child.Out),
		samples: map[string][]measure.Sample{},
	}
	if _, err := p.answer(); err != nil {
		p.close()
		return nil, fmt.Errorf("%s: %w", c, err)
	}
	return p, nil
}

// close ends the process, which ends its nodes.
func (p *point) close() {
	_ = p.process.In.Close()
	_, _ = io.Copy(io.Discard, p.process.Out) // until it has ended
	p.process.Kill()
}

func (p *point) answer() (measure.Sample, error) {
	var a answer
	err := p.answers.Decode(&a)
	if err == nil && a.Failure != "" {
		err = errors.New(a.Failure)
	}
	return a.Sample, err
}

func (p *point) measure(path string, d time.Duration) error {
	if err := p.orders.Encode(order{path, d}); err != nil {
		return err
	}
	s, err := p.answer()
	if err == nil {
		p.samples[path] = append(p.samples[path], s)
	}
	return err
}

// servePoint is the other side: it says that it is ready, and then measures what it is
// told to until its standard input ends.
func servePoint(args []string) error {
	var c config
	if len(args) != 1 || json.Unmarshal([]byte(args[0]), &c) != nil {
		return errors.New("a point needs its config")
	}
	orders, answers := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	s, err := openSite(context.Background(), c)
	if err != nil {
		return answers.Encode(answer{Failure: err.Error()})
	}
	defer s.close()
	if err := answers.Encode(answer{}); err != nil {
		return err
	}
	for {
		var o order
		if err := orders.Decode(&o); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		var a answer
		if a.Sample, err = s.measure(o); err != nil {
			a.Failure = err.Error()
		}
		if err := answers.Encode(a); err != nil {
			return err
		}
	}
}
