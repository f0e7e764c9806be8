package vault

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onedoor/yimen/certs"
)

// longest bounds one request on behalf of somebody whose ctx sets no end.
const longest = 5 * time.Second

var (
	errClosed = errors.New("the authority was closed")
	errNotNow = errors.New("not asked just now") // before the trouble that says why
)

// attend does something that somebody waits for, unless Vault cannot be relied on; then it is not asked. How it ends says how
// Vault is.
func (a *Authority) attend(ctx context.Context, act string, do func(context.Context) error) error {
	if err := a.notNow(); err != nil {
		return err
	}
	ctx, give, err := a.take(ctx)
	if err != nil {
		return err
	}
	defer give()
	if err := a.notNow(); err != nil { // whoever had the turn before has found out
		return err
	}
	err = a.asking(ctx, do)
	if err == nil || errors.Is(err, errGivenUp) {
		return err
	}
	a.metrics.failed(act, err)
	if why(err).away() {
		a.settle(err)
		a.look()
	}
	return err
}

func (a *Authority) notNow() error {
	a.mu.RLock()
	defer a.mu.RUnlock()
	switch {
	case a.trouble != nil:
		return fmt.Errorf("%w: %w", errNotNow, a.trouble)
	case a.state() == certs.Closed:
		return errNotNow
	}
	return nil
}

// take waits for the turn, in which one at a time asks Vault: so a node is never a crowd. The context that it gives ends with
// the authority too.
func (a *Authority) take(ctx context.Context) (of context.Context, give func(), err error) {
	select {
	case <-a.life.Done():
		return nil, nil, errors.Join(errGivenUp, errClosed)
	case <-ctx.Done():
		return nil, nil, errors.Join(errGivenUp, context.Cause(ctx))
	case a.turn <- struct{}{}:
	}
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(a.life, func() { cancel(errClosed) })
	return ctx, func() { stop(); cancel(nil); <-a.turn }, nil
}

// asking does something with a token, and once more with a new one where Vault refuses the token. The turn is held.
func (a *Authority) asking(ctx context.Context, do func(context.Context) error) error {
	if err := a.enter(ctx); err != nil {
		return err
	}
	err := do(ctx)
	if why(err) != denied {
		return err
	}
	if err := a.anew(ctx, err); err != nil {
		return err
	}
	return do(ctx)
}
