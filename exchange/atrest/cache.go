package atrest

import (
	"container/list"
	"sync"
)

// chunkSize is what age encrypts and authenticates as one piece.
const chunkSize = 64 << 10

// mostChunks bounds the content that is kept decrypted, over all files of one
// Keys: 4 MiB, enough for the columns that a few goroutines read of a Parquet
// file at once.
const mostChunks = 64

// cache keeps chunks that were read last: whoever reads a little at a time, at
// several places of a file, has each chunk decrypted once.
type cache struct {
	mu     sync.Mutex
	chunks map[place]*list.Element
	turns  *list.List // of *chunk, the last used first
}

// place is where a chunk is.
type place struct {
	body  *body
	index int64
}

type chunk struct {
	place
	data []byte // at most chunkSize
}

func newCache() *cache { return &cache{chunks: map[place]*list.Element{}, turns: list.New()} }

// read copies what one chunk of a body has from an offset on, which is less than
// the size of the content.
func (c *cache) read(b *body, p []byte, off, size int64) (int, error) {
	at, from := place{b, off / chunkSize}, int(off%chunkSize)
	if n := c.copy(at, p, from); n > 0 {
		return n, nil
	}
	start := at.index * chunkSize
	data := make([]byte, min(chunkSize, size-start))
	if err := b.readAt(data, start); err != nil {
		return 0, err
	}
	n := copy(p, data[from:])
	c.keep(&chunk{at, data})
	return n, nil
}

// copy copies from a chunk that is there.
func (c *cache) copy(at place, p []byte, from int) int {
	c.mu.Lock()
	e := c.chunks[at]
	if e == nil {
		c.mu.Unlock()
		return 0
	}
	c.turns.MoveToFront(e)
	data := e.Value.(*chunk).data
	c.mu.Unlock()
	return copy(p, data[from:]) // nobody changes it
}

func (c *cache) keep(x *chunk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.chunks[x.place] != nil { // another goroutine was faster
		return
	}
	c.chunks[x.place] = c.turns.PushFront(x)
	if c.turns.Len() > mostChunks {
		c.drop(c.turns.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	delete(c.chunks, e.Value.(*chunk).place)
	c.turns.Remove(e)
}

// forget drops all of a file that is closed.
func (c *cache) forget(b *body) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for e := c.turns.Front(); e != nil; {
		next := e.Next()
		if e.Value.(*chunk).body == b {
			c.drop(e)
		}
		e = next
	}
}
