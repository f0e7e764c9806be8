package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// The statuses that tlog-witness has for what can be wrong.
const (
	statusMalformed = http.StatusBadRequest
	statusUnsigned  = http.StatusForbidden
	statusUnknown   = http.StatusNotFound
	statusConflict  = http.StatusConflict
	statusUnproved  = http.StatusUnprocessableEntity
)

const (
	// Path is where checkpoints are posted.
	Path = "/add-checkpoint"

	mostBody  = 64 << 10
	mostProof = 63 // lines
)

// ServeHTTP answers a log.
func (w *Witness) ServeHTTP(out http.ResponseWriter, in *http.Request) {
	if in.URL.Path != Path {
		http.NotFound(out, in)
		return
	}
	if in.Method != http.MethodPost {
		out.Header().Set("Allow", http.MethodPost)
		http.Error(out, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(out, in.Body, mostBody))
	if err != nil {
		http.Error(out, "the body cannot be read, or is too long", http.StatusBadRequest)
		return
	}
	var line []byte
	asked, err := parseRequest(body)
	if err == nil {
		line, err = w.cosign(asked)
	}
	if err != nil {
		w.refuse(out, err)
		return
	}
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out.Write(line) // a log that is gone asks again
}

// refuse is the one place where an error becomes a status.
func (w *Witness) refuse(out http.ResponseWriter, err error) {
	r, ok := errors.AsType[*refusal](err)
	switch {
	case !ok:
		w.log.Error("cosigning failed", "error", err)
		http.Error(out, "internal error", http.StatusInternalServerError)
	case r.size != nil:
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(r.status)
		fmt.Fprintf(out, "%d\n", *r.size)
	default:
		w.log.Warn("a checkpoint was not cosigned", "status", r.status, "reason", r.why)
		http.Error(out, r.why, r.status)
	}
}

// request is what a log posts.
type request struct {
	old        uint64
	proof      [][]byte
	checkpoint []byte
}

// parseRequest reads a request in the one way that it can be written.
func parseRequest(body []byte) (request, error) {
	malformed := &refusal{status: statusMalformed, why: "the request is not well formed"}
	head, checkpoint, ok := bytes.Cut(body, []byte("\n\n"))
	if !ok {
		return request{}, malformed
	}
	lines := strings.Split(string(head), "\n")
	number, ok := strings.CutPrefix(lines[0], "old ")
	old, err := strconv.ParseUint(number, 10, 64)
	if !ok || err != nil || strconv.FormatUint(old, 10) != number || len(lines)-1 > mostProof {
		return request{}, malformed
	}
	r := request{old: old, checkpoint: checkpoint}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(hash) != sha256.Size {
			return request{}, malformed
		}
		r.proof = append(r.proof, hash)
	}
	return r, nil
}
