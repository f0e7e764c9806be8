package adapters

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onedoor/yimen/exchange"
)

// finish ends a reading that reached the source's end: what is gone from a complete source is withdrawn, rows no longer there
// leave quarantine, and the place is saved.
func (g *reading) finish(ctx context.Context, end Reading) (Result, error) {
	if !end.Unchanged {
		if err := g.settle(ctx, end); err != nil {
			return g.result, err
		}
	}
	state := g.r.state
	g.result.Took = g.r.cfg.Clock().Sub(g.started)
	state.meta.Place = end.Place
	state.meta.Meaning = g.r.meaning
	switch {
	case !end.Complete:
		state.meta.UpTo = time.Time{}
	case g.result.HeldBack > 0: // this export is not settled yet, the one before it is; and the source must be read again
		state.meta.Place = nil
		if end.UpTo.After(state.meta.Exported) {
			state.meta.UpTo = state.meta.Exported
		}
	default:
		state.meta.UpTo = end.UpTo.UTC()
	}
	state.meta.Exported = end.UpTo.UTC()
	if !g.result.Skipped {
		state.meta.Last, state.meta.Affirmed = g.result, g.started
	}
	w := state.write()
	defer w.discard()
	return g.result, w.commit(true)
}

// settle compares a reading with what was known before it.
func (g *reading) settle(ctx context.Context, end Reading) error {
	if err := g.send(ctx); err != nil {
		return err
	}
	if end.Complete {
		if err := g.leaveQuarantine(ctx); err != nil {
			return err
		}
		if err := g.withdrawAbsent(ctx, end.UpTo); err != nil {
			return err
		}
	}
	if err := errors.Join(g.send(ctx), g.land()); err != nil {
		return err
	}
	return g.r.state.records(func(_ exchange.RecordID, k known) error {
		if !k.Withdrawn {
			g.result.Records++
		}
		return nil
	})
}

// leaveQuarantine releases the rows that a complete reading no longer saw.
func (g *reading) leaveQuarantine(ctx context.Context) error {
	var gone [][16]byte
	for row := range g.before {
		if !g.rows.has(row) {
			gone = append(gone, row)
		}
	}
	for _, row := range gone {
		g.begin(ctx)
		if err := g.resolve(row); err != nil {
			return err
		}
		if len(g.rejected) >= batchMessages {
			if err := g.send(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// withdrawAbsent withdraws every record whose row is gone. While a row stands in quarantine that was not there before and
// whose record cannot be told, that row may be the missing one: then the records are held back, until a later export
// lacks them too.
func (g *reading) withdrawAbsent(ctx context.Context, upTo time.Time) error {
	absent, standing, err := g.absent()
	if err != nil || len(absent) == 0 {
		return err
	}
	if err := g.checkWithdrawals(len(absent), standing); err != nil {
		return err
	}
	later := upTo.After(g.r.state.meta.HeldUpTo)
	for _, id := range absent {
		if err := g.withdraw(ctx, id, later); err != nil {
			return err
		}
		if len(g.evidence) >= batchMessages {
			if err := g.send(ctx); err != nil {
				return err
			}
		}
	}
	if g.result.HeldBack > 0 && later {
		g.r.state.meta.HeldUpTo = upTo.UTC()
	}
	return nil
}

// withdraw withdraws one record, or holds it back. later says that this is another export than the one it was held back for.
func (g *reading) withdraw(ctx context.Context, id exchange.RecordID, later bool) error {
	g.begin(ctx)
	old, exists, err := g.w.known(id)
	if err != nil {
		return err
	}
	if g.newly == 0 && !old.Missed || old.Missed && later {
		return g.version(id, old, exists, content{digest: g.r.names.Digest(nil)})
	}
	g.result.HeldBack++
	old.Missed = true
	_, err = g.w.publish(id, old, false)
	return err
}

// absent lists the standing records whose row was not seen, and counts all that stand.
func (g *reading) absent() (gone []exchange.RecordID, standing int, err error) {
	err = g.r.state.records(func(id exchange.RecordID, k known) error {
		if k.Withdrawn {
			return nil
		}
		standing++
		if !g.seen.has(k.Ordinal) {
			gone = append(gone, id)
		}
		return nil
	})
	return gone, standing, err
}

// bits is a set of small numbers.
type bits []uint64

func (b bits) has(n uint32) bool {
	return int(n/64) < len(b) && b[n/64]&(1<<(n%64)) != 0
}

func (b *bits) set(n uint32) {
	for int(n/64) >= len(*b) {
		*b = append(*b, make([]uint64, max(64, len(*b)))...)
	}
	(*b)[n/64] |= 1 << (n % 64)
}

// Below these a share says nothing: three bad rows of five are no reason to stop a department. Withdrawing the wrong records
// does more harm, so there fewer are suspicious.
const (
	shareMinimum      = 100
	withdrawalMinimum = 10
)

// checkBounds stops a reading that is plainly wrong, before its batch is sent.
func (g *reading) checkBounds(last bool) error {
	bound, bad, read := g.r.cfg.Manifest.Tolerance, g.result.Quarantined, g.result.Read
	tooMany := bound.Rows > 0 && bad > bound.Rows
	tooLarge := bound.Share > 0 && bad >= shareMinimum && float64(bad) > bound.Share*float64(read)
	if last && bound.Share > 0 && bad == read && read > 0 {
		tooLarge = true // not one sound row, however few there are
	}
	if !tooMany && !tooLarge {
		return nil
	}
	why := g.faults.summary()
	return &exchange.Problem{Code: "YM-ADP-0301", Kind: exchange.Invalid,
		What: exchange.Text{
			ZH: fmt.Sprintf("已停止：读取 %d 行，其中 %d 行有误，超过清单允许的范围（最多 %d 行或 %.1f%%）", read, bad, bound.Rows, bound.Share*100),
			EN: fmt.Sprintf("stopped: %d of %d rows are bad, more than the manifest allows (%d rows or %.1f %%)", bad, read, bound.Rows, bound.Share*100)},
		Why: why,
		Mend: exchange.Text{
			ZH: "多半是编码、列或映射有误：用 yimen adapter check 查看；若数据确实如此，调整清单中的 tolerance",
			EN: "most likely encoding, columns or mapping are wrong: look with `yimen adapter check`; if the data really is so, change tolerance in the manifest"}}
}

// checkWithdrawals stops a reading that would withdraw far more than a day's work: half a file looks just like that.
func (g *reading) checkWithdrawals(gone, standing int) error {
	bound := g.r.cfg.Manifest.Tolerance.WithdrawnShare
	if g.r.cfg.AllowWithdrawals || gone < withdrawalMinimum && gone < standing || float64(gone) <= bound*float64(standing) {
		return nil
	}
	return &exchange.Problem{Code: "YM-ADP-0302", Kind: exchange.Invalid,
		What: exchange.Text{
			ZH: fmt.Sprintf("已停止：%d 条记录中有 %d 条不再出现在声明为完整的数据源中，超过清单允许的 %.1f%%，没有撤回任何记录", standing, gone, bound*100),
			EN: fmt.Sprintf("stopped: %d of %d records no longer stand in a source declared complete, more than the %.1f %% the manifest allows; none was withdrawn", gone, standing, bound*100)},
		Why: exchange.Text{ZH: "文件可能只导出了一部分", EN: "the file may have been exported in part"},
		Mend: exchange.Text{
			ZH: "核对导出；若确实应撤回，用 yimen adapter run --allow-withdrawals 再运行一次",
			EN: "check the export; if they really are to be withdrawn, run once with `yimen adapter run --allow-withdrawals`"}}
}
