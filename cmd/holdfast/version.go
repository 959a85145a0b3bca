package main

import (
	"cmp"
	"runtime/debug"
	"strings"
)

// versionCommand prints what this program was built from.
type versionCommand struct{}

// Run prints one line.
func (versionCommand) Run(p *process) error {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = new(debug.BuildInfo)
	}
	var line strings.Builder
	line.WriteString("holdfast " + cmp.Or(info.Main.Version, "(devel)"))
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			line.WriteString(" " + s.Value[:min(12, len(s.Value))])
		}
	}
	p.say("%s %s", line.String(), info.GoVersion)
	return nil
}
