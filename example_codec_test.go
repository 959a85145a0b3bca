package holdfast_test

import (
	"fmt"
	"log"
	"net/http"
	"net/netip"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

// An addrCodec stores an IP address in 4 or 16 bytes.
type addrCodec struct{}

func (addrCodec) Tag() byte { return 128 } // 128 to 255 are free to use

func (addrCodec) Append(dst []byte, a netip.Addr) ([]byte, error) { return a.AppendBinary(dst) }

func (addrCodec) Decode(b []byte) (a netip.Addr, err error) {
	err = a.UnmarshalBinary(b)
	return a, err
}

var lastAddr = holdfast.NewKey("last_addr", addrCodec{})

// A key may have a codec of its own, in place of JSON.
func ExampleCodec() {
	m, err := holdfast.New(nil, nil)
	if err != nil {
		log.Fatal(err)
	}
	browser := holdfasttest.NewClient(m, m.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := holdfast.From(r.Context())
		if before, ok := lastAddr.Get(s); ok {
			fmt.Fprintln(w, "your last visit was from", before)
		}
		lastAddr.Set(s, netip.MustParseAddrPort(r.RemoteAddr).Addr())
	})))
	browser.Get("/")
	fmt.Print(browser.Get("/").Body)
	// Output:
	// your last visit was from 192.0.2.1
}
