package exchange

// Verification is the result of comparing stated facts with what is held, numbered as verifyCertInfo (证照信息核验) of the
// national e-licence sharing interface does. There is none for "it could not be found out": then there is no result.
type Verification int

// The eight results.
const (
	Correct         Verification = iota // 信息正确且证照有效
	CorrectInactive                     // 信息正确，证照尚未生效
	CorrectPaused                       // 信息正确，证照被暂停
	CorrectEnded                        // 信息正确，证照已失效: cancelled, revoked, overdue, changed
	Undecided                           // 信息不足以确定唯一的证照
	NothingFound                        // 没有查到证照
	NothingStated                       // 没有给出待核验的信息
	Incorrect                           // 部分信息不正确或者不完整
)

var verifications = [...]Text{
	Correct:         {ZH: "信息正确，证照有效", EN: "correct and valid"},
	CorrectInactive: {ZH: "信息正确，证照尚未生效", EN: "correct, not in force yet"},
	CorrectPaused:   {ZH: "信息正确，证照已暂停", EN: "correct, suspended"},
	CorrectEnded:    {ZH: "信息正确，证照已失效", EN: "correct, no longer valid"},
	Undecided:       {ZH: "查到多条，所给信息不足以确定", EN: "several were found and the facts do not tell which"},
	NothingFound:    {ZH: "没有查到证照", EN: "nothing was found"},
	NothingStated:   {ZH: "没有给出待核验的信息", EN: "no facts were given"},
	Incorrect:       {ZH: "部分信息不正确或者不完整", EN: "some facts are wrong or incomplete"},
}

// Text is the result as people read it.
func (v Verification) Text() Text {
	if v < 0 || int(v) >= len(verifications) {
		return Text{}
	}
	return verifications[v]
}
