package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand is the hidden command that shells ask for words.
const completeCommand = "complete-words"

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help has examples.
func (completionCmd) Help() string {
	return `Prints a script that completes commands and flags when you press the tab key.

Examples:
  source <(concord completion bash)            in ~/.bashrc
  source <(concord completion zsh)             in ~/.zshrc, after compinit
  concord completion fish | source             in ~/.config/fish/config.fish`
}

// completions are the scripts. Each asks the program itself, so that they never
// grow old. Where it knows nothing, shells offer files.
var completions = map[string]string{
	"bash": `_concord() {
	local IFS=$'\n'
	COMPREPLY=($(concord complete-words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _concord concord
`,
	"zsh": `_concord() {
	local -a found
	found=("${(@f)$(concord complete-words "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	if [[ -n "$found" ]]; then compadd -- $found; else _files; fi
}
compdef _concord concord
`,
	"fish": `function __concord_words
	set -l words (commandline -opc) (commandline -ct)
	concord complete-words $words[2..-1] 2>/dev/null
end
complete -c concord -a '(__concord_words)'
`,
}

// Run prints a script.
func (c *completionCmd) Run(s *session) error {
	_, err := fmt.Fprint(s.Out, completions[c.Shell])
	return err
}

// complete prints the words that may stand in the place of the last one.
func (s *session) complete(app *kong.Application, words []string) {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	node, flag := descend(app.Node, words[:len(words)-1])
	for _, w := range candidates(node, flag, last) {
		fmt.Fprintln(s.Out, w)
	}
}

// descend follows words to a command, and to a flag that waits for its value.
func descend(node *kong.Node, words []string) (*kong.Node, *kong.Flag) {
	for i, w := range words {
		if name, isFlag := strings.CutPrefix(w, "--"); isFlag {
			f := flagOf(node, name)
			if i == len(words)-1 && f != nil && !f.IsBool() {
				return node, f
			}
			continue
		}
		for _, child := range node.Children {
			if child.Name == w {
				node = child
			}
		}
	}
	return node, nil
}

func flagOf(node *kong.Node, name string) *kong.Flag {
	for _, f := range flags(node) {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// flags are those of a command, and of the one that stands in for it when none
// is named.
func flags(node *kong.Node) (all []*kong.Flag) {
	for n := node; n != nil; n = n.Parent {
		all = append(all, n.Flags...)
	}
	if node.DefaultCmd != nil {
		all = append(all, node.DefaultCmd.Flags...)
	}
	return all
}

func candidates(node *kong.Node, flag *kong.Flag, last string) (words []string) {
	switch {
	case flag != nil:
		words = slices.Collect(strings.SplitSeq(flag.Enum, ","))
	case strings.HasPrefix(last, "-"):
		for _, f := range flags(node) {
			if !f.Hidden {
				words = append(words, "--"+f.Name)
			}
		}
	default:
		for _, child := range node.Children {
			if !child.Hidden {
				words = append(words, child.Name)
			}
		}
		for _, p := range node.Positional {
			words = append(words, strings.Split(p.Enum, ",")...)
		}
	}
	words = slices.DeleteFunc(words, func(w string) bool { return w == "" || !strings.HasPrefix(w, last) })
	slices.Sort(words)
	return slices.Compact(words)
}
