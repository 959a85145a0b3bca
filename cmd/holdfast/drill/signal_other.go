//go:build !unix

package drill

import (
	"errors"
	"os"
	"os/exec"
)

func apart(*exec.Cmd) {}

func stop(*os.Process, bool) error {
	return errors.New("processes cannot be frozen on this system: leave --memcached out")
}
