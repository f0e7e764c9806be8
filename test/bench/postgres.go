package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// postgres is a PostgreSQL cluster of its own. It keeps the durability of a new cluster: every commit is on the disk before it is
// answered. It gets more shared memory than by default, so that the peer has the index in memory as we have.
type postgres struct {
	bin     string // folder of its programs
	dir     string // data and socket, owned by who runs the server
	scratch string // scripts and logs of pgbench
	server  *child
}

const postgresHelp = "needs PostgreSQL with pgbench (Debian package postgresql: sudo apt-get install postgresql); ./test/bench/run says so too"

// findPostgres is the folder with the programs of the newest PostgreSQL.
func findPostgres() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if path, missing := exec.LookPath("initdb"); missing == nil {
		found = append(found, path)
	}
	if err != nil || len(found) == 0 {
		return "", errors.New(postgresHelp)
	}
	slices.SortFunc(found, func(a, b string) int { return release(a) - release(b) })
	return filepath.Dir(found[len(found)-1]), nil
}

func release(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path))))
	return n
}

func startPostgres(ctx context.Context, bin, scratch string) (p *postgres, err error) {
	p = &postgres{bin: bin, scratch: scratch}
	if p.dir, err = os.MkdirTemp("", "yimen-bench-pg-"); err != nil {
		return nil, fmt.Errorf("make directory for PostgreSQL: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.stop())
		}
	}()
	initdb, err := p.owned("initdb", "-D", filepath.Join(p.dir, "data"), "-U", "bench", "-A", "trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	if err != nil {
		return p, err
	}
	if out, err := initdb.CombinedOutput(); err != nil {
		return p, fmt.Errorf("initdb: %w: %s", err, out)
	}
	server, err := p.owned("postgres", "-D", filepath.Join(p.dir, "data"), "-k", p.dir, "-c", "listen_addresses=", "-c", "shared_buffers=512MB")
	if err != nil {
		return p, err
	}
	if p.server, err = spawn("PostgreSQL", filepath.Join(scratch, "postgres.log"), server); err != nil {
		return p, err
	}
	return p, p.await(ctx)
}

// owned is a command run by a user who may run PostgreSQL: it refuses root.
func (p *postgres) owned(program string, args ...string) (*exec.Cmd, error) {
	cmd := exec.Command(filepath.Join(p.bin, program), args...)
	cmd.Dir, cmd.SysProcAttr = p.dir, orphansDie()
	if os.Geteuid() != 0 {
		return cmd, nil
	}
	owner, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL does not run as root: %w", err)
	}
	uid, err1 := strconv.ParseUint(owner.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(owner.Gid, 10, 32)
	if err := errors.Join(err1, err2, os.Chown(p.dir, int(uid), int(gid))); err != nil {
		return nil, fmt.Errorf("run PostgreSQL as user postgres: %w", err)
	}
	as(cmd.SysProcAttr, uint32(uid), uint32(gid))
	return cmd, nil
}

