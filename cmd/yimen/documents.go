package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// The longest document handed on, in bytes. The document gate refuses shorter ones already and says so.
const longestDocument = 2 << 20

// eachDocument hands on the documents of a file: its lines, where it is named .jsonl or .ndjson or its first
// line is a whole document and more follows; otherwise all of it as one.
func eachDocument(ctx context.Context, name string, r io.Reader, do func(place, []byte) error) error {
	b := bufio.NewReaderSize(r, 64<<10)
	first, number, err := nextLine(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read %s: %w", shown(name), err)
	}
	if lines(name) || json.Valid(first) && more(b) {
		return eachLine(ctx, name, b, first, number, do)
	}
	rest, err := io.ReadAll(io.LimitReader(b, longestDocument))
	if err != nil {
		return fmt.Errorf("read %s: %w", shown(name), err)
	}
	return do(place{file: name}, append(first, rest...))
}

func lines(name string) bool {
	ending := strings.ToLower(filepath.Ext(name))
	return ending == ".jsonl" || ending == ".ndjson"
}

// more says whether anything but white space follows, and skips what white space comes before it on the line.
func more(b *bufio.Reader) bool {
	for n := 1; ; n++ {
		ahead, err := b.Peek(n)
		if err != nil {
			return false
		}
		if !bytes.ContainsAny(ahead[n-1:], " \t\r\n") {
			return true
		}
	}
}

// eachLine hands on the line already read, then the others; empty ones are no documents.
func eachLine(ctx context.Context, name string, b *bufio.Reader, line []byte, number int, do func(place, []byte) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if len(bytes.TrimSpace(line)) > 0 {
			if err := do(place{name, number}, bytes.TrimRight(line, "\r\n")); err != nil {
				return err
			}
		}
		var err error
		line, number, err = nextLine(b, number)
		switch {
		case errors.Is(err, io.EOF) && len(line) == 0:
			return nil
		case err != nil && !errors.Is(err, io.EOF):
			return fmt.Errorf("read %s: %w", shown(name), err)
		}
	}
}

// nextLine reads the next line that is not empty, with its end. What exceeds the longest document is
// dropped, so that a file without lines cannot fill the memory; such a line is refused as too long all the same.
func nextLine(b *bufio.Reader, number int) ([]byte, int, error) {
	for {
		var line []byte
		var part []byte
		err := bufio.ErrBufferFull
		for errors.Is(err, bufio.ErrBufferFull) {
			part, err = b.ReadSlice('\n')
			if len(line) < longestDocument {
				line = append(line, part...)
			}
		}
		number++
		if err != nil || len(bytes.TrimSpace(line)) > 0 {
			return line, number, err
		}
	}
}
