package ofd

import (
	"archive/zip"
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"regexp"
)

// Pack makes the archive of a package: in this order, uncompressed, without times. The same files are always the same bytes.
func Pack(files []File) ([]byte, error) {
	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	for _, f := range files {
		size := uint64(len(f.Content))
		entry, err := w.CreateRaw(&zip.FileHeader{Name: f.Name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(f.Content), CompressedSize64: size, UncompressedSize64: size})
		if err != nil {
			return nil, err
		}
		if _, err := entry.Write(f.Content); err != nil {
			return nil, err
		}
	}
	err := w.Close()
	return archive.Bytes(), err
}

// ErrForeign is what Unpack yields of an archive that Pack did not make.
var ErrForeign = errors.New("no archive of this package's making")

// mostFiles is how many files Unpack takes: a page has one.
const mostFiles = 256

// fileName is what files of a package are called: nothing that leads out of it.
var fileName = regexp.MustCompile(`^[A-Za-z0-9_]+(/[A-Za-z0-9_]+)*\.[a-z]+$`)

// Unpack takes an archive apart that Pack made; of all others it says ErrForeign. Nothing is inflated, and no more is read than there
// are bytes. Who must know that not a byte was added packs the files again and compares.
func Unpack(archive []byte) ([]File, error) {
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil || len(r.File) > mostFiles {
		return nil, ErrForeign
	}
	var files []File
	room, met := uint64(len(archive)), map[string]bool{}
	for _, f := range r.File {
		if f.Method != zip.Store || f.CompressedSize64 != f.UncompressedSize64 || f.UncompressedSize64 > room || met[f.Name] || !fileName.MatchString(f.Name) {
			return nil, ErrForeign
		}
		met[f.Name] = true
		room -= f.UncompressedSize64
		content, err := contentOf(f)
		if err != nil {
			return nil, ErrForeign
		}
		files = append(files, File{f.Name, content})
	}
	return files, nil
}

// contentOf reads a file, whose checksum must be right.
func contentOf(f *zip.File) ([]byte, error) {
	from, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer from.Close()
	return io.ReadAll(from)
}
