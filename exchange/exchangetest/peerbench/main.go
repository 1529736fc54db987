// Command peerbench times OpenSSH's client against Concord's SFTP server and
// against OpenSSH's own, by turns on the same files, and prints the medians as
// a table. It needs the packages openssh-client, openssh-server and
// openssh-sftp-server.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	dir    string
	rounds int
	large  int64 // bytes of the one file
	small  int   // number of small files
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) == 4 && os.Args[1] == "serve" {
		exit(serve(ctx, os.Args[2], os.Args[3]))
		return
	}
	var o options
	flag.StringVar(&o.dir, "dir", "", "where the files are [a temporary folder]")
	flag.IntVar(&o.rounds, "rounds", 5, "turns")
	flag.Int64Var(&o.large, "large", 1<<30, "bytes of the large file")
	flag.IntVar(&o.small, "small", 2000, "how many small files")
	flag.Parse()
	exit(run(ctx, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peerbench:", err)
		os.Exit(1)
	}
}

// work is one thing to time: a batch of commands for the client.
type work struct {
	name  string
	flags []string
	batch func(remote string) string
}

func works() []work {
	put := func(r string) string { return "put large " + r + "/large" }
	get := func(r string) string { return "get " + r + "/large back/large" }
	puts := func(r string) string { return "put small/* " + r + "/" }
	gets := func(r string) string { return "get " + r + "/*.csv back/" }
	return []work{
		{"large file, put", nil, put},
		{"large file, get", nil, get},
		{"small files, put, each flushed (sftp -f)", []string{"-f"}, puts},
		{"small files, put", nil, puts},
		{"small files, get", nil, gets},
	}
}

func run(ctx context.Context, o options) (err error) {
	if o.dir == "" {
		if o.dir, err = os.MkdirTemp("", "concord-peerbench-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	}
	if err := prepare(o); err != nil {
		return err
	}
	servers, stop, err := start(ctx, o.dir)
	defer stop()
	if err != nil {
		return err
	}
	times := map[string][][]time.Duration{} // by work, then server
	for round := range o.rounds {
		for _, w := range works() {
			if times[w.name] == nil {
				times[w.name] = make([][]time.Duration, len(servers))
			}
			for i := range servers {
				at := (i + round) % len(servers)
				d, err := servers[at].time(ctx, o.dir, w)
				if err != nil {
					return fmt.Errorf("%s, %s: %w", servers[at].name, w.name, err)
				}
				times[w.name][at] = append(times[w.name][at], d)
			}
		}
	}
	return report(o, servers, times)
}

// time runs one batch and returns how long the client took.
func (s *server) time(ctx context.Context, dir string, w work) (time.Duration, error) {
	if strings.Contains(w.name, "put") {
		if err := s.fresh(); err != nil {
			return 0, err
		}
	}
	cmd := exec.CommandContext(ctx, "sftp", append(append([]string{"-q", "-b", "-"}, w.flags...), s.flags...)...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(w.batch(s.remote+"/"+s.folder()) + "\n")
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, out)
	}
	return time.Since(begin), nil
}

func report(o options, servers []*server, times map[string][][]time.Duration) error {
	client, err := exec.Command("ssh", "-V").CombinedOutput()
	if err != nil {
		return err
	}
	fmt.Printf("%s; %d processors, %s; one file of %d MiB, %d files of %d bytes; medians of %d\n\n",
		strings.TrimSpace(string(client)), runtime.NumCPU(), runtime.Version(), o.large>>20, o.small, smallSize, o.rounds)
	fmt.Print("| seconds |")
	for _, s := range servers {
		fmt.Printf(" %s |", s.name)
	}
	fmt.Print(" times as fast |\n|---|")
	fmt.Println(strings.Repeat("---:|", len(servers)+1))
	for _, w := range works() {
		fmt.Printf("| %s |", w.name)
		for i := range servers {
			fmt.Printf(" %.2f |", median(times[w.name][i]).Seconds())
		}
		fmt.Printf(" %.2f |\n", median(times[w.name][0]).Seconds()/median(times[w.name][1]).Seconds())
	}
	return nil
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

const smallSize = 4000

// prepare makes the files to send.
func prepare(o options) error {
	for _, d := range []string{"small", "back", "openssh", "concord"} {
		if err := os.MkdirAll(filepath.Join(o.dir, d), 0o755); err != nil {
			return err
		}
	}
	if err := random(filepath.Join(o.dir, "large"), o.large); err != nil {
		return err
	}
	for i := range o.small {
		if err := random(filepath.Join(o.dir, "small", fmt.Sprintf("%04d.csv", i)), smallSize); err != nil {
			return err
		}
	}
	return nil
}
