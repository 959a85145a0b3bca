package tomcat

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

func nodeAttributes() []Attribute {
	return []Attribute{
		{
			Element: "Manager", Name: "className", Of: everyManager, Takes: classes[0].name, Refuses: "org.apache.catalina.ha.session.DeltaManager",
			Remark: "msm's manager, and Tomcat's StandardManager and PersistentManager, which are read as sticky", carry: accepted,
		},
		{
			Element: "Manager", Name: "memcachedNodes", Of: MSM, Flag: "nodes", Takes: "n1:127.0.0.1:11211, n2:127.0.0.1:11212", Refuses: "redis://127.0.0.1",
			Remark: "commas, blanks or both; IPv6 and unix sockets too; host names are resolved for each connection", carry: memcachedNodes,
		},
		{
			Element: "Manager", Name: "failoverNodes", Of: MSM, Flag: "failover-nodes", Takes: "n1", Refuses: "n9",
			Remark: "an unknown name, or all, stops the start", carry: unlessBlank("failover-nodes"),
		},
		{
			Element: "Manager", Name: "username", Of: MSM, Flag: "node-user", Takes: "shop", Refuses: "a b", With: `memcachedProtocol="binary" password="x"`,
			Remark: "as there only with memcachedProtocol binary and a password; for memcached -Y, not SASL", carry: credential("node-user"),
		},
		{
			Element: "Manager", Name: "password", Of: MSM, Flag: "node-password", Takes: "secret", Refuses: "a&#10;b", With: `memcachedProtocol="binary" username="x"`,
			Remark: "as username; never printed", carry: credential("node-password"),
		},
		{
			Element: "Manager", Name: "memcachedProtocol", Of: MSM, Takes: "binary", Refuses: "udp",
			Remark: "always the text protocol, with meta commands where the server has them", carry: memcachedProtocol,
		},
		{
			Element: "Manager", Name: "storageKeyPrefix", Of: MSM, Flag: "namespace", Takes: "static:shop", Refuses: "hostname",
			Remark: "static:…, context, context.hash, host, host.hash and webappVersion, as far as the file says them; hashed into the key, so any text will do", carry: storageKeyPrefix,
		},
		{
			Element: "Manager", Name: "operationTimeout", Of: MSM, Flag: "operation-timeout", Takes: "1000", Refuses: "1s",
			Remark: "milliseconds, for all the session work of a request and not for each step; the longer one if sessionBackupTimeout is set too; also --lock-wait if lockingMode is set", carry: timeout,
		},
		{
			Element: "Manager", Name: "sessionBackupTimeout", Of: MSM, Flag: "operation-timeout", Takes: "1500", Refuses: "0",
			Remark: "see operationTimeout", carry: timeout,
		},
		{
			Element: "Engine", Name: "jvmRoute", Flag: "route", Takes: "app1", Refuses: "app.1",
			Remark: "without a dot", carry: same("route"),
		},
		{
			Element: "SessionIdGenerator", Name: "jvmRoute", Flag: "route", Takes: "app1", Refuses: "app.1",
			Remark: "wins over that of the Engine, as there", carry: same("route"),
		},
	}
}

func memcachedNodes(c *carrier, value string) error {
	for _, scheme := range []string{"redis://", "rediss://", "http://", "https://"} {
		if strings.HasPrefix(value, scheme) {
			return fmt.Errorf("%s is no memcached: write name:host:port of memcached servers, such as n1:10.0.0.1:11211", value[:len(scheme)]+"…")
		}
	}
	if strings.TrimSpace(value) == "" {
		return errors.New("write name:host:port of memcached servers, such as n1:10.0.0.1:11211")
	}
	c.set("nodes", value)
	return nil
}

// credential is honoured as msm honours it: with both, and the binary protocol.
func credential(flag string) func(*carrier, string) error {
	return func(c *carrier, value string) error {
		switch {
		case c.value("memcachedProtocol", "text") != "binary":
			c.note(`has no effect, as in msm without memcachedProtocol="binary"; for memcached -Y give --node-user and --node-password`)
		case strings.TrimSpace(c.value("username", "")) == "" || strings.TrimSpace(c.value("password", "")) == "":
			c.note("has no effect without the other of username and password")
		default:
			c.set(flag, value)
		}
		return nil
	}
}

func memcachedProtocol(c *carrier, value string) error {
	switch value {
	case "text":
	case "binary":
		c.note("has no effect: the text protocol is spoken; memcached servers that ask for a password need an authentication file (-Y) instead of SASL (-S)")
	default:
		return fmt.Errorf("want text or binary, not %q", value)
	}
	return nil
}

// storageKeyPrefix joins the values of its tokens, as far as the file says them.
func storageKeyPrefix(c *carrier, value string) error {
	var parts []string
	for token := range strings.SplitSeq(value, ",") {
		part, err := c.prefixPart(token)
		if err != nil {
			return err
		}
		if part != "" {
			parts = append(parts, part)
		}
	}
	if len(parts) > 0 {
		c.set("namespace", strings.Join(parts, ":"))
	}
	return nil
}

func (c *carrier) prefixPart(token string) (string, error) {
	if text, ok := strings.CutPrefix(token, "static:"); ok {
		return text, nil
	}
	name, hashed := strings.CutSuffix(token, ".hash")
	switch {
	case token == "webappVersion":
		return c.version(), nil
	case name != "host" && name != "context":
		return "", fmt.Errorf("want static:TEXT, context, context.hash, host, host.hash or webappVersion, separated by commas only, not %q", token)
	}
	text, known := c.host, c.host != ""
	if name == "context" {
		text, known = c.path, c.pathKnown
	}
	if !known {
		return "", fmt.Errorf("the file does not say the %s; write static:TEXT instead, the same on all servers", name)
	}
	if hashed && text != "" {
		sum := sha256.Sum256([]byte(text))
		text = hex.EncodeToString(sum[:])[:8]
	}
	return text, nil
}

// version is what stands behind ## in a path.
func (c *carrier) version() string {
	_, version, _ := strings.Cut(c.path, "##")
	return version
}

// timeout makes one budget of the two that msm has.
func timeout(c *carrier, value string) error {
	n, err := wantNumber(value)
	if err != nil {
		return err
	}
	if n <= 0 {
		return errors.New("want milliseconds above zero")
	}
	if c.at.name == "operationTimeout" && c.locks() {
		c.set("lock-wait", value+"ms")
	}
	if n >= max(c.number("operationTimeout", usualBudget), c.number("sessionBackupTimeout", "0")) {
		c.set("operation-timeout", value+"ms")
	} else {
		c.note("has no effect: one budget bounds all the session work of a request, and the longer of operationTimeout (500 if it is not set) and sessionBackupTimeout is taken")
	}
	return nil
}

// number is 0 for what is not a number, which is said elsewhere.
func (c *carrier) number(name, otherwise string) int {
	n, _ := wantNumber(c.value(name, otherwise))
	return n
}

// usualBudget is Holdfast's default in milliseconds. It is less than msm's, but for
// all steps together.
const usualBudget = "500"

// locks reports whether the file asks for locks that there will be.
func (c *carrier) locks() bool {
	mode := c.value("lockingMode", "none")
	return !strings.EqualFold(mode, "none") && !c.sticky()
}
