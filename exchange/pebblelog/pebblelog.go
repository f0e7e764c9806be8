// Package pebblelog passes on what Pebble says of trouble and leaves out its housekeeping.
package pebblelog

import (
	"fmt"
	"log/slog"
	"strings"
)

// Log is a pebble.Logger.
type Log struct {
	Of  string // what is kept, such as "audit index"
	Log *slog.Logger
}

// Infof is housekeeping.
func (Log) Infof(string, ...any) {}

// Errorf is trouble.
func (l Log) Errorf(format string, args ...any) { l.Log.Error(l.Of, "says", said(format, args)) }

// Fatalf must not return: Pebble calls it when going on would damage the directory.
func (l Log) Fatalf(format string, args ...any) {
	l.Log.Error(l.Of+" stops", "says", said(format, args))
	panic(l.Of + ": " + said(format, args))
}

func said(format string, args []any) string { return strings.TrimSpace(fmt.Sprintf(format, args...)) }
