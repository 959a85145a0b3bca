package holdfast_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holdfast-sessions/holdfast"
)

func TestStickySettingsThatContradictAreRefused(t *testing.T) {
	rows := []struct {
		options holdfast.Options
		want    string // "": accepted
	}{
		{holdfast.Options{BackupAsync: true}, "BackupAsync without Sticky"},
		{holdfast.Options{MaxUnsent: 1}, "MaxUnsent without Sticky"},
		{holdfast.Options{MaxIdleSwap: time.Second}, "MaxIdleSwap without Sticky"},
		{holdfast.Options{MaxLocalBytes: 1}, "MaxLocalBytes without Sticky"},
		{holdfast.Options{MaxLocalBytes: -1}, "MaxLocalBytes without Sticky"},
		{holdfast.Options{MaxSessions: 1}, "MaxSessions without Sticky"},
		{holdfast.Options{AttributeFilter: regexp.MustCompile("a")}, "AttributeFilter without Sticky"},
		{holdfast.Options{Sticky: true, MaxUnsent: 1}, "MaxUnsent without BackupAsync"},
		{holdfast.Options{Sticky: true, BackupAsync: true, MaxUnsent: -1}, "MaxUnsent is negative"},
		{holdfast.Options{Sticky: true, MaxSessions: -1}, "MaxSessions is negative"},
		{holdfast.Options{MaxIdleSwap: holdfast.Never}, ""},
		{holdfast.Options{Sticky: true, MaxLocalBytes: -1, MaxIdleSwap: holdfast.Never}, ""},
		{holdfast.Options{Sticky: true, BackupAsync: true, MaxUnsent: 1, MaxSessions: 1, MaxIdleSwap: time.Second}, ""},
	}
	for _, row := range rows {
		m, err := holdfast.New(nil, &row.options)
		if err == nil {
			if err := m.Shutdown(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if (err == nil) != (row.want == "") || err != nil && !strings.Contains(err.Error(), row.want) {
			t.Errorf("%+v: got error %v, want %q", row.options, err, row.want)
		}
	}
}
