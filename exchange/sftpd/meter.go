package sftpd

import (
	"errors"
	"net"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// meter ends a connection that sends much without saying anything. The SSH
// library keeps what a session has not read yet in the packets in which it came:
// 2 MiB of single bytes take 100 MiB of memory, in each channel. What a client
// sends on the wire is therefore weighed against what sessions make of it.
type meter struct {
	net.Conn
	read     atomic.Int64 // bytes that sessions have read
	sent     atomic.Int64 // bytes on the wire to the client, who acknowledges them
	channels atomic.Int64
	ended    atomic.Int64 // channels

	got   int64 // bytes on the wire; of the one goroutine that reads
	least int64 // of the excess so far
}

const (
	// Even a client that sends each request in a packet of its own needs less
	// than fivefold the bytes on the wire.
	wirePerByte = 8
	// A client asks for more room each 32 KiB of a download, in 60 bytes or so.
	sentPerByte = 64
	// channelExcess is the window of a channel, and half as much again.
	channelExcess = 3 << 20
	connExcess    = 1 << 20
)

var errEmptyTalk = errors.New("the client sends much and says nothing")

// Read implements net.Conn.
func (m *meter) Read(p []byte) (int, error) {
	n, err := m.Conn.Read(p)
	m.got += int64(n)
	excess := m.got - wirePerByte*m.read.Load() - m.sent.Load()/sentPerByte - channelExcess*m.ended.Load()
	m.least = min(m.least, excess)
	if excess-m.least > connExcess+channelExcess*m.channels.Load() {
		return 0, errEmptyTalk
	}
	return n, err
}

// Write implements net.Conn.
func (m *meter) Write(p []byte) (int, error) {
	n, err := m.Conn.Write(p)
	m.sent.Add(int64(n))
	return n, err
}

// begin counts a channel in. The function that it returns counts it out, and with
// it what was sent there and never read.
func (m *meter) begin() (end func()) {
	m.channels.Add(1)
	return func() {
		m.ended.Add(1)
		m.channels.Add(-1)
	}
}

// metered is a channel of which its connection's meter knows what is read.
type metered struct {
	ssh.Channel
	m *meter
}

// Read implements io.Reader.
func (c metered) Read(p []byte) (int, error) {
	n, err := c.Channel.Read(p)
	c.m.read.Add(int64(n))
	return n, err
}
