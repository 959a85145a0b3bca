package tomcat

import (
	"errors"
)

// baseAttributes are those of all of Tomcat's managers.
func baseAttributes() []Attribute {
	const ids = "ids are 130 random bits of the operating system"
	return []Attribute{
		{
			Element: "Manager", Name: "sessionAttributeNameFilter", Of: everyManager, Flag: "attribute-filter", Takes: "user|cart.*", Refuses: "(?<!x)a",
			Remark: "as sessionAttributeFilter", carry: attributeFilter,
		},
		{
			Element: "Manager", Name: "sessionAttributeValueClassNameFilter", Of: everyManager, Takes: `java\.lang\..*`, Refuses: "(",
			Remark: "what is stored names no classes, so none can be smuggled in", carry: valueClassFilter,
		},
		{
			Element: "Manager", Name: "warnOnSessionAttributeFilterFailure", Of: everyManager, Takes: "true", Refuses: "debug",
			Remark: "an attribute outside the filter is not logged", carry: notedBoolean("false", "attributes that stay in memory are not logged"),
		},
		{
			Element: "Manager", Name: "notifyBindingListenerOnUnchangedValue", Of: everyManager, Takes: "false", Refuses: "never",
			Remark: "there are no listeners of attributes", carry: notedBoolean("false", "there are no listeners of attributes"),
		},
		{
			Element: "Manager", Name: "notifyAttributeListenerOnUnchangedValue", Of: everyManager, Takes: "true", Refuses: "never",
			Remark: "there are no listeners of attributes", carry: notedBoolean("true", "there are no listeners of attributes"),
		},
		{
			Element: "Manager", Name: "persistAuthentication", Of: everyManager, Takes: "true", Refuses: "form",
			Remark: "who logged in is always stored, the password never", carry: notedBoolean("true", "who logged in is always stored"),
		},
		{
			Element: "Manager", Name: "sessionIdLength", Of: everyManager, Takes: "16", Refuses: "1",
			Remark: ids, carry: idLength,
		},
		{
			Element: "SessionIdGenerator", Name: "sessionIdLength", Takes: "32", Refuses: "long",
			Remark: ids, carry: idLength,
		},
		{
			Element: "Manager", Name: "secureRandomClass", Of: everyManager, Takes: "java.security.SecureRandom",
			Remark: ids, carry: noted(ids),
		},
		{
			Element: "Manager", Name: "secureRandomAlgorithm", Of: everyManager, Takes: "SHA1PRNG",
			Remark: ids, carry: noted(ids),
		},
		{
			Element: "Manager", Name: "secureRandomProvider", Of: everyManager, Takes: "SUN",
			Remark: ids, carry: noted(ids),
		},
		{
			Element: "Manager", Name: "distributable", Of: everyManager, Takes: "true", Refuses: "maybe",
			Remark: "of Tomcat 7 and before; sessions always are", carry: notedBoolean("true", "every attribute is stored"),
		},
	}
}

func valueClassFilter(c *carrier, value string) error {
	if _, err := CompilePattern(value); err != nil {
		return err
	}
	c.note("has no effect: what is stored names no classes")
	return nil
}

func idLength(c *carrier, value string) error {
	n, err := wantNumber(value)
	switch {
	case err != nil:
		return err
	case n < 2:
		return errors.New("want 2 or more, as Tomcat does")
	case n != 16:
		c.note("has no effect: ids have 130 random bits")
	}
	return nil
}
