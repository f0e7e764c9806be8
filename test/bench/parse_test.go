package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestReadPgbench(t *testing.T) {
	const out = `pgbench (15.18)
number of transactions actually processed: 327921
number of failed transactions: 2 (0.001%)
latency average = 1.951 ms
tps = 32801.123456 (without initial connection time)
`
	f, err := readPgbench(out)
	if err != nil || f.Rate != 32801.123456 || f.Count != 327921 || f.Errors != 2 {
		t.Errorf("readPgbench = %+v, %v", f, err)
	}
	for _, bad := range []string{"", "tps = 12.5 (without initial connection time)", "number of transactions actually processed: 3", "tps = x "} {
		if _, err := readPgbench(bad); err == nil {
			t.Errorf("readPgbench(%q) did not err", bad)
		}
	}
}

func TestAddTimes(t *testing.T) {
	times, err := addTimes(nil, strings.NewReader("0 1 1500 0 1700000000 1\n3 7 250 0 1700000000 2\n"))
	if err != nil || len(times) != 2 || times[0] != 1500*time.Microsecond || times[1] != 250*time.Microsecond {
		t.Errorf("addTimes = %v, %v", times, err)
	}
	for _, bad := range []string{"0 1\n", "0 1 skipped 0\n"} {
		if _, err := addTimes(nil, strings.NewReader(bad)); err == nil {
			t.Errorf("addTimes(%q) did not err", bad)
		}
	}
}

func TestReadProducer(t *testing.T) {
	const out = `100 records sent, 20.0 records/sec (0.01 MB/sec), 1.0 ms avg latency, 3.0 ms max latency.
1000000 records sent, 158123.5 records/sec (90.48 MB/sec), 210.10 ms avg latency, 600.00 ms max latency, 180 ms 50th, 420 ms 95th, 500 ms 99th, 590 ms 99.9th.
`
	f, err := readProducer(out)
	if err != nil || f.Rate != 158123.5 || f.Count != 1000000 || f.P50 != 180*time.Millisecond || f.P99 != 500*time.Millisecond {
		t.Errorf("readProducer = %+v, %v", f, err)
	}
	for _, bad := range []string{"", "1000 records sent, 20.0 records/sec (0.01 MB/sec), 1.0 ms avg latency"} {
		if _, err := readProducer(bad); err == nil {
			t.Errorf("readProducer(%q) did not err", bad)
		}
	}
}

func TestReadResponse(t *testing.T) {
	tests := []struct {
		name, wire string
		status     int
		body       string
		fails      bool
	}{
		{name: "length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", status: 200, body: "abc"},
		{name: "empty", wire: "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", status: 503},
		{name: "chunks", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", status: 200, body: "abcde"},
		{name: "nothing", wire: "", fails: true},
		{name: "another protocol", wire: "SSH-2.0-server\r\n", fails: true},
		{name: "no status", wire: "HTTP/1.1 abc OK\r\n\r\n", fails: true},
		{name: "no length", wire: "HTTP/1.1 200 OK\r\n\r\nabc", fails: true},
		{name: "length of another kind", wire: "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\nabc", fails: true},
		{name: "negative length", wire: "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", fails: true},
		{name: "monstrous length", wire: "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", fails: true},
		{name: "cut off in the headers", wire: "HTTP/1.1 200 OK\r\nContent-Length: 3", fails: true},
		{name: "cut off in the body", wire: "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", fails: true},
		{name: "cut off in a chunk", wire: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\na", fails: true},
	}
	for _, test := range tests {
		status, body, err := readResponse(bufio.NewReader(strings.NewReader(test.wire)), nil)
		if (err != nil) != test.fails || !test.fails && (status != test.status || string(body) != test.body) {
			t.Errorf("%s: %d %q %v", test.name, status, body, err)
		}
	}
}

// TestReadResponseOfServer reads what Go's server really sends, one answer after the other on one connection.
func TestReadResponseOfServer(t *testing.T) {
	for _, size := range []int{0, 10, 2047, 2049, 60_000} {
		var wire bytes.Buffer
		for range 2 {
			w := httptest.NewRecorder()
			w.Write(bytes.Repeat([]byte("x"), size))
			response := w.Result()
			response.ContentLength = int64(size)
			if size > 2048 { // as the server does without a Content-Length
				response.ContentLength, response.TransferEncoding = -1, []string{"chunked"}
			}
			if err := response.Write(&wire); err != nil {
				t.Fatal(err)
			}
		}
		r := bufio.NewReader(&wire)
		for i := range 2 {
			status, body, err := readResponse(r, nil)
			if err != nil || status != http.StatusOK || len(body) != size {
				t.Errorf("answer %d of %d bytes: %d, %d bytes, %v", i, size, status, len(body), err)
			}
		}
	}
}

func FuzzReadResponse(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
	f.Add("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
	f.Fuzz(func(t *testing.T, wire string) {
		_, body, err := readResponse(bufio.NewReader(strings.NewReader(wire)), nil)
		if err == nil && len(body) > len(wire) {
			t.Errorf("a body of %d bytes out of %d", len(body), len(wire))
		}
	})
}

func FuzzReadOutputs(f *testing.F) {
	f.Add("tps = 1.5 (x)\nnumber of transactions actually processed: 3\n10 records sent, 5.0 records/sec (1 MB/sec), 1 ms 50th, 2 ms 95th, 3 ms 99th\n0 1 2 0\n")
	f.Fuzz(func(_ *testing.T, out string) { // none of them may panic
		_, err1 := readPgbench(out)
		_, err2 := readProducer(out)
		_, err3 := addTimes(nil, strings.NewReader(out))
		fmt.Fprint(io.Discard, err1, err2, err3)
	})
}

func TestPercentiles(t *testing.T) {
	var times []time.Duration
	for i := range 1000 {
		times = append(times, time.Duration(999-i))
	}
	if p50, p99 := percentiles(times); p50 != 500 || p99 != 990 {
		t.Errorf("percentiles = %d, %d", p50, p99)
	}
	if p50, p99 := percentiles(nil); p50 != 0 || p99 != 0 {
		t.Errorf("percentiles of nothing = %d, %d", p50, p99)
	}
}
