package catalogue

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/onedoor/yimen/exchange"
)

// Keep lays the files that the catalogue was loaded from into dir, under its version, so that an answer can be given again under the
// catalogue it was given under. A version that is there already stays as it is.
func Keep(dir string, c *Catalogue, from ...fs.FS) error {
	place := filepath.Join(dir, c.version)
	if _, err := os.Stat(place); err == nil {
		return nil
	}
	if err := keep(dir, place, c.version, from); err != nil {
		return &exchange.Problem{Code: "YM-CAT-0502", Kind: exchange.Internal, Err: err,
			What: text("目录没有保存到 "+place, "the catalogue could not be kept in "+place),
			Mend: text("检查该文件夹的权限和磁盘空间；若启动时有人在改目录文件，重新启动",
				"check the permissions and the disk space there; if somebody was changing the catalogue's files meanwhile, start again")}
	}
	return nil
}

func keep(dir, place, version string, from []fs.FS) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	draft, err := os.MkdirTemp(dir, "draft-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(draft)
	for i, files := range from {
		if err := copyRead(filepath.Join(draft, strconv.Itoa(i)), files); err != nil {
			return err
		}
	}
	if c, err := Load(kept(draft)...); err != nil || c.version != version {
		return errors.Join(errors.New("the files are not what was loaded"), err)
	}
	return os.Rename(draft, place)
}

// copyRead copies the files that Load reads.
func copyRead(to string, files fs.FS) error {
	for _, pattern := range []string{"departments.yaml", "evidence.yaml", "items/*.yaml", "grants.yaml"} {
		names, err := fs.Glob(files, pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			content, err := fs.ReadFile(files, name)
			if err != nil {
				return err
			}
			path := filepath.Join(to, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(path, content, 0o600); err != nil {
				return err
			}
		}
	}
	return nil
}

// kept are the file systems that lie in place, in their order.
func kept(place string) (parts []fs.FS) {
	for i := 0; ; i++ {
		part := filepath.Join(place, strconv.Itoa(i))
		if _, err := os.Stat(part); err != nil {
			return parts
		}
		parts = append(parts, os.DirFS(part))
	}
}

// Recall loads the catalogue of that version from where Keep has laid it.
func Recall(dir, version string) (*Catalogue, error) {
	if version != "" && filepath.IsLocal(version) {
		if parts := kept(filepath.Join(dir, version)); parts != nil {
			return Load(parts...)
		}
	}
	return nil, &exchange.Problem{Code: "YM-CAT-0501", Kind: exchange.NotFound,
		What: text("没有保存这一版目录："+version, "this version of the catalogue was not kept: "+version),
		Why:  text("作出结论的是另一个节点，或数据目录不全", "another node gave the answer, or the data directory is not whole"),
		Mend: text("从当时的节点或备份把该版本的文件夹复制到 "+dir+"，再重放", "copy the folder of that version from that node or from a backup into "+dir+", and replay again")}
}
