package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"strconv"
)

// maxBody bounds an answer; conclusions have some kilobytes.
const maxBody = 1 << 20

// readResponse reads one response of HTTP/1.1 and appends its body to into. It knows as much of HTTP as Go's server uses.
func readResponse(r *bufio.Reader, into []byte) (status int, body []byte, err error) {
	line, err := readLine(r)
	if err != nil {
		return 0, into, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.1 ")) {
		return 0, into, errors.New("read response: no status line")
	}
	if status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return 0, into, errors.New("read response: no status")
	}
	length, chunked, err := readHeaders(r)
	if err != nil {
		return status, into, err
	}
	if chunked {
		return readChunks(r, status, into)
	}
	if length < 0 || length > maxBody {
		return status, into, fmt.Errorf("read response: length %d", length)
	}
	at := len(into)
	into = append(into, make([]byte, length)...)
	if _, err := io.ReadFull(r, into[at:]); err != nil {
		return status, into, fmt.Errorf("read response: %w", err)
	}
	return status, into, nil
}

func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, fmt.Errorf("read response: %w", err)
	}
	return bytes.TrimRight(line, "\r\n"), nil
}

func readHeaders(r *bufio.Reader) (length int, chunked bool, err error) {
	length = -1
	for {
		line, err := readLine(r)
		if err != nil || len(line) == 0 {
			return length, chunked, err
		}
		name, value, _ := bytes.Cut(line, []byte(": "))
		switch string(name) {
		case "Content-Length":
			if length, err = strconv.Atoi(string(value)); err != nil {
				return 0, false, errors.New("read response: Content-Length is no number")
			}
		case "Transfer-Encoding":
			chunked = true
		}
	}
}

func readChunks(r *bufio.Reader, status int, into []byte) (int, []byte, error) {
	b := bytes.NewBuffer(into)
	n, err := io.Copy(b, io.LimitReader(httputil.NewChunkedReader(r), maxBody+1))
	if err == nil && n > maxBody {
		err = errors.New("too long")
	}
	if err == nil {
		_, err = readLine(r) // the empty line after the last chunk
	}
	if err != nil {
		return status, b.Bytes(), fmt.Errorf("read response: %w", err)
	}
	return status, b.Bytes(), nil
}
