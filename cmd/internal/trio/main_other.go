//go:build !unix

// Command trio needs processes that can be asked to end.
package main

import (
	"fmt"
	"os"
)

func main() {
	_, _ = fmt.Fprintln(os.Stderr, "trio: needs a Unix") // nowhere left to tell
	os.Exit(1)                                           //nolint:forbidigo // this is main
}
