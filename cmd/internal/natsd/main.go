// Command natsd is one NATS server of the version that giftwire is built with:
//
//	go build -o natsd ./cmd/internal/natsd && ./natsd -c server.conf
//
// It takes the flags and files of nats-server, so that trials of a cluster need nothing
// installed, can kill, stop and cut off single servers, and run the settings that
// operators run (see package natscluster).
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/nats-io/nats-server/v2/server"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "natsd:", err) // nowhere left to tell
		os.Exit(1)                                    //nolint:forbidigo // this is main
	}
}

// run serves until a signal ends it: SIGINT or SIGTERM at once, SIGUSR2 after its
// clients have gone elsewhere (lame duck).
func run(args []string) error {
	flags := flag.NewFlagSet("natsd", flag.ContinueOnError)
	opts, err := server.ConfigureOptions(flags, args, server.PrintServerAndExit, flags.Usage, server.PrintTLSHelpAndDie)
	if err != nil {
		return err
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return err
	}
	s.ConfigureLogger()
	if err := server.Run(s); err != nil {
		return err
	}
	s.WaitForShutdown()
	return nil
}
