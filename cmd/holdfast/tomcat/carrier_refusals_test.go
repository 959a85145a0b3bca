package tomcat

import (
	"strings"
	"testing"
)

func show(t *testing.T, name, content, context string) (Config, error) {
	t.Helper()
	c, err := read("f.xml", content, context)
	for _, s := range c.Settings {
		t.Logf("%s: %s = %q", name, s.Flag, s.Value)
	}
	for _, n := range c.Notes {
		t.Logf("%s: note %s", name, n)
	}
	t.Logf("%s: err %v", name, err)
	return c, err
}

const msmName = `className="de.javakaffee.web.msm.MemcachedBackupSessionManager"`

func TestPasswordsAreNotPrinted(t *testing.T) {
	_, err := show(t, "pw", `<Context><Manager `+msmName+` memcachedNodes="n1:h:1" memcachedProtocol="binary" username="u" password="s3cr${x}et"/></Context>`, "")
	if err == nil || strings.Contains(err.Error(), "s3cr") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func TestSessionTimeout(t *testing.T) {
	c, err := show(t, "st", `<Context sessionTimeout="60"><Manager `+msmName+` memcachedNodes="n1:h:1" sticky="false"/></Context>`, "")
	_, _ = c, err
	if err == nil && !strings.Contains(strings.Join(c.Notes, "\n"), "sessionTimeout") {
		t.Error("sessionTimeout is dropped without a word")
	}
}

func TestNamespacesAreNoAttributes(t *testing.T) {
	_, err := show(t, "xmlns", `<Context xmlns="u" xmlns:x="v" x:schemaLocation="w"><Manager xmlns:m="u" `+msmName+` memcachedNodes="n1:h:1"/></Context>`, "")
	if err != nil {
		t.Error(err)
	}
}

func TestContextWithItsHost(t *testing.T) {
	for _, context := range []string{"/shop", "shop.example.org/shop", "shop.example.org/shop/"} {
		c, err := show(t, context, `<Context><Manager `+msmName+` memcachedNodes="n1:h:1" storageKeyPrefix="context"/></Context>`, context)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range c.Settings {
			if s.Flag == "namespace" && s.Value != "/shop" {
				t.Errorf("--context %s: namespace %q, want /shop as on servers that read the path in the file", context, s.Value)
			}
		}
		if strings.Contains(strings.Join(c.Notes, ""), "--cookie-path=shop.") {
			t.Errorf("--context %s: proposes --cookie-path=%s", context, context)
		}
	}
}
