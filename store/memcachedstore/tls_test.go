package memcachedstore

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/storetest"
)

func TestContractOverTLS(t *testing.T) {
	certificate, pool := newCertificate(t)
	storetest.RunInBubble(t, func(t *testing.T) storetest.Harness {
		server := newFake(t)
		server.tls = &tls.Config{Certificates: []tls.Certificate{certificate}}
		return storetest.Harness{
			Store:       newStore(t, "cache.example.org:11211", &Options{Dial: server.dial, TLS: &tls.Config{RootCAs: pool}}),
			Restart:     func(testing.TB) { server.restart() },
			MaxItem:     1 << 20,
			Granularity: time.Second,
		}
	})
}

func TestServerNameIsChecked(t *testing.T) {
	certificate, pool := newCertificate(t)
	for name, tc := range map[string]struct {
		addr   string
		config *tls.Config
		works  bool
	}{
		"from the address":   {"cache.example.org:11211", &tls.Config{RootCAs: pool}, true},
		"given":              {"10.0.0.1:11211", &tls.Config{RootCAs: pool, ServerName: "cache.example.org"}, true},
		"another":            {"cache2.example.org:11211", &tls.Config{RootCAs: pool}, false},
		"unknown authority":  {"cache.example.org:11211", &tls.Config{}, false},
		"the same was given": {"cache.example.org:11211", &tls.Config{RootCAs: pool, ServerName: "other.example.org"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := newFake(t)
				server.tls = &tls.Config{Certificates: []tls.Certificate{certificate}}
				err := probe(t.Context(), newStore(t, tc.addr, &Options{Dial: server.dial, TLS: tc.config}))
				if tc.works {
					checkErr(t, err, []error{store.ErrNotFound})
				} else {
					checkErr(t, err, []error{store.ErrUnavailable}, store.ErrNotFound)
				}
			})
		})
	}
}

// TLS would say a last word, and wait until the server takes it.
func TestCloseDoesNotWaitForTheServer(t *testing.T) {
	certificate, pool := newCertificate(t)
	synctest.Test(t, func(t *testing.T) {
		var server sync.WaitGroup
		defer server.Wait()
		dial := func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			server.Go(func() {
				defer theirs.Close()
				c := tls.Server(theirs, &tls.Config{Certificates: []tls.Certificate{certificate}})
				sleepy := greeted(func(p *peer) { p.line(); time.Sleep(time.Hour) })
				sleepy(&peer{Conn: c, in: bufio.NewReader(c), t: t})
			})
			return ours, nil
		}
		s := newStore(t, "cache.example.org:11211", &Options{Dial: dial, TLS: &tls.Config{RootCAs: pool}, StallTimeout: time.Minute})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		checkErr(t, probe(ctx, s), []error{context.DeadlineExceeded})
		began := time.Now()
		s.Close()
		if took := time.Since(began); took != 0 {
			t.Errorf("Close took %v", took)
		}
	})
}

// newCertificate is one for cache.example.org, valid in real and in fake time.
func newCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		DNSNames:     []string{"cache.example.org"},
		NotBefore:    time.Unix(0, 0),
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}
