//go:build !linux

// Command chaos needs Linux: it mounts small disks and traces processes.
package main

import (
	"fmt"
	"os"
)

func main() {
	_, _ = fmt.Fprintln(os.Stderr, "chaos: needs Linux") // nowhere left to tell
	os.Exit(1)                                           //nolint:forbidigo // this is main
}
