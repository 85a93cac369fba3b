//go:build !linux || !(amd64 || arm64)

package socket

// attempt is for systems and processors on which writing without waiting was not tried: everything is
// written by who can wait.
type attempt struct{}

func (*attempt) prepare(raw) {}

func (*attempt) write([]byte) int { return 0 }
