//go:build linux || darwin || freebsd

package journal

import "golang.org/x/sys/unix"

// freeSpace is what an ordinary user may still write to the folder's disk, in bytes.
func freeSpace(dir string) (uint64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, err
	}
	return uint64(s.Bavail) * uint64(s.Bsize), nil //nolint:gosec,unconvert // the types differ between systems
}
