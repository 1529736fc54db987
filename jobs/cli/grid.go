package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// grid is a small table for people: its columns are as wide as their widest
// cell, numbers to the right.
type grid struct {
	right []bool // by column; the rest are to the left
	rows  [][]string
}

func (g *grid) add(cells ...string) { g.rows = append(g.rows, cells) }

// write writes the rows with the indent before each.
func (g *grid) write(w io.Writer, indent string) {
	var width []int
	for _, row := range g.rows {
		for i, cell := range row {
			if i == len(width) {
				width = append(width, 0)
			}
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range g.rows {
		var b strings.Builder
		b.WriteString(indent)
		for i, cell := range row {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			if i < len(g.right) && g.right[i] {
				cell = pad + cell
			} else {
				cell += pad
			}
			b.WriteString(cell + "   ")
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}
