package door

import (
	"context"
	"hash/maphash"
	"net"
	"net/http"
	"time"

	"github.com/alexedwards/argon2id"
	"golang.org/x/time/rate"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/exchange"
	"github.com/onedoor/yimen/exchange/broker"
)

// account is a local account (本地账户): somebody of the callers file who signs in with a password.
type account struct {
	caller Caller
	hash   string // argon2id, as in $argon2id$v=19$m=…
}

// hardness is how a password is hashed: RFC 9106's second choice for machines that have other things to do.
var hardness = &argon2id.Params{Memory: 64 << 10, Iterations: 3, Parallelism: 4, SaltLength: 16, KeyLength: 32}

// The bounds of what a callers file may ask for: less is too easily guessed, more stops the node with a few sign-ins. KiB.
const (
	leastMemory, mostMemory = 19 << 10, 256 << 10
	mostIterations          = 10
)

// shortestPassword is in characters, after NIST SP 800-63B.
const shortestPassword = 8

// PasswordHash is a password as a callers file keeps it. It errs with a Problem where the password is too short.
func PasswordHash(password string) (string, error) {
	if len([]rune(password)) < shortestPassword {
		return "", &exchange.Problem{Code: "YM-API-0411", Kind: exchange.Invalid, What: text("口令太短", "the password is too short"),
			Mend: text("至少 8 个字符；几个不相干的词连在一起，好记又难猜", "take 8 characters or more; a few unrelated words are easy to keep and hard to guess")}
	}
	return argon2id.CreateHash(password, hardness)
}

// soundHash says whether a password can be checked against the hash.
func soundHash(hash string) bool {
	p, salt, key, err := argon2id.DecodeHash(hash)
	return err == nil && p.Memory >= leastMemory && p.Memory <= mostMemory && p.Iterations >= 1 && p.Iterations <= mostIterations &&
		p.Parallelism >= 1 && len(salt) >= 8 && len(key) >= 16
}

// strangers' passwords are compared with this, so that it takes as long to hear of a name that is not known.
const nobodys = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// SignIn finds out who it is that gives a name and a password (登录). It errs with a Problem: Unauthorised where they are not
// right, whichever of them, and Limited where too many were tried. A refusal is reported as one at the door is.
func (k *Keeper) SignIn(r *http.Request, user, password string) (Caller, error) {
	caller, err := k.signIn(r, user, password)
	if err != nil {
		k.turnAway(r, caller, err)
	}
	return caller, err
}

func (k *Keeper) signIn(r *http.Request, user, password string) (Caller, error) {
	if err := k.guesses.allow(user, r.RemoteAddr); err != nil {
		return Caller{}, err
	}
	known, ok := k.cfg.Callers.byUser[user]
	if !ok {
		known.hash = nobodys
	}
	if !k.matches(r.Context(), password, known.hash) || !ok {
		return Caller{}, wrongPassword()
	}
	return known.caller, k.admits(known.caller)
}

// matches compares in constant time. Only so many are computed at once: each takes 64 MiB for a moment.
func (k *Keeper) matches(ctx context.Context, password, hash string) bool {
	select {
	case k.computing <- struct{}{}:
		defer func() { <-k.computing }()
	case <-ctx.Done():
		return false
	}
	same, err := argon2id.ComparePasswordAndHash(password, hash)
	return same && err == nil
}

// Still is somebody who signed in before, as the callers file and the roll see them now: a revocation acts at once. It errs
// with a Problem where they may not go on.
func (k *Keeper) Still(r *http.Request, who broker.Caller) (Caller, error) {
	caller, ok := k.cfg.Callers.byName[who]
	err := unauthorised(text("此账户已不在调用方文件中", "the account is no longer in the callers file"))
	if ok {
		err = k.admits(caller)
	}
	if err != nil {
		k.turnAway(r, caller, err)
	}
	return caller, err
}

// admits asks the roll about somebody who came without a certificate.
func (k *Keeper) admits(caller Caller) error {
	if k.cfg.Roll == nil {
		return nil
	}
	return k.cfg.Roll.AdmitsIdentity(certs.Identity{City: k.cfg.City, Department: caller.Department, Role: certs.Clerk, Name: caller.Clerk})
}

func wrongPassword() error {
	return &exchange.Problem{Code: "YM-API-0409", Kind: exchange.Unauthorised, What: text("用户名或口令不对", "the user name or the password is wrong"),
		Mend: text("检查大小写和输入法后重试；忘记口令的，请管理员重设", "look at capitals and the input method and try again; who has forgotten it asks the administrator for a new one")}
}

// guesses slows down whoever tries passwords. A name may be tried a few times from one address, and more often from all of
// them together, so that one machine alone does not keep a clerk out. What is right counts as well. Names share places by chance, which bounds the memory.
type guesses struct {
	seed   maphash.Seed
	now    func() time.Time
	places [1 << 12]struct{ fromOne, fromAll *rate.Limiter }
}

const (
	guessEvery   = 30 * time.Second
	guessesOfOne = 10  // of a name from one address
	guessesOfAll = 100 // of a name from anywhere
	computed     = 2   // at the same time
)

func newGuesses(now func() time.Time) *guesses {
	g := &guesses{seed: maphash.MakeSeed(), now: now}
	for i := range g.places {
		g.places[i].fromOne, g.places[i].fromAll = rate.NewLimiter(rate.Every(guessEvery), guessesOfOne), rate.NewLimiter(rate.Every(guessEvery), guessesOfAll)
	}
	return g
}

// allow counts an attempt, or refuses it. remote is the address and port it came from.
func (g *guesses) allow(user, remote string) error {
	host, _, _ := net.SplitHostPort(remote)
	at := func(key string) int { return int(maphash.String(g.seed, key) % uint64(len(g.places))) }
	now := g.now()
	if g.places[at(user+"\x00"+host)].fromOne.AllowN(now, 1) && g.places[at(user)].fromAll.AllowN(now, 1) {
		return nil
	}
	return &exchange.Problem{Code: "YM-API-0410", Kind: exchange.Limited, After: guessEvery, What: text("登录尝试过多", "too many attempts to sign in"),
		Mend: text("半分钟后再试；忘记口令的，请管理员重设", "try again in half a minute; who has forgotten the password asks the administrator for a new one")}
}
