package tomcat

import (
	"errors"
	"fmt"
)

// idleAttributes are about how long and how many sessions there are.
func idleAttributes() []Attribute {
	return []Attribute{
		{
			Element: "Manager", Name: "maxInactiveInterval", Of: everyManager, Flag: "idle-timeout", Takes: "1800", Refuses: "30m",
			Remark: "seconds; zero or less is never", carry: maxInactiveInterval,
		},
		{
			Element: "Manager", Name: "maxActiveSessions", Of: everyManager, Flag: "max-sessions", Takes: "10000", Refuses: "many",
			Remark: "sticky only; less than zero is no bound", carry: maxActiveSessions,
		},
		{
			Element: "Manager", Name: "maxIdleSwap", Of: Persistent, Flag: "max-idle-swap", Takes: "600", Refuses: "10m",
			Remark: "seconds; less than zero is never", carry: maxIdleSwap,
		},
		{
			Element: "Manager", Name: "minIdleSwap", Of: Persistent, Takes: "60", Refuses: "1m",
			Remark: "--max-local-bytes bounds memory and drops what was not used for longest", carry: notedNumber("-1", "memory is bounded by --max-local-bytes, which drops what was not used for longest"),
		},
		{
			Element: "Manager", Name: "maxIdleBackup", Of: Persistent, Takes: "30", Refuses: "soon",
			Remark: "every change is stored with its request", carry: notedNumber("-1", "every change goes to the nodes with its request, none waits so long"),
		},
		{
			Element: "Manager", Name: "saveOnRestart", Of: Persistent, Takes: "true", Refuses: "always",
			Remark: "sessions outlive the server in any case", carry: notedBoolean("true", "sessions outlive a stop of this server"),
		},
		{
			Element: "Manager", Name: "pathname", Of: Standard | Persistent, Takes: "SESSIONS.ser",
			Remark: "sessions lie on the cache nodes, not in a file", carry: noted("sessions lie on the cache nodes, not in a file"),
		},
		{
			Element: "Store", Name: "className", Takes: "org.apache.catalina.session.FileStore",
			Remark: "sessions lie on the cache nodes", carry: noted("sessions lie on the cache nodes, not in this store"),
		},
		{
			Element: "Manager", Name: "processExpiresFrequency", Of: everyManager, Takes: "6", Refuses: "often",
			Remark: "sessions end on their second, without a sweep", carry: notedNumber("6", "sessions end on their second, there is no sweep"),
		},
	}
}

func maxInactiveInterval(c *carrier, value string) error {
	n, err := wantNumber(value)
	if err == nil {
		c.set("idle-timeout", fmt.Sprintf("%ds", max(n, 0)))
	}
	return err
}

func maxActiveSessions(c *carrier, value string) error {
	n, err := wantNumber(value)
	switch {
	case err != nil || n < 0:
		return err
	case n == 0:
		return errors.New("0 refuses every session; want a number from 1 on, or -1 for no bound")
	case !c.sticky():
		c.note("has no effect without sticky: no server holds sessions that it could count")
	default:
		c.set("max-sessions", value)
	}
	return nil
}

func maxIdleSwap(c *carrier, value string) error {
	n, err := wantNumber(value)
	switch {
	case err != nil || n < 0:
	case n == 0:
		return errors.New("0 would drop a session from memory at once; want seconds above zero, or -1 for never")
	default:
		c.set("max-idle-swap", value+"s")
	}
	return err
}
