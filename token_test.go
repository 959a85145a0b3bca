package holdfast

import (
	"strings"
	"testing"
)

const (
	someID  = "ABCDEFGHIJKLMNOPQRSTUVWX27"
	otherID = "ABCDEFGHIJKLMNOPQRSTUVWX28"
	someMAC = "ABCDEFGHIJKLMN27"
)

func TestParseToken(t *testing.T) {
	node32, route64 := strings.Repeat("n", 32), strings.Repeat("r", 64)
	for value, want := range map[string]token{
		someID:                                         {id: someID},
		someID + "-n1":                                 {id: someID, node: "n1"},
		someID + ".app1":                               {id: someID, route: "app1"},
		someID + "-n1.app1":                            {id: someID, node: "n1", route: "app1"},
		someID + "~" + someMAC:                         {id: someID, mac: someMAC},
		someID + "~" + someMAC + "-n1":                 {id: someID, mac: someMAC, node: "n1"},
		someID + "~" + someMAC + ".a1":                 {id: someID, mac: someMAC, route: "a1"},
		someID + "~" + someMAC + "-n1.app1":            {id: someID, mac: someMAC, node: "n1", route: "app1"},
		someID + "~" + someMAC + "!balancer":           {id: someID, mac: someMAC},
		someID + "~" + someMAC + "~" + someMAC + "-n1": {id: someID, mac: someMAC},
		someID + "~MAC-n1.app1":                        {id: someID, mac: "MAC", node: "n1", route: "app1"},
		someID + "~MAC":                                {id: someID, mac: "MAC"},
		someID + "~mac_-n1":                            {id: someID, mac: "mac"},
		someID + "~":                                   {id: someID},
		someID + "~-n1":                                {id: someID, node: "n1"},
		someID + "-n1~" + someMAC:                      {id: someID, node: "n1"},
		someID + ".app1~" + someMAC:                    {id: someID, route: "app1"},
		someID + "-N_1.App-1_x":                        {id: someID, node: "N_1", route: "App-1_x"},
		someID + "-" + node32:                          {id: someID, node: node32},
		someID + "." + route64:                         {id: someID, route: route64},
		"abcdefghijklmnopqrstuvwxyz":                   {id: "abcdefghijklmnopqrstuvwxyz"},
		"01234567890123456789012345":                   {id: "01234567890123456789012345"},
		someID + "-n1.app1.balancer":                   {id: someID, node: "n1", route: "app1"},
		someID + "!balancer":                           {id: someID},
		someID + " ":                                   {id: someID},
		someID + "-" + node32 + "n":                    {id: someID},
		someID + "." + route64 + "r":                   {id: someID},
		someID + "-.app1":                              {id: someID, route: "app1"},
		someID + "-n-1.app1":                           {id: someID, node: "n"},
		someID + ".app1-n1":                            {id: someID, route: "app1-n1"},
		someID + "~~-n1":                               {id: someID},
		someID + "-n1~MAC.app1":                        {id: someID, node: "n1"},
		someID + "\x00\xff":                            {id: someID},
		someID + "-é":                                  {id: someID},
		someID + "%2Dn1":                               {id: someID},
		someID + "-n1." + "\x7f":                       {id: someID, node: "n1"},
		someID + "~" + someID + "-n1":                  {id: someID, mac: someID, node: "n1"},
	} {
		if got, ok := parseToken(value); !ok || got != want {
			t.Errorf("%q: %+v, %v; want %+v", value, got, ok, want)
		}
	}
}

func TestParseTokenRefusesWhatIsNoID(t *testing.T) {
	for _, value := range []string{
		"", "-n1", ".app1", "~MAC", someID[:25], someID + "x", someID + someID,
		someID[:25] + "_", someID[:25] + "-n1", " " + someID, `"` + someID, someID[:13] + "." + someID[:13],
		strings.Repeat("é", 13), strings.Repeat("\x00", 26), someID[:25] + "é",
	} {
		if got, ok := parseToken(value); ok {
			t.Errorf("%q is taken for %+v", value, got)
		}
	}
}

func FuzzToken(f *testing.F) {
	for _, seed := range []string{"", someID, someID + "-n1", someID + ".app1", someID + "~MAC-n1.app1", someID + "~" + someMAC + "-n1", someID + "~~", someID + "x", "-n1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, ok := parseToken(value)
		if !ok {
			if got != (token{}) {
				t.Errorf("%q is refused and gives %+v", value, got)
			}
			return
		}
		if id := string(got.id); len(id) != 26 || !strings.HasPrefix(value, id) || !isName(id, isAlphanumeric, 26) {
			t.Errorf("%q gives the id %q", value, id)
		}
		if len(value) > 26 && isAlphanumeric(value[26]) {
			t.Errorf("%q has a longer id than 26 characters", value)
		}
		if got.mac != "" && (!isName(got.mac, isAlphanumeric, len(got.mac)) || !strings.HasPrefix(value[26:], "~"+got.mac)) {
			t.Errorf("%q gives the MAC %q", value, got.mac)
		}
		if got.outdated {
			t.Errorf("%q is outdated before anybody looked at its MAC", value)
		}
		if got.node != "" && !isName(got.node, isNodeChar, maxNodeSize) || got.route != "" && !isName(got.route, isRouteChar, maxRouteSize) {
			t.Errorf("%q gives the hints %q and %q", value, got.node, got.route)
		}
		if again, ok := parseToken(got.value()); !ok || again != got {
			t.Errorf("%q gives %+v, written %q and read %+v", value, got, got.value(), again)
		}
	})
}
