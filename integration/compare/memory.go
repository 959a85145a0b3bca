package main

import "github.com/holdfast-sessions/holdfast/integration/measure"

// A weight is the memory of one session.
type weight struct {
	app   float64 // bytes of the app server's heap
	store float64 // bytes of the nodes' items, all copies
}

// weigh makes many sessions and looks at what the servers hold afterwards.
func (f *field) weigh(r *rig) error {
	app, node, err := r.held()
	if err != nil {
		return err
	}
	t, err := r.load.run(r.ctx, begin, times(f.plan.stored))
	if err != nil {
		return err
	}
	r.result.count(t)
	appAfter, nodeAfter, err := r.held()
	if err != nil {
		return err
	}
	n := float64(len(t.latencies) - t.wrong)
	r.result.weight = weight{
		app:   (float64(appAfter.Heap) - float64(app.Heap)) / n,
		store: float64(nodeAfter.Bytes-node.Bytes) / n,
	}
	r.result.evictions = nodeAfter.Evictions
	r.result.memcached = nodeAfter.Version
	return nil
}

func (r *rig) held() (app measure.Usage, node measure.NodeUsage, err error) {
	if app, err = r.appUsage(true); err != nil {
		return app, node, err
	}
	node, err = measure.AskNodes(r.addrs)
	return app, node, err
}