func (p *postgres) await(ctx context.Context) error {
	for {
		_, err := p.sql(ctx, "SELECT 1")
		if err == nil {
			return nil
		}
		if gone := p.server.ended(); gone != nil {
			return gone
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w", err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (p *postgres) stop() error {
	var err error
	if p.server != nil {
		err = p.server.stop(syscall.SIGINT) // fast shutdown
	}
	return errors.Join(err, os.RemoveAll(p.dir))
}

func (p *postgres) connection() []string { return []string{"-h", p.dir, "-U", "bench"} }

func (p *postgres) sql(ctx context.Context, text string) (string, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(p.bin, "psql"), append(p.connection(), "-d", "postgres", "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", text)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("psql: %w: %s", err, out)
	}
	return strings.TrimSpace(string(out)), nil
}

// fill makes as many rows as our index has records, as many for each holder, scattered over the table as records come in: type by type.
func (p *postgres) fill(ctx context.Context, records, holders int) error {
	for _, text := range []string{
		"CREATE TABLE holding (id bigint, holder text NOT NULL, type text NOT NULL, version bigint NOT NULL, as_of timestamptz NOT NULL, body text NOT NULL)",
		"CREATE TABLE audit (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(), holder text NOT NULL, body text NOT NULL)",
		fmt.Sprintf("INSERT INTO holding SELECT g, 'h' || g %% %d, 'type-' || g / %d, 1, now(), repeat(md5(g::text), 6) FROM generate_series(0, %d) g", holders, holders, records-1),
		"CREATE INDEX ON holding (holder)",
		"VACUUM ANALYZE holding",
		"CHECKPOINT",
	} {
		if _, err := p.sql(ctx, text); err != nil {
			return fmt.Errorf("fill PostgreSQL: %w", err)
		}
	}
	return nil
}

const (
	selectScript = "\\set h random(0, :holders - 1)\nSELECT id, type, version, as_of, body FROM holding WHERE holder = 'h' || :h;\n"
	auditScript  = selectScript + "INSERT INTO audit (holder, body) VALUES ('h' || :h, '%s');\n"
)

// measure runs pgbench with the script: prepared statements over the local socket, the quickest way it has.
func (p *postgres) measure(ctx context.Context, name, script string, holders, clients int, warm, measure time.Duration) (figure, error) {
	file := filepath.Join(p.scratch, name+".sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		return figure{}, fmt.Errorf("write pgbench script: %w", err)
	}
	prefix := filepath.Join(p.scratch, name+"-times")
	args := append(p.connection(), "-n", "-M", "prepared", "-j", "2", "-c", strconv.Itoa(clients), "-D", fmt.Sprintf("holders=%d", holders), "-f", file)
	if _, err := p.pgbench(ctx, append(args, "-T", seconds(warm), "postgres")); err != nil {
		return figure{}, err
	}
	out, err := p.pgbench(ctx, append(args, "-T", seconds(measure), "-l", "--log-prefix="+prefix, "--sampling-rate=0.1", "postgres"))
	if err != nil {
		return figure{}, err
	}
	f, err := readPgbench(out)
	if err != nil {
		return figure{}, err
	}
	f.P50, f.P99, err = readTimes(prefix)
	return f, err
}

func seconds(d time.Duration) string { return strconv.Itoa(max(1, int(d.Seconds()))) }

func (p *postgres) pgbench(ctx context.Context, args []string) (string, error) {
	out, err := exec.CommandContext(ctx, filepath.Join(p.bin, "pgbench"), args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pgbench: %w: %s", err, out)
	}
	return string(out), nil
}

var (
	tpsLine    = regexp.MustCompile(`(?m)^tps = ([0-9.]+) `)
	countLine  = regexp.MustCompile(`(?m)^number of transactions actually processed: ([0-9]+)`)
	failedLine = regexp.MustCompile(`(?m)^number of failed transactions: ([0-9]+)`)
)

// readPgbench reads what pgbench prints at its end.
func readPgbench(out string) (figure, error) {
	var f figure
	rate, count := tpsLine.FindStringSubmatch(out), countLine.FindStringSubmatch(out)
	if rate == nil || count == nil {
		return f, fmt.Errorf("read pgbench: no rate in %q", out)
	}
	var err1, err2, err3 error
	f.Rate, err1 = strconv.ParseFloat(rate[1], 64)
	f.Count, err2 = strconv.ParseInt(count[1], 10, 64)
	if failed := failedLine.FindStringSubmatch(out); failed != nil {
		f.Errors, err3 = strconv.ParseInt(failed[1], 10, 64)
	}
	if err := errors.Join(err1, err2, err3); err != nil {
		return f, fmt.Errorf("read pgbench: %w", err)
	}
	return f, nil
}

// readTimes reads pgbench's logs of single transactions: client, number, microseconds, …
func readTimes(prefix string) (p50, p99 time.Duration, err error) {
	files, err := filepath.Glob(prefix + ".*")
	if err != nil {
		return 0, 0, fmt.Errorf("read pgbench's times: %w", err)
	}
	var all []time.Duration
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			return 0, 0, fmt.Errorf("read pgbench's times: %w", err)
		}
		all, err = addTimes(all, f)
		f.Close()
		if err != nil {
			return 0, 0, err
		}
	}
	p50, p99 = percentiles(all)
	return p50, p99, nil
}

func addTimes(all []time.Duration, r io.Reader) ([]time.Duration, error) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 {
			return nil, fmt.Errorf("read pgbench's times: a line of %d fields", len(fields))
		}
		us, err := strconv.ParseInt(fields[2], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("read pgbench's times: %w", err)
		}
		all = append(all, time.Duration(us)*time.Microsecond)
	}
	return all, lines.Err()
}

func percentiles(all []time.Duration) (p50, p99 time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*99/100]
}
