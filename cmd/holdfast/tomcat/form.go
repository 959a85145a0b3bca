package tomcat

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// formAttributes are about how msm stores sessions and counts.
func formAttributes() []Attribute {
	return []Attribute{
		{
			Element: "Manager", Name: "transcoderFactoryClass", Of: MSM, Takes: "de.javakaffee.web.msm.serializer.kryo.KryoTranscoderFactory", Refuses: "kryo serializer",
			Remark: "sessions are stored in Holdfast's form; Java servers and this one cannot read each other's", carry: transcoder,
		},
		{
			Element: "Manager", Name: "customConverter", Of: MSM, Takes: "com.example.Money", Refuses: "com.example.Money;", With: `transcoderFactoryClass="de.javakaffee.web.msm.serializer.kryo.KryoTranscoderFactory"`,
			Remark: "the types of attributes are the program's: see holdfast.Key and holdfast.Codec", carry: customConverter,
		},
		{
			Element: "Manager", Name: "copyCollectionsForSerialization", Of: MSM, Takes: "false", Refuses: "1",
			Remark: "attributes are copies already", carry: copyCollections,
		},
		{
			Element: "Manager", Name: "backupThreadCount", Of: MSM, Takes: "8", Refuses: "0",
			Remark: "there is no pool: changes share connections", carry: backupThreadCount,
		},
		{
			Element: "Manager", Name: "enableStatistics", Of: MSM, Takes: "false", Refuses: "off",
			Remark: "always on, see GET /stats", carry: notedBoolean("true", "the counters are always on"),
		},
	}
}

var (
	className  = regexp.MustCompile(`^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$`)
	classNames = regexp.MustCompile(`^[\w.$]+(, *[\w.$]+)*$`)
	// copying matches the transcoders that have settings of their own.
	copying = regexp.MustCompile(`(?i)kryo|javolution`)
)

func (c *carrier) transcoderCopies() bool {
	return copying.MatchString(c.value("transcoderFactoryClass", ""))
}

func transcoder(c *carrier, value string) error {
	if !className.MatchString(value) {
		return fmt.Errorf("want the name of a class, not %q", value)
	}
	c.note("has no effect: sessions are stored in Holdfast's form, and those that Java servers stored cannot be read")
	return nil
}

func customConverter(c *carrier, value string) error {
	switch {
	case strings.TrimSpace(value) == "":
	case !classNames.MatchString(value):
		return fmt.Errorf("want names of classes, separated by commas, not %q", value)
	case !c.transcoderCopies():
		return errors.New("msm refuses it unless the transcoder is Kryo or Javolution; leave it out")
	default:
		c.note("has no effect: the program says how its attributes are stored")
	}
	return nil
}

func copyCollections(c *carrier, value string) error {
	on, err := wantBool(value)
	switch {
	case err != nil || !on:
		return err
	case !c.transcoderCopies():
		return errors.New("msm refuses true unless the transcoder is Kryo or Javolution; leave it out")
	}
	c.note("has no effect: attributes are copies already")
	return nil
}

func backupThreadCount(c *carrier, value string) error {
	n, err := wantNumber(value)
	switch {
	case err != nil:
		return err
	case n <= 0 && !strings.EqualFold(c.value("sessionBackupAsync", "true"), "false"):
		return errors.New("want a number from 1 on")
	}
	c.note("has no effect: there is no pool, changes share connections")
	return nil
}
