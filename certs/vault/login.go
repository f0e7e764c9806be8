package vault

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/vault/api"

	"github.com/onedoor/yimen/certs"
)

// session is what this node holds of its login.
type session struct {
	wrapping string    // the token by which to fetch the secret-id; Authority.turn guards it, and the three below
	secretID string    // of AppRole, once fetched
	made     time.Time // when the token was given
	stop     func()    // ends the renewal of the token, and waits for it

	mu    sync.Mutex // guards until
	until time.Time  // when the token ends, or shall be replaced; zero: there is none
}

const (
	endless = 10 * 365 * 24 * time.Hour // the life of a token that has no end
	settled = 10 * time.Second          // a token younger than this is not to blame for a refusal
)

func (s *session) lasts(until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = until
}

func (s *session) good(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return now.Before(s.until)
}

// enter logs in unless there is a token that is good for a while. The turn is held.
func (a *Authority) enter(ctx context.Context) error {
	if a.session.good(a.clock()) {
		return nil
	}
	a.leave()
	began := a.clock()
	answer, err := a.login(ctx)
	if err == nil && (answer == nil || answer.Auth == nil || answer.Auth.ClientToken == "") {
		err = &fault{reason: spoilt, said: "the answer to the login holds no token"}
	}
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	life := time.Duration(answer.Auth.LeaseDuration) * time.Second
	if life == 0 {
		life = endless
	}
	a.client.SetToken(answer.Auth.ClientToken)
	a.session.made = began
	a.session.lasts(began.Add(life))
	a.session.stop = a.renewing(answer, life)
	a.log.Info("logged in to Vault", "address", a.config.Address, "role", a.config.Login.Role, "life", life)
	return nil
}

// anew replaces a token that Vault refused, by which it may have been revoked; a young one is not, and the refusal stands.
// The turn is held.
func (a *Authority) anew(ctx context.Context, refusal error) error {
	if a.clock().Sub(a.session.made) < settled {
		return refusal
	}
	a.leave()
	return a.enter(ctx)
}

// leave forgets the token. The turn is held.
func (a *Authority) leave() {
	if a.session.stop != nil {
		a.session.stop()
		a.session.stop = nil
	}
	a.session.lasts(time.Time{})
	a.client.ClearToken()
}

func (a *Authority) login(ctx context.Context) (*api.Secret, error) {
	login := a.config.Login
	path := "auth/" + login.Mount + "/login"
	if login.Kind == kindCert {
		return a.write(ctx, a.config.Timeout, path, map[string]any{"name": login.Role})
	}
	if a.session.secretID == "" {
		if err := a.receive(ctx); err != nil {
			return nil, err
		}
	}
	answer, err := a.write(ctx, a.config.Timeout, path, map[string]any{"role_id": login.RoleID, "secret_id": a.session.secretID})
	if r := why(err); r == refused || r == denied {
		a.session.secretID = "" // used up, expired or revoked: a new one may have been brought
	}
	return answer, err
}

// receive fetches the secret-id by the wrapping token that was brought. It was made for this role, and nobody has opened it
// before: Vault says both. The file is removed before it is used, so that no used one is left to raise an alarm; and Vault may
// take its time, for an answer that is lost looks like a theft at the next try.
func (a *Authority) receive(ctx context.Context) error {
	if a.session.wrapping == "" {
		if err := a.pickUp(ctx); err != nil {
			return err
		}
	}
	answer, err := within(ctx, longest, func(ctx context.Context) (*api.Secret, error) {
		defer a.client.ClearToken() // Unwrap sets it to the wrapping token
		return a.client.Logical().UnwrapWithContext(ctx, a.session.wrapping)
	})
	if errors.Is(err, errGivenUp) || why(err).away() {
		return err
	}
	a.session.wrapping = ""
	if err != nil {
		return theft(err.Error())
	}
	if answer != nil {
		a.session.secretID, _ = answer.Data["secret_id"].(string)
	}
	if a.session.secretID == "" {
		return theft("it holds no secret-id")
	}
	return nil
}

// pickUp takes the wrapping token out of its file, once Vault has said that it is good and where it was made.
func (a *Authority) pickUp(ctx context.Context) error {
	login := a.config.Login
	content, err := certs.ReadPrivate(login.SecretID)
	if errors.Is(err, fs.ErrNotExist) {
		return a.unbrought()
	}
	if err != nil {
		return err
	}
	token := strings.TrimSpace(string(content))
	answer, err := a.write(ctx, a.config.Timeout, "sys/wrapping/lookup", map[string]any{"token": token})
	if errors.Is(err, errGivenUp) || why(err).away() {
		return err
	}
	if err != nil {
		return theft(err.Error())
	}
	made := "auth/" + login.Mount + "/role/" + login.Role + "/secret-id"
	if answer == nil || answer.Data["creation_path"] != made {
		return theft("it was not made at " + made)
	}
	if err := os.Remove(login.SecretID); err != nil {
		return fmt.Errorf("take the wrapping token: %w", err)
	}
	a.session.wrapping = token
	return nil
}

// renewing keeps the token alive until that is of no more use, and then has it replaced. It gives what ends that.
func (a *Authority) renewing(answer *api.Secret, life time.Duration) (stop func()) {
	ctx, cancel := context.WithCancel(a.life)
	done := make(chan struct{})
	a.work.Go(func() {
		defer close(done)
		err := a.renew(ctx, answer, life)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			a.metrics.failed("renew", err)
		}
		a.session.lasts(time.Time{})
		a.look()
	})
	return func() { cancel(); <-done }
}

// renew follows the token to its end. The watcher renews at once when it starts, so it starts after a third of the token's
// life: a Vault that has just come back is not asked by all for what they have just been given.
func (a *Authority) renew(ctx context.Context, answer *api.Secret, life time.Duration) error {
	if !sleep(ctx, life/3) {
		return nil
	}
	watcher, err := a.renewer.NewLifetimeWatcher(&api.LifetimeWatcherInput{Secret: answer})
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { watcher.Start(); close(ended) }()
	defer func() { watcher.Stop(); <-ended }()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-watcher.DoneCh():
			return faultOf(err)
		case renewal := <-watcher.RenewCh():
			a.session.lasts(a.clock().Add(time.Duration(renewal.Secret.Auth.LeaseDuration) * time.Second))
		}
	}
}

// sleep waits, and says whether it was not woken by the end of ctx.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
