package overload

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestInventedIDsInProcess: what TestOverload sends over HTTP, without HTTP, so that it
// can be twenty times as much.
func TestInventedIDsInProcess(t *testing.T) {
	var rows []string
	for _, a := range attacks() {
		t.Run(a.name, func(t *testing.T) { rows = append(rows, a.run(t)) })
	}
	if *full {
		t.Logf("\n%s\n%s", tableHead, strings.Join(rows, "\n"))
	}
}

// run returns the row of the table.
func (a attack) run(t *testing.T) string {
	a.opts.OperationTimeout = 10 * time.Second // as in TestOverload
	s := newLocalSite(t, a.opts)
	quiet := s.during(t, func() { time.Sleep(measured()) })
	before := heap()
	var answers string
	meanwhile := s.during(t, func() { answers = s.flood(t, a) })
	after := heap()
	if grown, most := after-before, int64(64*mib); grown > most {
		t.Errorf("the heap has grown by %d MiB, want at most %d", grown/mib, most/mib)
	}
	row := fmt.Sprintf("| in process: invented ids, %s | %s | %d, 0 | %s | %s | %.1f | heap %d, –, %d MiB |", a.name, answers, len(meanwhile.latencies),
		quiet, meanwhile, meanwhile.percentile(0.99).Seconds()/quiet.percentile(0.99).Seconds(), before/mib, after/mib)
	t.Log(row)
	return row
}

// during has one honest visitor at work while do runs.
func (s *localSite) during(t *testing.T, do func()) *figures {
	f := &figures{}
	ctx, stop := context.WithCancel(t.Context())
	var visiting sync.WaitGroup
	visiting.Go(func() {
		for ctx.Err() == nil {
			began := time.Now()
			if err := s.visit(); err != nil {
				t.Error(err)
				return
			}
			f.note([]time.Duration{time.Since(began)}, "")
			time.Sleep(2 * time.Millisecond)
		}
	})
	do()
	stop()
	visiting.Wait()
	return f
}

// flood sends 100,000 requests a second; without -full, a tenth of a second's.
func (s *localSite) flood(t *testing.T, a attack) string {
	const perSecond, senders, atOnce = 100_000, 4, 20
	total := perSecond / 10
	if *full {
		total = perSecond * int(measured().Seconds())
	}
	var next, sent, found atomic.Int64
	var sending sync.WaitGroup
	began := time.Now()
	for range senders {
		sending.Go(func() {
			for i := int(next.Add(atOnce)); i <= total; i = int(next.Add(atOnce)) {
				if *full {
					time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / perSecond)))
				}
				if *full && time.Since(began) > measured() {
					return // this machine is slower than that
				}
				for range atOnce {
					sent.Add(1)
					if s.read(a.cookie()) != http.StatusNotFound {
						found.Add(1)
					}
				}
			}
		})
	}
	sending.Wait()
	if found.Load() > 0 {
		t.Errorf("%d of %d requests with invented ids are not answered 404", found.Load(), sent.Load())
	}
	return fmt.Sprintf("%.0f a second; 404: %d", float64(sent.Load())/time.Since(began).Seconds(), sent.Load()-found.Load())
}

// read asks for a session with as little work as possible beside it.
func (s *localSite) read(cookie string) (status int) {
	w := statusOnly{header: http.Header{}, status: http.StatusOK}
	s.handler.ServeHTTP(&w, &http.Request{
		Method: http.MethodGet, URL: &url.URL{Path: "/read"}, Header: http.Header{"Cookie": {cookieName + "=" + cookie}},
	})
	return w.status
}

// statusOnly is a ResponseWriter that keeps the status.
type statusOnly struct {
	header http.Header
	status int
}

func (w *statusOnly) Header() http.Header         { return w.header }
func (w *statusOnly) WriteHeader(status int)      { w.status = status }
func (w *statusOnly) Write(b []byte) (int, error) { return len(b), nil }
