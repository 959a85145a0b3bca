package main

import (
	"strings"
	"testing"
)

// Names of msm in the TOML file are read by the server's sticky, wherever that stands.
func TestStickyFromElsewhere(t *testing.T) {
	toml := configFile(t, "sessionBackupAsync = true\nsessionAttributeFilter = 'user'")
	xml := contextFile(t, `sticky="true"`)
	for name, row := range map[string]struct{ args, env []string }{
		"flag":     {[]string{"--sticky"}, nil},
		"env true": {nil, []string{"HOLDFAST_STICKY=true"}},
		"env 1":    {nil, []string{"HOLDFAST_STICKY=1"}},
		"env yes":  {nil, []string{"HOLDFAST_STICKY=yes"}},
		"env True": {nil, []string{"HOLDFAST_STICKY=True"}},
		"xml":      {[]string{"--context-xml", xml}, nil},
	} {
		c, err := parse(t, append([]string{"app", "--config", toml, "--nodes=n1:127.0.0.1:1,n2:127.0.0.1:2"}, row.args...), row.env)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		o := c.App.options(nil)
		if !o.Sticky || !o.BackupAsync || o.AttributeFilter == nil {
			t.Errorf("%s: sticky %t, async %t, filter %v; %s", name, o.Sticky, o.BackupAsync, o.AttributeFilter, strings.Join(c.App.carried.notes, "; "))
		}
	}
}

// A flag that is off wins over the environment.
func TestStickyOff(t *testing.T) {
	toml := configFile(t, "lockingMode = 'all'")
	c, err := parse(t, []string{"app", "--config", toml, "--sticky=false"}, []string{"HOLDFAST_STICKY=true"})
	if err != nil {
		t.Fatal(err)
	}
	o := c.App.options(nil)
	if o.Sticky || o.Locking.Mode.String() != "all" {
		t.Errorf("sticky %t, locking %v; %s", o.Sticky, o.Locking.Mode, strings.Join(c.App.carried.notes, "; "))
	}
}
