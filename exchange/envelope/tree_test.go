package envelope

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"testing"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// The leaves and roots that implementations of Certificate Transparency test with: roots[n] is that over the first n+1 leaves.
var (
	referenceLeaves = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
	referenceRoots  = []string{
		"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
		"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
		"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
		"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
		"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
		"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
		"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
		"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
	}
)

func referenceTree(t *testing.T, size int) (leaves []leaf, root [hashSize]byte) {
	t.Helper()
	for _, input := range referenceLeaves[:size] {
		raw, err := hex.DecodeString(input)
		if err != nil {
			t.Fatal(err)
		}
		leaves = append(leaves, leaf{hash: standard{}.sum(append([]byte{leafPrefix}, raw...))})
	}
	return leaves, tree(standard{}, leaves)
}

func TestMerkleTreeIsRFC6962(t *testing.T) {
	for i, want := range referenceRoots {
		if _, root := referenceTree(t, i+1); hex.EncodeToString(root[:]) != want {
			t.Errorf("%d leaves: %x, want %s", i+1, root, want)
		}
	}
	// The proof of leaf 3 of 7 is: leaf 2, the node over 0 and 1, the root over 4 to 6 (RFC 6962, section 2.1.3).
	leaves, _ := referenceTree(t, 7)
	four := inner(standard{}, leaves[4].hash[:], leaves[5].hash[:])
	want := [][hashSize]byte{leaves[2].hash, inner(standard{}, leaves[0].hash[:], leaves[1].hash[:]),
		inner(standard{}, four[:], leaves[6].hash[:])}
	if got := leaves[3].header; !bytes.Equal(got, slices.Concat(want[0][:], want[1][:], want[2][:])) {
		t.Errorf("proof of leaf 3 of 7: %x", got)
	}
}

// TestProofsHoldByTheLibrary: what trees give as proofs, somebody else's verifier takes, and for no other leaf, place or size.
func TestProofsHoldByTheLibrary(t *testing.T) {
	for _, hasher := range []struct {
		algorithms
		holds func(index, size uint64, leaf []byte, path [][]byte, root []byte) error
	}{
		{standard{}, func(index, size uint64, leaf []byte, path [][]byte, root []byte) error {
			return proof.VerifyInclusion(rfc6962.DefaultHasher, index, size, leaf, path, root)
		}},
		{national{}, func(index, size uint64, leaf []byte, path [][]byte, root []byte) error {
			return proof.VerifyInclusion(&scratch{algorithms: national{}}, index, size, leaf, path, root)
		}},
	} {
		for size := 1; size <= 70; size++ {
			leaves := make([]leaf, size)
			for i := range leaves {
				leaves[i].hash = hasher.sum([]byte{leafPrefix, byte(i)})
			}
			root := tree(hasher, leaves)
			for i := range leaves {
				path := slices.Collect(slices.Chunk(leaves[i].header, hashSize))
				if err := hasher.holds(uint64(i), uint64(size), leaves[i].hash[:], path, root[:]); err != nil {
					t.Fatalf("leaf %d of %d: %v", i, size, err)
				}
				for j := range leaves {
					if j != i && hasher.holds(uint64(j), uint64(size), leaves[i].hash[:], path, root[:]) == nil {
						t.Fatalf("leaf %d of %d passes for leaf %d", i, size, j)
					}
				}
			}
		}
	}
}

// FuzzSignature: what is read of a header is all there is in it.
func FuzzSignature(f *testing.F) {
	f.Add([]byte{})
	f.Add(append([]byte{signatureFormat, byte(Standard)}, make([]byte, signatureHead)...))
	full := make([]byte, signatureHead+2*hashSize+64)
	full[0], full[1], full[signatureHead-1] = signatureFormat, byte(National), 2
	binary.BigEndian.PutUint32(full[signatureHead-9:], 3)
	f.Add(full)
	f.Add(bytes.Repeat([]byte{0xff}, 2000))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := readSignature(b)
		if !ok {
			return
		}
		again := append([]byte{signatureFormat, byte(s.suite)}, s.by[:]...)
		again = binary.BigEndian.AppendUint64(again, uint64(s.at))
		again = binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(again, s.size), s.index)
		again = append(append(again, byte(len(s.proof))), bytes.Join(s.proof, nil)...)
		if again = append(again, s.signed...); !bytes.Equal(again, b) {
			t.Errorf("read %x, which is %x", b, again)
		}
		if s.index >= s.size || len(s.signed) == 0 || len(s.signed) > maxSignature || len(s.proof) > maxProof {
			t.Errorf("an impossible header is taken: %x", b)
		}
	})
}
