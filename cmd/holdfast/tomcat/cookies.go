package tomcat

import (
	"errors"
	"fmt"
	"strings"
)

func cookieAttributes() []Attribute {
	return []Attribute{
		{
			Element: "Context", Name: "path", Takes: "/shop",
			Remark: "for --context and storageKeyPrefix", carry: accepted,
		},
		{
			Element: "Context", Name: "cookies", Takes: "true", Refuses: "false",
			Remark: "ids are never in URLs", carry: cookies,
		},
		{
			Element: "Context", Name: "sessionTimeout", Takes: "60", Refuses: "1h",
			Remark: "minutes; there the web.xml wins over it, here --idle-timeout says it", carry: notedNumber("30", "Tomcat takes the session-timeout of a web.xml; give --idle-timeout"),
		},
		{
			Element: "Context", Name: "sessionCookieName", Flag: "cookie-name", Takes: "JSESSIONID", Refuses: "my cookie",
			Remark: "__Host-session if the file does not say", carry: same("cookie-name"),
		},
		{
			Element: "Context", Name: "sessionCookiePath", Flag: "cookie-path", Takes: "/shop", Refuses: "shop",
			Remark: "the whole site if the file does not say", carry: same("cookie-path"),
		},
		{
			Element: "Context", Name: "sessionCookieDomain", Flag: "cookie-domain", Takes: "example.com", Refuses: "exa mple",
			Remark: "", carry: same("cookie-domain"),
		},
		{
			Element: "Context", Name: "sessionCookiePathUsesTrailingSlash", Takes: "false", Refuses: "no",
			Remark: "write the path with its slash", carry: notedBoolean("false", "the path is sent as it is; write it with its slash"),
		},
		{
			Element: "Context", Name: "useHttpOnly", Flag: "cookie-allow-script", Takes: "false", Refuses: "no",
			Remark: "the opposite", carry: useHTTPOnly,
		},
		{
			Element: "Context", Name: "usePartitioned", Flag: "cookie-partitioned", Takes: "true", Refuses: "no",
			Remark: "", carry: boolean("cookie-partitioned"),
		},
		{
			Element: "CookieProcessor", Name: "sameSiteCookies", Flag: "cookie-same-site", Takes: "strict", Refuses: "loose",
			Remark: "unset becomes lax, as which most browsers treat it", carry: sameSite,
		},
		{
			Element: "CookieProcessor", Name: "partitioned", Flag: "cookie-partitioned", Takes: "true", Refuses: "no",
			Remark: "as usePartitioned", carry: boolean("cookie-partitioned"),
		},
		{
			Element: "CookieProcessor", Name: "className", Takes: "org.apache.tomcat.util.http.Rfc6265CookieProcessor",
			Remark: "cookies are as RFC 6265 has them", carry: accepted,
		},
		{
			Element: "Context", Name: "changeSessionIdOnAuthentication", Takes: "true", Refuses: "false",
			Remark: "a Login always gets a new id, against fixation", carry: changesID,
		},
		{
			Element: "Context", Name: "validateClientProvidedNewSessionId", Takes: "true", Refuses: "no",
			Remark: "an id that a client invents is never taken", carry: notedBoolean("true", "an id that a client invents is never taken"),
		},
	}
}

func cookies(_ *carrier, value string) error {
	on, err := wantBool(value)
	if err == nil && !on {
		return errors.New("false puts ids into URLs, where they leak; there is only the cookie: leave it out")
	}
	return err
}

func useHTTPOnly(c *carrier, value string) error {
	on, err := wantBool(value)
	if err == nil {
		c.set("cookie-allow-script", fmt.Sprint(!on))
	}
	return err
}

func sameSite(c *carrier, value string) error {
	if strings.EqualFold(value, "unset") {
		c.note("the cookie is SameSite=Lax, as which most browsers treat one that does not say")
		value = "lax"
	}
	c.set("cookie-same-site", value)
	return nil
}

func changesID(_ *carrier, value string) error {
	on, err := wantBool(value)
	if err == nil && !on {
		return errors.New("false lets an attacker choose the id before somebody logs in; a login gets a new id here: leave it out")
	}
	return err
}
