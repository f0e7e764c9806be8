package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/onedoor/yimen/deploy/demo"
	"github.com/onedoor/yimen/exchange"
)

// city makes the departments' files, or finds those of the last time. Then the departments export them once more: the
// same content with today's date.
func (s *session) city(how demonstration) (*demo.City, error) {
	config := demo.Config{Seed: how.seed, People: how.people, Now: s.now()}
	known, err := os.ReadFile(filepath.Join(how.data, cityFile))
	if err == nil {
		if err := json.Unmarshal(known, &config); err != nil {
			return nil, unknownCity(how.data)
		}
		city := demo.New(config)
		people, companies := city.Size()
		s.say("接着用 %s 中的城市：%s 人，%s 家企业\n", "going on with the city in %s: %s people and %s companies\n", how.data, figure(int64(people)), figure(int64(companies)))
		if people != how.people || config.Seed != how.seed {
			s.say("--people 和 --seed 只用于新造的城市；要另造一座，换一个 --data\n", "--people and --seed are for a new city: to make one, name another --data\n")
		}
		return city, touch(filepath.Join(how.data, cityDir), s.now())
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, fileProblem(filepath.Join(how.data, cityFile), err)
	}
	city := demo.New(config)
	people, companies := city.Size()
	s.say("造一座城市：%s 人，%s 家企业\n", "making a city of %s people and %s companies\n", figure(int64(people)), figure(int64(companies)))
	progress := s.progress(0)
	progress.plain = true
	if err := city.Write(filepath.Join(how.data, cityDir), func(done, total int) { progress.of(int64(done), int64(total)) }); err != nil {
		return nil, fmt.Errorf("write city: %w", err)
	}
	progress.end()
	known, err = json.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("note city: %w", err)
	}
	return city, os.WriteFile(filepath.Join(how.data, cityFile), known, 0o600)
}

func unknownCity(data string) error {
	return &exchange.Problem{Code: "YM-CLI-0502", Kind: exchange.Invalid,
		What: both("不认识 "+data+" 中的城市", "the city in "+data+" is not known"),
		Why:  both(cityFile+" 已损坏，或由另一个版本写成", cityFile+" is damaged, or another version wrote it"),
		Mend: both("换一个 --data；或删除这个目录，重新造一座城市", "name another --data, or delete this directory to make a city anew")}
}

func touch(dir string, now time.Time) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		return os.Chtimes(path, now, now)
	})
}
