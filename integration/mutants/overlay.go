package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// errNotApplied: the product has changed where the patch does.
var errNotApplied = errors.New("the patch does not apply any more: make it anew")

// overlay patches copies of the files that m changes, below dir, and returns the file
// that tells the go command about them.
func overlay(ctx context.Context, root, dir string, m mutant) (string, error) {
	replace := map[string]string{}
	for _, name := range m.files {
		from, to := filepath.Join(root, name), filepath.Join(dir, name)
		if err := copyFile(from, to); err != nil {
			return "", fmt.Errorf("%w: %w", errNotApplied, err)
		}
		replace[from] = to
	}
	if err := apply(ctx, dir, m.patch); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "overlay.json")
	return path, os.WriteFile(path, text, 0o600)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o600)
}

// apply patches what lies in dir. git must not take that for a part of some repository
// around it: outside of what it tracks it would skip the patch, and say nothing.
func apply(ctx context.Context, dir, patch string) error {
	git := exec.CommandContext(ctx, "git", "apply", patch)
	git.Dir = dir
	git.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
	if said, err := git.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", errNotApplied, strings.TrimSpace(string(said)))
	}
	return nil
}
