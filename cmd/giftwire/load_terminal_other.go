//go:build !linux && !darwin && !freebsd

package main

import "os"

// terminalWidth takes nothing for a terminal.
func terminalWidth(*os.File) (columns int, ok bool) { return 0, false }
