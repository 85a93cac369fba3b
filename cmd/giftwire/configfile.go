package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v4"
)

// configMax bounds the config file: a few dozen keys and some lists.
const configMax = 1 << 20

// fileSettings are the settings of a --config file, by flag name.
type fileSettings map[string]any

// configFile reads the file that --config or GIFTWIRE_CONFIG names; nil when none is.
func configFile(args []string) (fileSettings, error) {
	name := os.Getenv("GIFTWIRE_CONFIG")
	for i, arg := range args {
		if arg == "--" {
			break
		}
		if value, ok := strings.CutPrefix(arg, "--config="); ok {
			name = value
		} else if arg == "--config" && i+1 < len(args) {
			name = args[i+1]
		}
	}
	if name == "" {
		return nil, nil
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("%w: --config: %w", errSettings, err)
	}
	defer func() { _ = f.Close() }() // only read
	data, err := io.ReadAll(io.LimitReader(f, configMax+1))
	if err != nil {
		return nil, fmt.Errorf("%w: --config: %w", errSettings, err)
	}
	if len(data) > configMax {
		return nil, fmt.Errorf("%w: --config %s: larger than %d bytes", errSettings, name, configMax)
	}
	out := fileSettings{}
	if err := yaml.Unmarshal(data, &out); err != nil {
		return nil, fmt.Errorf("%w: --config %s: %w", errSettings, name, err)
	}
	return out, nil
}

// Validate implements kong.Resolver. What is wrong is named with all other faults: see
// unknown.
func (f fileSettings) Validate(*kong.Application) error { return nil }

// unknown names the keys that are no flag of any command.
func (f fileSettings) unknown(app *kong.Application) []error {
	known := map[string]bool{}
	collectFlags(app.Node, known)
	var faults []error
	for key := range f {
		if !known[key] {
			faults = append(faults, fmt.Errorf("%w: --config: no flag is named %q", errSettings, key))
		}
	}
	slices.SortFunc(faults, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return faults
}

func collectFlags(n *kong.Node, into map[string]bool) {
	for _, flag := range n.Flags {
		into[flag.Name] = true
	}
	for _, child := range n.Children {
		collectFlags(child, into)
	}
}

// Resolve implements kong.Resolver. The environment beats the file; kong asks only for
// flags that the command line does not have.
func (f fileSettings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	switch value := f[flag.Name].(type) {
	case nil:
		return nil, nil
	case []any:
		out := make([]any, len(value))
		for i, v := range value {
			out[i] = fmt.Sprint(v)
		}
		return out, nil
	case map[string]any:
		return nil, fmt.Errorf("%w: --config: %s is a mapping, a value or a list is needed", errSettings, flag.Name)
	default:
		return fmt.Sprint(value), nil
	}
}
