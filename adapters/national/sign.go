package national

import (
	"bytes"
	"crypto/aes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/onedoor/yimen/exchange"
)

// sign is the signature of a call: Base64(HMAC-SHA256(secret, service + requester + time)).
func sign(secret, service, requester, at string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(service + requester + at))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// stamp is a moment as calls carry it: milliseconds since 1970.
func stamp(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// lease is a request secret and the moment at which it runs out.
type lease struct {
	secret string
	until  time.Time
}

var errNoLease = errors.New("no secret with an end")

// parseLease reads the answer to a refresh: {code: "0", data: {secret, secretEndTime}}, the secret encrypted under the app key. A refusal
// is a refused; its errors repeat nothing of the answer.
func parseLease(answer []byte, appKey string) (lease, error) {
	var envelope struct {
		Code jsontext.Value `json:"code"`
		Data jsontext.Value `json:"data"`
	}
	if json.Unmarshal(answer, &envelope) != nil {
		return lease{}, errNoLease
	}
	if code := word(envelope.Code); code != "0" {
		return lease{}, refused(plainCode(code))
	}
	if envelope.Data.Kind() == '"' { // some nodes write the object into a text
		envelope.Data = jsontext.Value(word(envelope.Data))
	}
	var data struct {
		Secret string         `json:"secret"`
		End    jsontext.Value `json:"secretEndTime"`
	}
	if json.Unmarshal(envelope.Data, &data) != nil {
		return lease{}, errNoLease
	}
	secret, err := decrypt(appKey, data.Secret)
	if err != nil {
		return lease{}, err
	}
	until, err := endOf(word(data.End))
	return lease{secret, until}, err
}

// word is a JSON text or number as it reads, "" for anything else.
func word(v jsontext.Value) string {
	switch v.Kind() {
	case '"':
		var s string
		if json.Unmarshal(v, &s) == nil {
			return s
		}
	case '0':
		return string(v)
	}
	return ""
}

// endOf reads when a secret runs out: milliseconds since 1970, or a date and time in China.
func endOf(s string) (time.Time, error) {
	if ms, err := strconv.ParseInt(s, 10, 64); err == nil && ms > 0 {
		return time.UnixMilli(ms), nil
	}
	if t, err := time.ParseInLocation(time.DateTime, s, exchange.China); err == nil {
		return t, nil
	}
	return time.Time{}, errNoLease
}

// decrypt opens a secret that the platform encrypted. Its convention is that of Java's KeyGenerator seeded with the app key under
// SHA1PRNG, and of Cipher.getInstance("AES"): AES-128 in ECB with PKCS #5 padding. Nothing vouches for what comes out.
func decrypt(appKey, encrypted string) (string, error) {
	sealed, err := base64.StdEncoding.DecodeString(encrypted)
	if err != nil || len(sealed) == 0 || len(sealed)%aes.BlockSize != 0 || len(sealed) > 4096 {
		return "", errNoLease
	}
	block, err := aes.NewCipher(cipherKey(appKey))
	if err != nil {
		return "", err
	}
	for at := 0; at < len(sealed); at += aes.BlockSize {
		block.Decrypt(sealed[at:], sealed[at:at+aes.BlockSize])
	}
	padding := int(sealed[len(sealed)-1])
	if padding == 0 || padding > aes.BlockSize || !bytes.HasSuffix(sealed, bytes.Repeat([]byte{byte(padding)}, padding)) {
		return "", errWrongKey
	}
	secret := sealed[:len(sealed)-padding]
	if len(secret) == 0 || bytes.ContainsFunc(secret, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return "", errWrongKey
	}
	return string(secret), nil
}

var errWrongKey = errors.New("the secret does not open with the app key")

// cipherKey is what Java's SHA1PRNG gives first for a seed: SHA-1 of the SHA-1 of it.
func cipherKey(seed string) []byte {
	state := sha1.Sum([]byte(seed))
	key := sha1.Sum(state[:])
	return key[:16]
}
