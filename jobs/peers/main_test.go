//go:build peers

package peers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"concord/jobs"
)

// needed are the programs of the suite, by the Debian package that has them.
var needed = []struct{ program, pkg string }{
	{"ssh", "openssh-client"}, {"lftp", "lftp"}, {"sshfs", "sshfs"}, {"fusermount3", "fuse3"}, {"psftp", "putty-tools"},
	{"pscp", "putty-tools"}, {"puttygen", "putty-tools"}, {"curl", "curl"}, {"/usr/bin/python3", "python3-paramiko"},
	{"rclone", "rclone"}, {"ssh-audit", "ssh-audit"},
}

// TestMain lets the test program be a worker, and ends when a program is not
// there: nothing is skipped.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "worker" {
		if err := jobs.Work(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if !ready() {
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func ready() bool {
	all := true
	for _, n := range needed {
		if _, err := exec.LookPath(n.program); err != nil {
			fmt.Fprintf(os.Stderr, "%s is missing: run make peers, or install the package %s\n", n.program, n.pkg)
			all = false
		}
	}
	if err := exec.Command("/usr/bin/python3", "-c", "import paramiko").Run(); err != nil {
		fmt.Fprintln(os.Stderr, "paramiko is missing: run make peers, or install the package python3-paramiko")
		all = false
	}
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		fmt.Fprintf(os.Stderr, "sshfs cannot mount anything here: %v; give the container /dev/fuse and CAP_SYS_ADMIN\n", err)
		return false
	}
	_ = f.Close()
	return all
}
