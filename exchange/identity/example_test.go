package identity_test

import (
	"fmt"

	"github.com/onedoor/yimen/exchange/identity"
)

func ExampleParseCitizen() {
	person, err := identity.ParseCitizen(" １１０１０５ 19491231 002ｘ")
	fmt.Println(person, person.Born(), person.Female(), err)

	_, err = identity.ParseCitizen("430281199001010000")
	fmt.Println(err)
	// Output:
	// person:110105**********2X 1949-12-31 true <nil>
	// YM-ID-0106: citizen number looks like Excel turned it into a number; its check digit is wrong and it ends in three zeros: Excel keeps 15 significant digits → set the column to text (文本) before pasting, or export from the database; lost digits cannot be restored, take them from the original
}
