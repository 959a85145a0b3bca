package tomcat

import (
	"errors"
	"fmt"
	"strings"
)

func modeAttributes() []Attribute {
	return []Attribute{
		{
			Element: "Manager", Name: "sticky", Of: MSM, Flag: "sticky", Takes: "false", Refuses: "no",
			Remark: "true if the file does not say, as there; Holdfast's own default is false", carry: boolean("sticky"),
		},
		{
			Element: "Manager", Name: "sessionBackupAsync", Of: MSM, Flag: "backup-async", Takes: "true", Refuses: "yes",
			Remark: "false if the file does not say, unlike there; without sticky every change is stored before the answer", carry: sessionBackupAsync,
		},
		{
			Element: "Manager", Name: "lockingMode", Of: MSM, Flag: "locking", Takes: "uriPattern:GET /cart.*", Refuses: "app", With: `sticky="false"`,
			Remark: "without sticky only, as there", carry: lockingMode,
		},
		{
			Element: "Manager", Name: "lockExpiration", Of: MSM, Flag: "lock-lease", Takes: "5", Refuses: "5s", With: `sticky="false"`,
			Remark: "seconds; renewed while the request runs", carry: lockExpiration,
		},
		{
			Element: "Manager", Name: "requestUriIgnorePattern", Of: MSM, Flag: "ignore-request", Takes: `.*\.(png|css)(\?.*)?`, Refuses: `.*(?!\.do)`,
			Remark: "Java's pattern for the whole of METHOD URI?query; such a request never loads, stores or makes a session", carry: unlessBlank("ignore-request"),
		},
		{
			Element: "Manager", Name: "sessionAttributeFilter", Of: MSM, Flag: "attribute-filter", Takes: "user|cart.*", Refuses: "a++",
			Remark: "sticky only: without it all other attributes would vanish after each request", carry: attributeFilter,
		},
		{
			Element: "Manager", Name: "enabled", Of: MSM, Takes: "true", Refuses: "false",
			Remark: "leave the middleware out where there shall be no sessions", carry: enabled,
		},
	}
}

func sessionBackupAsync(c *carrier, value string) error {
	on, err := wantBool(value)
	switch {
	case err != nil:
		return err
	case c.sticky():
		c.set("backup-async", fmt.Sprint(on))
	case on:
		c.note("has no effect without sticky: every change is stored before the answer, since the next request may go to another server")
	}
	return nil
}

func lockingMode(c *carrier, value string) error {
	lower := strings.ToLower(value)
	switch {
	case lower == "app" || lower == "uri_pattern":
		return fmt.Errorf("%s never worked in msm; want none, all, auto or uriPattern:PATTERN, or give --locking=app", value)
	case lower != "none" && lower != "all" && lower != "auto" && !strings.HasPrefix(value, "uriPattern:"):
		return fmt.Errorf("want none, all, auto or uriPattern:PATTERN, not %q", value)
	case c.sticky() && lower != "none":
		c.note("has no effect with sticky, as in msm; --locking locks there too")
	default:
		c.set("locking", value)
	}
	return nil
}

func lockExpiration(c *carrier, value string) error {
	n, err := wantNumber(value)
	switch {
	case err != nil:
		return err
	case n <= 0:
		return errors.New("want seconds above zero")
	case c.sticky():
		c.note("has no effect with sticky, as in msm")
	default:
		c.set("lock-lease", value+"s")
	}
	return nil
}

func attributeFilter(c *carrier, value string) error {
	other := map[string]string{"sessionAttributeFilter": "sessionAttributeNameFilter", "sessionAttributeNameFilter": "sessionAttributeFilter"}[c.at.name]
	switch {
	case strings.TrimSpace(value) == "":
	case strings.TrimSpace(c.value(other, "")) != "":
		return fmt.Errorf("there is %s too; leave one of them out", other)
	case !c.sticky():
		return errors.New("without sticky all attributes that do not match would vanish after each request; leave it out or set sticky")
	default:
		c.set("attribute-filter", value)
	}
	return nil
}

func enabled(_ *carrier, value string) error {
	on, err := wantBool(value)
	if err == nil && !on {
		return errors.New("false would leave every session in one server's memory; leave the session manager out of the program instead, or run it without nodes")
	}
	return err
}
