package hub

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/giftwire/giftwire/hub/spec/spectest"
)

// answered collects over all tests which operations were answered with which status.
var answered = spectest.NewCoverage()

// TestMain fails if a goroutine is left, or if the OpenAPI document lists an answer
// that no test has met.
func TestMain(m *testing.M) {
	if beAPeer() {
		return
	}
	goleak.VerifyTestMain(complete{m})
}

// complete runs the tests and then looks at what was answered.
type complete struct{ *testing.M }

// exempt answers need a fault of the hub itself.
func exempt(answer string) bool {
	return strings.HasSuffix(answer, " 500")
}

func (c complete) Run() int {
	code := c.M.Run()
	if code != 0 || selected() {
		return code
	}
	docs, err := spectest.Load()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for _, answer := range docs.Operations() {
		if !exempt(answer) && !answered.Seen(answer) {
			fmt.Fprintf(os.Stderr, "openapi.json lists %q, which no test has met\n", answer)
			code = 1
		}
	}
	return code
}

// selected: not all tests were asked for.
func selected() bool {
	for _, name := range []string{"test.run", "test.skip", "test.list", "test.fuzz"} {
		if f := flag.Lookup(name); f != nil && f.Value.String() != "" {
			return true
		}
	}
	return false
}
