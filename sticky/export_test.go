package sticky

import "time"

// StandStill has s find out that it has stood still for d.
func (s *Sessions) StandStill(d time.Duration) { s.pulse.felt.Store(time.Now().Add(-d).UnixNano()) }
