package copies

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// Named is what a code names: one record of a holder's, until a moment.
type Named struct {
	Holder  exchange.Holder
	Type    exchange.EvidenceType
	Record  exchange.RecordID
	Expires time.Time
}

// codePrefix begins every code, and codeContext keeps what is sealed in one from passing for anything else.
const (
	codePrefix  = "YM1."
	codeContext = "yimen copy code v1"
	codeLength  = 1024 // of none is longer
	codePad     = 32   // what is sealed is a multiple of so many bytes: its length says nothing of a type's or a number's
)

var codeAlphabet = base32.StdEncoding.WithPadding(base32.NoPadding)

// spell is a Named as it is sealed: five words.
func (n Named) spell() string {
	return strings.Join([]string{string(n.Holder.Kind), n.Holder.Number, string(n.Type), n.Record.String(), strconv.FormatInt(n.Expires.Unix(), 10)}, " ")
}

func parseNamed(spelt string) (n Named, err error) {
	words := strings.Fields(spelt)
	if len(words) != 5 {
		return Named{}, errWords
	}
	n.Holder, n.Type = exchange.Holder{Kind: exchange.HolderKind(words[0]), Number: words[1]}, exchange.EvidenceType(words[2])
	if err := n.Record.UnmarshalText([]byte(words[3])); err != nil {
		return Named{}, err
	}
	expires, err := strconv.ParseInt(words[4], 10, 64)
	n.Expires = time.Unix(expires, 0)
	return n, err
}

var errWords = errors.New("not five words")

// Code writes a code, of capitals, digits and a full stop. Only the exchange can read it: to everybody else it says nothing, not even
// whether two are of the same record.
func (p *Press) Code(ctx context.Context, n Named) (string, error) {
	seal, err := p.codes(ctx)
	if err != nil {
		return "", err
	}
	plain := []byte(n.spell())
	plain = append(plain, strings.Repeat(" ", -len(plain)&(codePad-1))...)
	nonce := make([]byte, seal.NonceSize())
	if _, err := io.ReadFull(p.random, nonce); err != nil {
		return "", fmt.Errorf("draw the nonce of a code: %w", err)
	}
	return codePrefix + codeAlphabet.EncodeToString(seal.Seal(nonce, nonce, plain, []byte(codeContext))), nil
}

// Read says what a code names at a moment. It errs with a Problem where the code is none of this exchange's or has had its time.
func (p *Press) Read(ctx context.Context, code string, now time.Time) (Named, error) {
	seal, err := p.codes(ctx)
	if err != nil {
		return Named{}, err
	}
	code = strings.TrimSpace(code) // scanners end what they read with a line feed
	sealed, err := codeAlphabet.DecodeString(strings.TrimPrefix(code, codePrefix))
	if err != nil || len(code) > codeLength || !strings.HasPrefix(code, codePrefix) || len(sealed) < seal.NonceSize() {
		return Named{}, notOurCode()
	}
	nonce, rest := sealed[:seal.NonceSize()], sealed[seal.NonceSize():]
	plain, err := seal.Open(nil, nonce, rest, []byte(codeContext))
	if err != nil {
		return Named{}, notOurCode()
	}
	n, err := parseNamed(string(plain))
	if err != nil {
		return Named{}, notOurCode()
	}
	if !now.Before(n.Expires) {
		return Named{}, lateCode()
	}
	return n, nil
}

func (p *Press) codes(ctx context.Context) (cipher.AEAD, error) {
	keys, err := p.keys(ctx)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(keys.Codes)
	if err != nil {
		return nil, fmt.Errorf("key of codes: %w", err)
	}
	return cipher.NewGCM(block)
}

func notOurCode() error {
	return &exchange.Problem{Code: "YM-CPY-0102", Kind: exchange.NotFound, What: text("这不是本平台的查询码", "this is no code of this exchange"),
		Mend: text("扫描本平台所制加注件上的二维码，把全文照样发来", "scan the code on a copy that this exchange made, and send all of it as it is")}
}

func lateCode() error {
	return &exchange.Problem{Code: "YM-CPY-0103", Kind: exchange.NotFound, What: text("查询码已过有效期", "the code has had its time"),
		Mend: text("用 queryCertInfoByHolderCode 按持证主体查", "ask by the holder, with queryCertInfoByHolderCode")}
}
