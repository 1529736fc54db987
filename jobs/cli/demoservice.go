package cli

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"concord/exchange/sftpd"
	"concord/jobs"
	"concord/jobs/api"
	"concord/jobs/config"
)

// demoService is concord serve as a process of its own.
type demoService struct {
	cmd  *exec.Cmd
	log  *os.File
	ops  *api.Client
	port string
	web  string // where the console is, of one that stays
}

// configure makes the carriers' keys and the configuration.
func (d *demo) configure() error {
	if err := os.Mkdir(d.path("keys"), 0o700); err != nil {
		return fmt.Errorf("make the demonstration's keys: %w", err)
	}
	var b strings.Builder
	b.WriteString("# The configuration of the demonstration; concord config example prints one with every setting.\ndata: data\nzone: UTC\n")
	b.WriteString("sftp: {listen: \"127.0.0.1:0\"}\nhttp: {listen: ")
	if d.keep {
		b.WriteString("\"127.0.0.1:0\"}\n")
		if err := d.people(&b); err != nil {
			return err
		}
	} else {
		b.WriteString("none}\n")
	}
	b.WriteString("jobs:\n")
	b.WriteString("  monthly: {kind: reconcile, schedule: \"0 9 4 * *\", period: previous_month, late_delay: 1s}\n")
	fmt.Fprintf(&b, "  %s: {kind: numbers, schedule: \"0 * * * *\"}\n", demoNumbers)
	for _, kind := range []string{demoCalls, demoUsage} {
		fmt.Fprintf(&b, "  %s: {kind: %s, schedule: \"0 10 4 * *\", period: previous_month, late_files: wait}\n", kind, kind)
	}
	b.WriteString("carriers:\n")
	for _, c := range d.carriers {
		line, err := d.newKey(c.Name)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "  %s: {profile: %q, keys: [%q]}\n", c.Name, c.Profile, line)
	}
	if err := os.WriteFile(d.path("concord.yaml"), []byte(b.String()), 0o600); err != nil {
		return fmt.Errorf("write the demonstration's configuration: %w", err)
	}
	return nil
}

// people adds somebody of each role, who may all have the same password.
func (d *demo) people(b *strings.Builder) error {
	d.password = strings.ToLower(rand.Text())
	hash, err := sftpd.HashPassword([]byte(d.password))
	if err != nil {
		return err
	}
	b.WriteString("users:\n")
	for _, role := range []config.Role{config.Finance, config.Ops, config.Admin} {
		fmt.Fprintf(b, "  %[1]s: {role: %[1]s, password_hash: %[2]q}\n", role, hash)
	}
	return nil
}

// newKey makes a carrier's key as concord carrier keygen does.
func (d *demo) newKey(carrier string) (line string, err error) {
	var out strings.Builder
	quiet := &session{ctx: d.ctx, Streams: Streams{In: d.In, Out: &out, Err: io.Discard}}
	c := carrierKeygenCmd{Carrier: carrierName(carrier), Out: given(d.path("keys", carrier))}
	if err := c.Run(quiet); err != nil {
		return "", err
	}
	return strings.TrimSpace(out.String()), nil
}

// serve starts the service and waits until it listens.
func (d *demo) serve() (err error) {
	d.chapter("The service starts: concord serve")
	w, err := jobs.Self()
	if err != nil {
		return err
	}
	s := &demoService{}
	if s.log, err = os.Create(d.path("concord.log")); err != nil {
		return fmt.Errorf("make the service's log: %w", err)
	}
	// Not bound to the context: it is told to stop like any service, and
	// finishes what is under way.
	s.cmd = exec.Command(w.Program, "serve", "-c", d.path("concord.yaml"))
	s.cmd.Args[0], s.cmd.Stderr = "concord", s.log
	s.cmd.SysProcAttr = ownGroup()
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("start concord serve: %w", err), s.log.Close())
	}
	d.service = s
	if err := d.greeted(bufio.NewReader(out)); err != nil {
		return errors.Join(err, d.stop())
	}
	return nil
}

// greeted reads what the service says of itself.
func (d *demo) greeted(out *bufio.Reader) (err error) {
	s := d.service
	first, err := out.ReadString('\n')
	address, _, ok := strings.Cut(strings.TrimPrefix(first, "SFTP on "), " ")
	i := strings.LastIndexByte(address, ':')
	if err != nil || !ok || i < 0 {
		return fmt.Errorf("concord serve did not start; its log:\n%s", d.logTail())
	}
	s.port = address[i+1:]
	for s.web == "" && d.keep {
		line, err := out.ReadString('\n')
		if err != nil {
			return fmt.Errorf("concord serve did not say where the console is; its log:\n%s", d.logTail())
		}
		if rest, ok := strings.CutPrefix(line, "HTTP on "); ok {
			s.web, _, _ = strings.Cut(rest, " ")
		}
	}
	d.say("SFTP on 127.0.0.1:%s. Its log, a line of JSON each, is %s.", s.port, s.log.Name())
	if s.ops, err = api.DialLocal(d.ctx, d.path("data")); err != nil {
		return err
	}
	return d.trustHost()
}

func (d *demo) logTail() string {
	b, err := os.ReadFile(d.path("concord.log"))
	if err != nil {
		return err.Error()
	}
	const most = 2000
	return string(b[max(0, len(b)-most):])
}

// patience is how long the service may take to stop.
const patience = 15 * time.Second

// stop ends the service as an operator would.
func (d *demo) stop() error {
	s := d.service
	if s == nil {
		return nil
	}
	d.service = nil
	began := time.Now()
	_ = s.cmd.Process.Signal(syscall.SIGTERM) // it has ended already otherwise
	kill := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() })
	err := s.cmd.Wait()
	kill.Stop()
	if err = errors.Join(err, s.log.Close()); err != nil {
		return fmt.Errorf("stop concord serve: %w; its log:\n%s", err, d.logTail())
	}
	d.chapter("The service stops")
	d.say("On SIGTERM it let go of everything in %s.", time.Since(began).Round(10*time.Millisecond))
	return nil
}
