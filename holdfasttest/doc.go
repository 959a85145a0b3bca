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
// Everything works in the fake time of package testing/synctest, when [New] is
// called inside of the bubble.
package holdfasttest
