package tomcat

import (
	"fmt"
	"strconv"
	"strings"
)

// The functions of this file carry the kinds of attributes that there are several
// of. Their errors say what to write.

func accepted(*carrier, string) error { return nil }

// same is for a flag that takes the attribute's own value.
func same(flag string) func(*carrier, string) error {
	return func(c *carrier, value string) error {
		c.set(flag, value)
		return nil
	}
}

// unlessBlank is same for an attribute that may be blank for none.
func unlessBlank(flag string) func(*carrier, string) error {
	return func(c *carrier, value string) error {
		if strings.TrimSpace(value) != "" {
			c.set(flag, value)
		}
		return nil
	}
}

func boolean(flag string) func(*carrier, string) error {
	return func(c *carrier, value string) error {
		on, err := wantBool(value)
		if err == nil {
			c.set(flag, fmt.Sprint(on))
		}
		return err
	}
}

// wantBool is stricter than Tomcat, to which all but "true" is false.
func wantBool(value string) (bool, error) {
	switch strings.ToLower(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("want true or false, not %q", value)
}

func wantNumber(value string) (int, error) {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("want a whole number, not %q", value)
	}
	return int(n), nil
}

// noted is for an attribute that has no meaning here.
func noted(why string) func(*carrier, string) error {
	return func(c *carrier, _ string) error {
		c.note("has no effect: %s", why)
		return nil
	}
}

// notedBoolean is noted for true or false, unless it is as things are here.
func notedBoolean(here, why string) func(*carrier, string) error {
	return func(c *carrier, value string) error {
		on, err := wantBool(value)
		if err == nil && fmt.Sprint(on) != here {
			c.note("has no effect: %s", why)
		}
		return err
	}
}

// notedNumber is noted for a number, unless it is the default.
func notedNumber(usual, why string) func(*carrier, string) error {
	return func(c *carrier, value string) error {
		_, err := wantNumber(value)
		if err == nil && value != usual {
			c.note("has no effect: %s", why)
		}
		return err
	}
}
