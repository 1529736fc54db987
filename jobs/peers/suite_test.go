//go:build peers

package peers

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// rcloneSuite is the module whose tests are run against our server; the
// Makefile builds them into bin.
const rcloneSuite = "github.com/rclone/rclone@v1.76.0"

// TestRclonesOwnSuite has rclone's tests of its SFTP backend run against the
// server, with writes at several places at once.
func TestRclonesOwnSuite(t *testing.T) {
	p := openInbox(t)
	a := p.account(t, "northwind", p.Addr)
	program, err := filepath.Abs("../../bin/rclone-sftp.test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("make peers builds it: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	suite := exec.CommandContext(ctx, program, "-test.v", "-test.run", "^TestIntegration$", "-remote", "TestSFTP:inbox")
	suite.Dir = filepath.Join(sourceOf(t, rcloneSuite), "backend", "sftp")
	suite.Env = append(a.env, "RCLONE_CONFIG="+a.suiteConfig(t))
	out, err := suite.CombinedOutput()
	passed, failed := count(out, "PASS"), count(out, "FAIL")
	if t.Logf("%d passed, %d failed", passed, failed); err != nil || failed > 0 || passed < 90 {
		t.Errorf("%v\n%s", err, out)
	}
}

func count(out []byte, verdict string) int {
	return len(regexp.MustCompile(`(?m)^ *--- `+verdict+`: `).FindAll(out, -1))
}

func (a account) suiteConfig(t *testing.T) string {
	t.Helper()
	conf, err := os.ReadFile(filepath.Join(a.dir, "rclone.conf"))
	if err != nil {
		t.Fatal(err)
	}
	a.write(t, "suite.conf", strings.Replace(string(conf), "[concord]", "[TestSFTP]", 1)+"multithread_upload = true\n")
	return filepath.Join(a.dir, "suite.conf")
}

// sourceOf returns where the go command keeps the source of a module.
func sourceOf(t *testing.T, module string) string {
	t.Helper()
	out, err := exec.Command("go", "mod", "download", "-json", module).Output()
	var found struct{ Dir, Error string }
	if jerr := json.Unmarshal(out, &found); err != nil || jerr != nil || found.Dir == "" {
		t.Fatal(fmt.Errorf("find the source of %s: %w %w %s", module, err, jerr, found.Error))
	}
	return found.Dir
}
