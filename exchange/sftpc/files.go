package sftpc

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/pkg/sftp"

	"concord/exchange"
)

var (
	_ exchange.Remote      = (*Client)(nil)
	_ exchange.FolderMaker = (*Client)(nil)
)

// Extensions of OpenSSH that are used where the host has them.
const (
	posixRename = "posix-rename@openssh.com"
	fsync       = "fsync@openssh.com"
)

func (c *Client) offers(extension string) bool {
	_, ok := c.sftp.HasExtension(extension)
	return ok
}

// List implements exchange.Remote. Names that could not be used are left out.
func (c *Client) List(ctx context.Context, dir string) ([]exchange.Entry, error) {
	found, err := call(ctx, c, func() ([]fs.FileInfo, error) { return c.sftp.ReadDir(path(dir)) }, nil)
	if err != nil {
		return nil, wrap("list", path(dir), err)
	}
	entries := make([]exchange.Entry, 0, len(found))
	for _, info := range found {
		if name := info.Name(); name != "." && name != "/" && !strings.Contains(name, "\x00") {
			entries = append(entries, entry(info))
		}
	}
	slices.SortFunc(entries, func(a, b exchange.Entry) int { return strings.Compare(a.Name, b.Name) })
	return entries, nil
}

// path is a name as SFTP has it: the empty one is not the folder there.
func path(name string) string { return cmp.Or(name, ".") }

func entry(info fs.FileInfo) exchange.Entry {
	return exchange.Entry{Name: info.Name(), Size: info.Size(), Time: info.ModTime(), Type: info.Mode().Type()}
}

// Stat implements exchange.Remote.
func (c *Client) Stat(ctx context.Context, name string) (exchange.Entry, error) {
	info, err := call(ctx, c, func() (fs.FileInfo, error) { return c.sftp.Lstat(path(name)) }, nil)
	if err != nil {
		return exchange.Entry{}, wrap("look at", path(name), err)
	}
	return entry(info), nil
}

// Rename implements exchange.Remote. A host without posix-rename may refuse to
// put a file in the place of another; then that one is removed first, and for the
// moment between the two there is none.
func (c *Client) Rename(ctx context.Context, from, to string) error {
	_, err := call(ctx, c, func() (struct{}, error) { return struct{}{}, c.rename(path(from), path(to)) }, nil)
	return wrap("rename", from, err)
}

func (c *Client) rename(from, to string) error {
	if c.offers(posixRename) {
		return c.sftp.PosixRename(from, to)
	}
	err := c.sftp.Rename(from, to)
	if err == nil || !c.regular(from) || !c.regular(to) {
		return err
	}
	if removed := c.sftp.Remove(to); removed != nil {
		return errors.Join(err, removed)
	}
	return c.sftp.Rename(from, to)
}

func (c *Client) regular(name string) bool {
	info, err := c.sftp.Lstat(name)
	return err == nil && info.Mode().IsRegular()
}

// MkdirAll implements exchange.FolderMaker.
func (c *Client) MkdirAll(ctx context.Context, dir string) error {
	_, err := call(ctx, c, func() (struct{}, error) { return struct{}{}, c.sftp.MkdirAll(path(dir)) }, nil)
	return wrap("make folder", path(dir), err)
}

// Remove implements exchange.Remote.
func (c *Client) Remove(ctx context.Context, name string) error {
	_, err := call(ctx, c, func() (struct{}, error) { return struct{}{}, c.remove(path(name)) }, nil)
	return wrap("remove", path(name), err)
}

// remove looks first: the library removes an empty folder as well.
func (c *Client) remove(name string) error {
	info, err := c.sftp.Lstat(name)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return errFolder
	}
	return c.sftp.Remove(name)
}

// openFile opens a file, and closes it again when nobody waits for it any more.
func (c *Client) openFile(ctx context.Context, name string, flags int) (*sftp.File, error) {
	return call(ctx, c,
		func() (*sftp.File, error) { return c.sftp.OpenFile(name, flags) },
		func(f *sftp.File) { f.Close() })
}
