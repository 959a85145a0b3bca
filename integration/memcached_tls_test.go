package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast/integration/servers"
	"github.com/holdfast-sessions/holdfast/store"
	"github.com/holdfast-sessions/holdfast/store/memcachedstore"
)

func TestMemcachedTLSIsNotOptional(t *testing.T) {
	_, addr, config := startMemcachedWithTLS(t)
	plain := servers.StartMemcached(t)
	for name, tc := range map[string]struct {
		addr string
		opts memcachedstore.Options
	}{
		"no TLS to a TLS server":   {addr, memcachedstore.Options{}},
		"TLS to a plain server":    {plain.Addr, memcachedstore.Options{TLS: config}},
		"an unknown authority":     {addr, memcachedstore.Options{TLS: &tls.Config{}}},
		"a name that is not there": {addr, memcachedstore.Options{TLS: &tls.Config{RootCAs: config.RootCAs, ServerName: "example.org"}}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openMemcached(t, tc.addr, &tc.opts).Get(t.Context(), "k", store.Whole)
			wantErr(t, err, store.ErrUnavailable)
			t.Log(err)
		})
	}
}

// startMemcachedWithTLS starts a memcached with a certificate of its own. The
// returned config trusts it, and nothing else.
func startMemcachedWithTLS(t *testing.T) (server *servers.Process, addr string, config *tls.Config) {
	t.Helper()
	dir := t.TempDir()
	certificate, key := newCertificate(t)
	certFile := writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", certificate.Raw)
	keyFile := writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", key)
	addr, listen := freeAddress(t)
	server = startMemcached(t, "tcp", addr, append(listen, "-Z", "-o", "ssl_chain_cert="+certFile, "-o", "ssl_key="+keyFile)...)
	pool := x509.NewCertPool()
	pool.AddCert(certificate)
	return server, addr, &tls.Config{RootCAs: pool}
}

// newCertificate returns a self-signed certificate for 127.0.0.1 and its key
// in PKCS #8.
func newCertificate(t *testing.T) (*x509.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IsCA:         true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return certificate, encoded
}

func writePEM(t *testing.T, path, kind string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
