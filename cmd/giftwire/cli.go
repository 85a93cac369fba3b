package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/giftwire/giftwire/cmd/internal/load"
)

// Exit statuses.
const (
	exitOK       = 0
	exitFailed   = 1
	exitSettings = 2
)

// streams are where a command writes.
type streams struct {
	out, err io.Writer
	faults   []error // of the settings, found before the command was known
}

// cli is the command line. Values are text here and are checked together afterwards,
// so that all faults can be named at once.
type cli struct {
	Config  string           `help:"YAML file of settings, one key a flag." placeholder:"FILE"`
	Version kong.VersionFlag `help:"Print the version and end."`

	Dev     devCmd     `cmd:"" help:"Everything in one process on loopback: hub, embedded NATS, simulated ZEGO, demo page, room demo."`
	Serve   serveCmd   `cmd:"" help:"A production node."`
	Zegosim zegosimCmd `cmd:"" help:"The simulated ZEGO alone."`
	Load    loadCmd    `cmd:"" help:"Load generator: viewers and gifters, and a report checked against the hub's ledger: exit 0 holds, 1 a mismatch, 2 could not run."`
	Token   tokenCmd   `cmd:"" help:"Print a viewer token."`
	Audit   auditCmd   `cmd:"" help:"Recompute from the journal alone that every accepted gift ends once: exit 0 holds, 1 broken, 2 could not read."`
	Trace   traceCmd   `cmd:"" help:"Print one gift's timeline from the journal alone: exit 1 not found, 2 could not read."`

	LoadWorker loadWorkerCmd `cmd:"" hidden:""`
}

// command is what a sub-command does: its settings are checked first, all faults at
// once, and nothing is started when there is one.
type command interface {
	run(ctx context.Context, s streams) error
}

// errSettings is wrapped by faults in what the operator set.
var errSettings = errors.New("settings")

// run is the whole program but for the process: it returns the exit status.
func run(ctx context.Context, args []string, s streams) int {
	file, err := configFile(args)
	if err != nil {
		return fail(s, err)
	}
	var c cli
	exited, status := false, exitOK
	parser, err := kong.New(&c,
		kong.Name("giftwire"),
		kong.Description("A live-room hub: viewers' gifts, durable, merged, to ZEGO's mini-game API."),
		kong.PostBuild(func(k *kong.Kong) error { nameEnvironment(k.Model.Node); return nil }),
		kong.ValueFormatter(helpText),
		kong.Writers(s.out, s.err),
		kong.Exit(func(code int) { exited, status = true, code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Resolvers(file),
		kong.Vars{"version": version()},
		kong.WithHyphenPrefixedParameters(true), // a negative number is a value, to be named among the faults
	)
	if err != nil {
		return fail(s, fmt.Errorf("command line: %w", err))
	}
	parsed, err := parser.Parse(args)
	if exited { // --help
		return status
	}
	if err != nil {
		return fail(s, fmt.Errorf("%w: %w", errSettings, err))
	}
	s.faults = file.unknown(parser.Model)
	rankSecrets(parsed)
	cmd, ok := parsed.Selected().Target.Addr().Interface().(command)
	if !ok {
		return fail(s, fmt.Errorf("command %q does nothing", parsed.Command()))
	}
	return fail(s, cmd.run(ctx, s))
}

// nameEnvironment gives every flag its environment variable: GIFTWIRE_ and its name in
// capitals with underscores. (Kong's own naming takes digits for words.)
func nameEnvironment(n *kong.Node) {
	for _, flag := range n.Flags {
		if flag.Name != "help" && flag.Name != "version" {
			env := "GIFTWIRE_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
			flag.Envs, flag.Tag.Envs = []string{env}, []string{env}
		}
	}
	for _, child := range n.Children {
		nameEnvironment(child)
	}
}

// version is what the binary was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "giftwire, of unknown origin"
	}
	text := "giftwire " + info.Main.Version + " " + info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			text += " " + s.Value
		}
	}
	return text
}

// rankSecrets decides between a secret and its file where both are set, as between any
// two values of one flag: the command line beats the environment, which beats the file
// of settings. Both from the same place are a fault that the command names.
func rankSecrets(parsed *kong.Context) {
	flags := make(map[string]*kong.Flag)
	for _, f := range parsed.Flags() {
		flags[f.Name] = f
	}
	for name, text := range flags {
		file := flags[name+"-file"]
		if file == nil || text.Target.Kind() != reflect.String || text.Target.String() == "" || file.Target.String() == "" {
			continue
		}
		switch t, f := rankOf(parsed, text), rankOf(parsed, file); {
		case t > f:
			file.Target.SetString("")
		case t < f:
			text.Target.SetString("")
		}
	}
}

// rankOf says where a flag's value is from: 2 the command line, 1 the environment, 0 the
// file of settings.
func rankOf(parsed *kong.Context, f *kong.Flag) int {
	for _, at := range parsed.Path {
		if at.Flag == f && !at.Resolved {
			return 2
		}
	}
	for _, env := range f.Envs {
		if _, set := os.LookupEnv(env); set {
			return 1
		}
	}
	return 0
}

// helpText is a flag's help with its default and its environment variable.
func helpText(v *kong.Value) string {
	text := v.Help
	if v.HasDefault && v.Default != "" {
		text += " Default " + v.Default + "."
	}
	for _, env := range v.Tag.Envs {
		text += " ($" + env + ")"
	}
	return text
}

// fail prints an error, a line each where there are several, and returns the status.
func fail(s streams, err error) int {
	if err == nil {
		return exitOK
	}
	for _, one := range flatten(err) {
		_, _ = fmt.Fprintf(s.err, "giftwire: %s\n", strings.TrimPrefix(one.Error(), errSettings.Error()+": ")) // nowhere left to tell
	}
	if errors.Is(err, errSettings) || errors.Is(err, errUnread) || errors.Is(err, load.ErrNotRun) {
		return exitSettings
	}
	return exitFailed
}

// flatten takes errors apart that were joined, into one a line. An error that wraps
// several in one sentence stays whole.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var lines []string
	for _, one := range joined.Unwrap() {
		lines = append(lines, one.Error())
	}
	if err.Error() != strings.Join(lines, "\n") {
		return []error{err}
	}
	var out []error
	for _, one := range joined.Unwrap() {
		out = append(out, flatten(one)...)
	}
	return out
}
