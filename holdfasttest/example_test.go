package holdfasttest_test

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/holdfast-sessions/holdfast"
	"github.com/holdfast-sessions/holdfast/holdfasttest"
)

var Cart = holdfast.NewKey[[]string]("cart")

func showCart(w http.ResponseWriter, r *http.Request) {
	items, _ := Cart.Get(holdfast.From(r.Context()))
	fmt.Fprint(w, strings.Join(items, ", "))
}

// The package documentation and the README show these five lines.
func TestFiveLinesAreEnough(t *testing.T) {
	m := holdfasttest.New(t, nil)
	r := holdfasttest.With(httptest.NewRequest("GET", "/cart", nil), m, func(s *holdfast.Session) { Cart.Set(s, []string{"tea"}) })
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(showCart)).ServeHTTP(w, r)
	if got := w.Body.String(); got != "tea" {
		t.Errorf("the cart shows %q", got)
	}
}

func shop() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cart", showCart)
	mux.HandleFunc("POST /cart", func(_ http.ResponseWriter, r *http.Request) {
		Cart.Update(holdfast.From(r.Context()), func(items *[]string) error {
			*items = append(*items, r.FormValue("item"))
			return nil
		})
	})
	return mux
}

// The package documentation shows this one.
func TestACartSurvivesItsServerAndItsNode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		site := holdfasttest.Cluster(t, 3, 2)
		site.Handle(shop()) // put inside of each server's manager
		bob := site.Client()
		bob.Post("/cart", url.Values{"item": {"tea"}})
		site.KillServer("app1")
		site.KillNode("n1")
		if got := bob.Get("/cart").Body.String(); got != "tea" {
			t.Errorf("the cart shows %q", got)
		}
	})
}

func ExampleWith() {
	m, err := holdfast.New(nil, nil) // in a test: holdfasttest.New(t, nil)
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest("GET", "/cart", nil)
	r = holdfasttest.With(r, m, func(s *holdfast.Session) { Cart.Set(s, []string{"tea"}) })
	w := httptest.NewRecorder()
	m.Handler(http.HandlerFunc(showCart)).ServeHTTP(w, r)
	fmt.Println(w.Body)
	// Output:
	// tea
}

// One visitor's session is prepared, used by two requests, and looked at.
func ExampleClient() {
	m, err := holdfast.New(nil, nil) // in a test: holdfasttest.New(t, nil)
	if err != nil {
		log.Fatal(err)
	}
	bob := holdfasttest.NewClient(m, m.Handler(shop()))
	bob.Session(func(s *holdfast.Session) { s.Login("bob") })
	bob.Post("/cart", url.Values{"item": {"tea"}})
	fmt.Println(bob.Get("/cart").Body)
	bob.Session(func(s *holdfast.Session) {
		items, _ := Cart.Get(s)
		fmt.Println(s.Owner(), items)
	})
	// Output:
	// tea
	// bob [tea]
}
