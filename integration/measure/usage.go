package measure

import (
	"runtime"
	"syscall"
	"time"
)

// A Usage is what a process has used since its start.
type Usage struct {
	CPU         time.Duration
	Allocations uint64
	Heap        uint64 // bytes in use; garbage only where none was asked to be collected
}

// UsageNow is this process's.
func UsageNow() (Usage, error) {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return Usage{}, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return Usage{
		CPU:         time.Duration(used.Utime.Nano() + used.Stime.Nano()),
		Allocations: m.Mallocs, Heap: m.HeapAlloc,
	}, nil
}
