package exchange

import "fmt"

// Summary counts the materials by what is to be done about them, for a person to read at one glance.
func Summary(answers []Answer) Text {
	counts := map[Outcome]int{}
	for _, a := range answers {
		counts[a.Outcome]++
	}
	line := Text{ZH: fmt.Sprintf("%d 项材料：%d 项免提交", len(answers), counts[Held]), EN: fmt.Sprintf("%d materials: %d need not be supplied", len(answers), counts[Held])}
	for _, rest := range []struct {
		outcome Outcome
		text    Text
	}{
		{Check, Text{ZH: "，%d 项请核对", EN: ", %d to check"}},
		{Unknown, Text{ZH: "，%d 项暂查不到", EN: ", %d not known"}},
		{Supply, Text{ZH: "，%d 项需提交", EN: ", %d to supply"}},
		{Received, Text{ZH: "，%d 项已收原件", EN: ", %d received"}},
	} {
		if n := counts[rest.outcome]; n > 0 {
			line.ZH += fmt.Sprintf(rest.text.ZH, n)
			line.EN += fmt.Sprintf(rest.text.EN, n)
		}
	}
	return line
}
