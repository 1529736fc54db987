// Package landing is where carriers' files arrive: a home for each carrier, the
// uploads into it, and the way of a file from the inbox through the spool to its
// receipt. It never looks inside a file; a Taker decides of it.
package landing
