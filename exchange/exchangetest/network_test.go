package exchangetest

import (
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhatIsWrittenTogetherArrivesTogetherAfterTheDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := NewNetwork(time.Second).Pipe()
		start := time.Now()
		for range 1000 {
			client.Write(make([]byte, 1000))
		}
		if time.Since(start) > 0 {
			t.Errorf("writing took %v", time.Since(start))
		}
		if _, err := io.ReadFull(server, make([]byte, 1_000_000)); err != nil || time.Since(start) != time.Second {
			t.Errorf("arrived after %v, %v", time.Since(start), err)
		}
		server.Write([]byte("x"))
		client.Read(make([]byte, 1))
		if time.Since(start) != 2*time.Second {
			t.Errorf("the answer arrived after %v", time.Since(start))
		}
	})
}

func TestACutLetsThroughWhatCameBefore(t *testing.T) {
	for _, at := range []int64{0, 1, 999, 1000, 1500} {
		n := NewNetwork(0)
		n.CutAfter(at, -1)
		client, server := n.Pipe()
		_, err := client.Write(make([]byte, 1000))
		if err == nil {
			_, err = client.Write(make([]byte, 1000))
		}
		if !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("cut at %d: written, %v", at, err)
		}
		if got, err := io.ReadAll(server); int64(len(got)) != at || !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("cut at %d: %d bytes arrived, %v", at, len(got), err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("cut at %d: answered, %v", at, err)
		}
	}
}

func TestAClosedConnectionEndsAfterItsLastByte(t *testing.T) {
	client, server := NewNetwork(0).Pipe()
	client.Write([]byte("last"))
	client.Close()
	if got, err := io.ReadAll(server); err != nil || string(got) != "last" {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("read after close: %v", err)
	}
	if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("write to a closed end: %v", err)
	}
}

func TestAFrozenConnectionIsSilentUntilItIsCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := NewNetwork(0)
		client, server := n.Pipe()
		n.Freeze()
		if _, err := client.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		start := time.Now()
		server.SetDeadline(start.Add(time.Hour))
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(start) != time.Hour {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		server.SetDeadline(time.Time{})
		time.AfterFunc(time.Minute, n.Cut)
		io.Copy(io.Discard, server)
		if time.Since(start) != time.Hour+time.Minute {
			t.Errorf("ended after %v", time.Since(start))
		}
	})
}

func TestAFullNetworkHoldsItsWriterBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := NewNetwork(0).Pipe()
		client.SetWriteDeadline(time.Now().Add(time.Hour))
		n, err := client.Write(make([]byte, maxHeld+1))
		if n != maxHeld || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("wrote %d, %v", n, err)
		}
		client.SetWriteDeadline(time.Time{})
		time.AfterFunc(time.Minute, func() { server.Read(make([]byte, 10)) })
		if n, err := client.Write(make([]byte, 10)); n != 10 || err != nil {
			t.Errorf("wrote %d, %v", n, err)
		}
	})
}
