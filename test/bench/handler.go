package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
)

// bareHandler serves an answer of 2 KB over HTTPS after it has read the request, and does nothing else: what Go's own HTTPS costs
// on this machine.
func measureHandler(ctx context.Context, b *bench, id identityFiles) (f figure, err error) {
	answer := append(append([]byte(`{"answers":"`), bytes.Repeat([]byte("x"), 2030)...), "\"}\n"...)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			http.Error(w, "body", http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return f, fmt.Errorf("start bare handler: %w", err)
	}
	server := &http.Server{Handler: handler, TLSConfig: &tls.Config{}, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan error, 1)
	go func() { done <- server.ServeTLS(listener, id.cert, id.key) }()
	defer func() {
		err = errors.Join(err, server.Close())
		if end := <-done; !errors.Is(end, http.ErrServerClosed) {
			err = errors.Join(err, end)
		}
	}()
	var out outcome
	spent, err := b.profiled("handler", func() (err error) {
		out, err = drive(ctx, b.assignment(listener.Addr().String(), id, false))
		return err
	})
	if err != nil {
		return f, fmt.Errorf("measure bare handler: %w", err)
	}
	f = out.figure
	f.Name, f.cost = "bare Go HTTPS handler, 2 KB", spent.each(out.All)
	return f, nil
}
