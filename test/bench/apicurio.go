package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// apicurio is the peer: one process with its storage in memory, as it comes, but for the log of every request, which is off.
type apicurio struct {
	dir    string
	base   string
	server *child
}

const (
	apicurioVersion = "3.0.9"
	apicurioFolder  = "apicurio-registry-" + apicurioVersion
)

// findApicurio gives its archive: of a folder, the one in it.
func findApicurio(place string) (string, error) {
	if strings.HasSuffix(place, ".tar.gz") {
		if _, err := os.Stat(place); err == nil {
			return place, nil
		}
	}
	found, err := filepath.Glob(filepath.Join(place, "apicurio-registry-app-*.tar.gz"))
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("no Apicurio Registry in %q: ./test/bench/run registry fetches it, or name its folder with -apicurio", place)
	}
	return found[0], nil
}

func startApicurio(ctx context.Context, archive, dir string) (*apicurio, error) {
	a := &apicurio{dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory for Apicurio Registry: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "tar", "-xzf", archive, "-C", dir).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("unpack Apicurio Registry: %w: %s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	a.base = fmt.Sprintf("http://127.0.0.1:%d/apis/ccompat/v7", port)
	cmd := exec.Command("java", "-jar", "apicurio-registry-app-"+apicurioVersion+"-runner.jar")
	cmd.Dir, cmd.SysProcAttr = dir, orphansDie()
	cmd.Env = append(os.Environ(), fmt.Sprintf("QUARKUS_HTTP_PORT=%d", port), "QUARKUS_HTTP_HOST=127.0.0.1", "QUARKUS_HTTP_ACCESS_LOG_ENABLED=false")
	if a.server, err = spawn("Apicurio Registry", filepath.Join(dir, "apicurio.log"), cmd); err != nil {
		return nil, err
	}
	if err := a.await(ctx); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

// await asks until there is an answer, for two minutes.
func (a *apicurio) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	c := registryClient{base: a.base}
	for {
		err := c.call(ctx, http.MethodGet, "/subjects", nil, &[]string{})
		if err == nil {
			return nil
		}
		if gone := a.server.ended(); gone != nil {
			return gone
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for Apicurio Registry: %w", err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (a *apicurio) stop() error {
	return errors.Join(a.server.stop(syscall.SIGKILL), os.RemoveAll(a.dir)) // nothing of it is needed any more
}
