package envelope

import (
	"encoding/hex"
	"testing"

	"github.com/transparency-dev/merkle/compact"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
)

// The tree of RFC 6962 (2.1.3 and its reference implementation): eight inputs, and the root over the first 1 to 8 of them.
var (
	referenceInputs = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
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

func TestTreeIsThatOfTheStandard(t *testing.T) {
	var leaves [][hashSize]byte
	for i, input := range referenceInputs {
		leaves = append(leaves, [hashSize]byte(hasher{standard{}}.HashLeaf(unhex(t, input))))
		if root := grow(standard{}, leaves).root(); hex.EncodeToString(root[:]) != referenceRoots[i] {
			t.Errorf("root over %d: %x", i+1, root)
		}
	}
}

// TestTreeIsThatOfTheLibrary builds trees of every size up to a few hundred as the library does, and has it verify every proof.
func TestTreeIsThatOfTheLibrary(t *testing.T) {
	var leaves [][hashSize]byte
	whole := (&compact.RangeFactory{Hash: rfc6962.DefaultHasher.HashChildren}).NewEmptyRange(0)
	for size := 1; size <= 300; size++ {
		leaves = append(leaves, [hashSize]byte(rfc6962.DefaultHasher.HashLeaf([]byte{byte(size), byte(size >> 8)})))
		if err := whole.Append(leaves[size-1][:], nil); err != nil {
			t.Fatal(err)
		}
		want, err := whole.GetRootHash(nil)
		if err != nil {
			t.Fatal(err)
		}
		grown := grow(standard{}, leaves)
		if root := grown.root(); hex.EncodeToString(root[:]) != hex.EncodeToString(want) {
			t.Fatalf("root over %d: %x", size, root)
		}
		for index := range size {
			path := grown.appendPath(nil, index)
			if len(path) != hashSize*pathLength(uint32(index), uint32(size)) {
				t.Fatalf("%d of %d: path of %d bytes", index, size, len(path))
			}
			var nodes [][]byte
			for ; len(path) > 0; path = path[hashSize:] {
				nodes = append(nodes, path[:hashSize])
			}
			if err := proof.VerifyInclusion(rfc6962.DefaultHasher, uint64(index), uint64(size), leaves[index][:], nodes, want); err != nil {
				t.Fatalf("%d of %d: %v", index, size, err)
			}
		}
	}
}

func TestBothSuitesGrowTrees(t *testing.T) {
	for s, a := range suites {
		leaves := make([][hashSize]byte, 7)
		for i := range leaves {
			leaves[i] = a.sum([]byte{byte(i)})
		}
		root := grow(a, leaves).root()
		again := signature{size: 7, index: 4, path: grow(a, leaves).appendPath(nil, 4)}
		if got, ok := again.root(a, leaves[4]); !ok || got != root {
			t.Errorf("suite %d: %x, %v", s, got, ok)
		}
		if got, ok := again.root(a, leaves[5]); !ok || got == root {
			t.Errorf("suite %d: another leaf leads to the root", s)
		}
	}
}
