package tabular

import (
	"context"
	"time"

	"github.com/onedoor/yimen/adapters"
)

// Rows yields every row of a file that no manifest speaks of, written in the dialect. See adapters.Source for what a row is.
func Rows(ctx context.Context, path string, dialect adapters.Dialect, yield func(adapters.Row) error) error {
	s := &Source{path: path, dialect: dialect, glyphs: glyphs(dialect.Glyphs), clock: time.Now}
	_, err := s.Read(ctx, nil, yield)
	return err
}
