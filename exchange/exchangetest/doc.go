// Package exchangetest is the room in which places that hold files are tried: the
// contract that every exchange.Remote keeps, a remote in memory, faults at a
// chosen operation, a network with delay and cuts, and SSH servers to connect to.
// Only tests import it.
package exchangetest
