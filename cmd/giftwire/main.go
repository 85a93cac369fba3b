// Command giftwire runs the hub, its simulator and its tools:
//
//	giftwire dev       everything in one process on loopback, with a demo page
//	giftwire serve     a production node
//	giftwire zegosim   the simulated ZEGO alone
//	giftwire load      a load generator that checks what it hears
//	giftwire token     print a viewer token
//	giftwire audit     recompute from the journal alone that every gift ends once
//	giftwire trace     print one gift's timeline from the journal alone
//
// Every flag has an environment variable, GIFTWIRE_ and its name in capitals with
// underscores; a flag beats the environment, which beats the --config file (YAML, one
// key a flag). A secret can also be read from a file: --NAME-file. Wrong or missing
// settings are all named at once, with exit status 2; a failure while running is 1.
// Logs go to standard error.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code) //nolint:forbidigo // this is main
}
