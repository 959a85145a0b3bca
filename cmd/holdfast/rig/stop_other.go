//go:build !unix

package rig

import (
	"errors"
	"os"
)

func stop(*os.Process, bool) error {
	return errors.New("processes cannot be frozen on this system: leave --memcached out")
}
