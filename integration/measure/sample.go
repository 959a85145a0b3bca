package measure

import "time"

// A Sample is what one request took.
type Sample struct {
	App, Store time.Duration // of processor time: this process's, and that of all nodes
	Allocs     float64
	P50        time.Duration
}

// Plus is what both take, one after the other.
func (s Sample) Plus(t Sample) Sample {
	return Sample{App: s.App + t.App, Store: s.Store + t.Store, Allocs: s.Allocs + t.Allocs, P50: s.P50 + t.P50}
}

// Take measures what work takes from this process and from the nodes with these addresses.
// To ask the nodes is no part of it.
func Take(nodes []string, work func() (Tally, error)) (Sample, error) {
	store, err := AskNodes(nodes)
	if err != nil {
		return Sample{}, err
	}
	app, err := UsageNow()
	if err != nil {
		return Sample{}, err
	}
	t, err := work()
	if err != nil {
		return Sample{}, err
	}
	appAfter, err := UsageNow()
	if err != nil {
		return Sample{}, err
	}
	storeAfter, err := AskNodes(nodes)
	n := max(t.Requests, 1)
	return Sample{
		App: (appAfter.CPU - app.CPU) / time.Duration(n), Store: (storeAfter.CPU - store.CPU) / time.Duration(n),
		Allocs: float64(appAfter.Allocations-app.Allocations) / float64(n), P50: t.P50,
	}, err
}

// Typical is the median of all samples, figure by figure.
func Typical(all []Sample) Sample {
	return Sample{
		App:    Median(each(all, func(s Sample) time.Duration { return s.App })),
		Store:  Median(each(all, func(s Sample) time.Duration { return s.Store })),
		Allocs: Median(each(all, func(s Sample) float64 { return s.Allocs })),
		P50:    Median(each(all, func(s Sample) time.Duration { return s.P50 })),
	}
}

func each[T any](all []Sample, of func(Sample) T) (values []T) {
	for _, s := range all {
		values = append(values, of(s))
	}
	return values
}

// Microseconds of d, with what is left over.
func Microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
