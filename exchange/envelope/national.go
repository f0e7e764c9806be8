package envelope

import (
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/rand"
	"errors"
	"fmt"
	"hash"
	"math/big"

	"github.com/emmansun/gmsm/ecdh"
	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"
	"github.com/emmansun/gmsm/sm4"
)

// national is SM2 signatures and encryption (GB/T 32918.2 and .4), SM3 (GB/T 32905) and SM4 (GB/T 32907) in Galois/Counter
// Mode. Signatures are of the default signer's id 1234567812345678 (GB/T 35276), written in ASN.1.
type national struct{}

func (national) newHash() hash.Hash             { return sm3.New() }
func (national) sum(data []byte) [hashSize]byte { return sm3.Sum(data) }

func (national) keySize() int { return 16 }

func (national) newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := sm4.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up cipher: %w", err)
	}
	return cipher.NewGCM(block)
}

func (national) mark() string  { return "yimen-exchange-key-sm2-1 " }
func (national) wrapSize() int { return 65 + 32 + 16 } // point, hash, data key (C1‖C3‖C2)

// openingKey draws the private key from the secret: 64 bits more than it needs, reduced, so that no key is likelier than
// another (FIPS 186-5 A.2.1, for SM2's range 1 to n-2).
func (national) openingKey(secret []byte) (openingKey, error) {
	wide, err := hkdf.Key(sm3.New, secret, nil, "yimen sealing key sm2 v1", 32+8)
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	most := new(big.Int).Sub(sm2.P256().Params().N, big.NewInt(2))
	d := new(big.Int).SetBytes(wide)
	return sm2Key(d.Mod(d, most).Add(d, big.NewInt(1)))
}

// sm2Key makes the key pair of a number between 1 and the curve's order less 2.
func sm2Key(d *big.Int) (openingKey, error) {
	half, err := ecdh.P256().NewPrivateKey(d.FillBytes(make([]byte, 32)))
	if err != nil {
		return nil, fmt.Errorf("derive sealing key: %w", err)
	}
	raw := half.PublicKey().Bytes()
	public, err := point(raw)
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 the library has no other way in, and the number is within bounds
	return sm2Opening{key: &sm2.PrivateKey{PrivateKey: ecdsa.PrivateKey{PublicKey: *public, D: d}}, raw: raw}, nil
}

func (national) sealingKey(raw []byte) (sealingKey, error) {
	key, err := point(raw)
	if err != nil {
		return nil, fmt.Errorf("read sealing key: %w", err)
	}
	return sm2Sealing{key}, nil
}

// point reads an uncompressed point and checks that it lies on the curve.
func point(raw []byte) (*ecdsa.PublicKey, error) {
	if _, err := ecdh.P256().NewPublicKey(raw); err != nil {
		return nil, errors.New("not a point of SM2's curve")
	}
	//lint:ignore SA1019 the library has no other way in, and the point was checked
	return &ecdsa.PublicKey{Curve: sm2.P256(), X: new(big.Int).SetBytes(raw[1:33]), Y: new(big.Int).SetBytes(raw[33:])}, nil
}

type sm2Opening struct {
	key *sm2.PrivateKey
	raw []byte
}

func (k sm2Opening) public() []byte { return k.raw }

func (k sm2Opening) unwrap(wrapped []byte) ([]byte, error) {
	if len(wrapped) == 0 || wrapped[0] != 0x04 { // the library takes other spellings too
		return nil, errors.New("not an uncompressed point")
	}
	return k.key.Decrypt(rand.Reader, wrapped, sm2.NewPlainDecrypterOpts(sm2.C1C3C2))
}

type sm2Sealing struct{ key *ecdsa.PublicKey }

func (k sm2Sealing) wrap(key []byte) ([]byte, error) {
	wrapped, err := sm2.Encrypt(rand.Reader, k.key, key, sm2.NewPlainEncrypterOpts(sm2.MarshalUncompressed, sm2.C1C3C2))
	if err != nil {
		return nil, fmt.Errorf("wrap batch key: %w", err)
	}
	return wrapped, nil
}

func (national) verify(public, message, signature []byte) bool {
	key, err := point(public)
	return err == nil && sm2.VerifyASN1WithSM2(key, nil, message, signature)
}
