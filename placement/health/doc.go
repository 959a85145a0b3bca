// Package health decides, outside of requests, whether a cache node is worth
// asking. Requests report what happened to them; they never probe, and all
// that they ask is [Monitor.Usable], one atomic load.
//
//	                 Refused                 probe failed
//	          Up ---------------> Suspect ------------------+
//	          ^ ^                 |     |                   |
//	Return ok | +-----------------+     +--- TimedOut --+   |
//	          |     probe answered                      v   v
//	      Returning <----------------------------------- Down
//	          |               probe answered             ^ ^
//	          +------------------------------------------+ +---- TimedOut, from Up
//	               probe or Return failed
//
// A node that was away stays in Returning for Options.Quarantine. One that only
// let a request wait, and answers the first probe after it, passes through it at
// once: that was a hiccup, such as this process itself having been stopped. The
// third hiccup within ten seconds is not believed.
package health
