package cli_test

import (
	"net"
	"os"
	"strings"
	"sync"

	"github.com/pkg/sftp"
	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/crypto/ssh"

	"concord/exchange/exchangetest"
)

// startHost starts a carrier's own SFTP host that shows a folder to the user
// concord, and writes its address and key in place of @HOST@ and @HOSTKEY@ into
// files: sftphost DIR PUBLICKEY FILE….
func startHost(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(ts.ReadFile(args[1])))
	ts.Check(err)
	s := &exchangetest.SSHServer{User: "concord", Key: key, SFTP: func(ch ssh.Channel) {
		if srv, err := sftp.NewServer(ch, sftp.WithServerWorkingDirectory(dir)); err == nil {
			srv.Serve()
		}
	}}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { s.Serve(conn) })
		}
	})
	ts.Defer(func() {
		l.Close()
		wg.Wait()
		s.Wait()
	})
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(exchangetest.NewKey(1).PublicKey())))
	for _, name := range args[2:] {
		text := strings.NewReplacer("@HOST@", l.Addr().String(), "@HOSTKEY@", line).Replace(ts.ReadFile(name))
		ts.Check(os.WriteFile(ts.MkAbs(name), []byte(text), 0o600))
	}
}
