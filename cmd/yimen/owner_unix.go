//go:build unix

package main

import (
	"io/fs"
	"os"
	"syscall"
)

// likeOwner gives a file the owner of another, where this process may.
func likeOwner(file string, of fs.FileInfo) error {
	at, known := of.Sys().(*syscall.Stat_t)
	if !known || os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(file, int(at.Uid), int(at.Gid))
}

// ours says whether a file belongs to whoever runs this process.
func ours(info fs.FileInfo) bool {
	at, known := info.Sys().(*syscall.Stat_t)
	return !known || int(at.Uid) == os.Geteuid()
}
