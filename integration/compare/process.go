package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/holdfast-sessions/holdfast/integration/measure"
)

// startApp starts an app server and returns its address.
func startApp(ctx context.Context, c contestant, nodes []string) (*measure.Process, string, error) {
	p, err := measure.StartSelf(ctx, append([]string{appRole, c.name}, nodes...)...)
	if err != nil {
		return nil, "", err
	}
	line, err := p.Out.ReadString('\n')
	if err != nil {
		p.Kill()
		return nil, "", fmt.Errorf("the app server of %q does not start: %w", c.name, err)
	}
	return p, strings.TrimSpace(line), nil
}
