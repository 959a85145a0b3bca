// Package holdfasttest helps to test handlers that use sessions. Five lines are
// enough:
//
//	m := holdfasttest.New(t, nil)
//	r := holdfasttest.With(httptest.NewRequest("GET", "/cart", nil), m, func(s *holdfast.Session) { Cart.Set(s, []string{"tea"}) })
//	w := httptest.NewRecorder()
//	m.Handler(http.HandlerFunc(showCart)).ServeHTTP(w, r)
//	if got := w.Body.String(); got != "tea" { t.Errorf("the cart shows %q", got) }
//
// A [Client] sends several requests as one visitor, and shows the session that
// they left behind.
//
// [Cluster] is a whole site, app servers and cache nodes, any of which can be
// made to fail. It shows in a unit test what a program's visitors notice of it:
//
//	synctest.Test(t, func(t *testing.T) {
//		site := holdfasttest.Cluster(t, 3, 2)
//		site.Handle(shop()) // put inside of each server's manager
//		bob := site.Client()
//		bob.Post("/cart", url.Values{"item": {"tea"}})
//		site.KillServer("app1")
//		site.KillNode("n1")
//		if got := bob.Get("/cart").Body.String(); got != "tea" { t.Errorf("the cart shows %q", got) }
//	})
//
// Everything works in the fake time of package testing/synctest, when [New] or
// [Cluster] is called inside of the bubble.
package holdfasttest
