package landing

import "testing"

func TestWhereABrokenOffUploadEnds(t *testing.T) {
	cycle := func(times int, tail int64, lengths ...int64) (all []int64) {
		for range times {
			all = append(all, lengths...)
		}
		if tail > 0 {
			all = append(all, tail)
		}
		return all
	}
	cases := []struct {
		client string
		writes []int64
		want   bool
	}{
		{"OpenSSH stops after three blocks", cycle(3, 0, 261_120), true},
		{"OpenSSH stops after one block", cycle(1, 0, 32<<10), true},
		{"OpenSSH at the end of a file", cycle(3, 64, 261_120), false},
		{"PuTTY stops after one block", cycle(1, 0, 4096), true},
		{"curl stops after one buffer", cycle(1, 0, 30_000, 30_000, 5536), true},
		{"curl stops after four buffers", cycle(4, 0, 30_000, 30_000, 5536), true},
		{"curl stops after one packet", cycle(1, 0, 30_000), true},
		{"curl at the end of a file", cycle(4, 20_000, 30_000, 30_000, 5536), false},
		{"curl at the end, with a whole packet", append(cycle(4, 0, 30_000, 30_000, 5536), 30_000, 64), false},
		{"curl with a slow line stops after three buffers", cycle(3, 0, 30_000, 20_000), true},
		{"a file of one short write", []int64{1280}, false},
		{"a file of one long write", []int64{10_001}, false},
		{"a program that writes lines", []int64{71, 64, 64, 70, 64}, false},
	}
	for _, c := range cases {
		var s strides
		grown := int64(0)
		for _, n := range c.writes {
			s.add(grown, n)
			grown += n
		}
		if got := s.endWithBlock(grown); got != c.want {
			t.Errorf("%s: %t", c.client, got)
		}
		s = strides{} // the order in which they arrive is another one
		at := grown
		for i := len(c.writes) - 1; i >= 0; i-- {
			at -= c.writes[i]
			s.add(at, c.writes[i])
		}
		if got := s.endWithBlock(grown); got != c.want {
			t.Errorf("%s, from the end: %t", c.client, got)
		}
	}
}
