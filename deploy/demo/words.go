package demo

import (
	_ "embed"
	"math/rand/v2"
	"strconv"
	"strings"
)

// home is the division code of the city; people and companies of its neighbours are on file as well.
const home = "430281"

var (
	//go:embed words/surnames.txt
	surnameList string
	//go:embed words/given.txt
	givenList string
	//go:embed words/minority.txt
	minorityList string
	//go:embed words/places.txt
	placeList string
	//go:embed words/companies.txt
	companyList string
)

// vocabulary has the words that names and addresses are put together from.
type vocabulary struct {
	surnames  weighted
	given     map[string][]string // by "male" and "female"
	minority  map[string][]string
	places    map[string][]string
	companies map[string][]string
	divisions []string
}

func readVocabulary() *vocabulary {
	v := &vocabulary{
		given:     lists(givenList),
		minority:  lists(minorityList),
		places:    lists(placeList),
		companies: lists(companyList),
		divisions: []string{"430211", "430212", "430202", "430203", "430204", "430223"},
	}
	for line := range strings.Lines(surnameList) {
		if name, weight, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			n, _ := strconv.Atoi(weight) // a test reads the list
			v.surnames.add(name, n)
		}
	}
	return v
}

func (v *vocabulary) person(r *rand.Rand, female bool) string {
	sex := "male"
	if female {
		sex = "female"
	}
	if chance(r, 0.004) {
		return pick(r, v.minority[sex])
	}
	name := v.surnames.pick(r) + pick(r, v.given[sex])
	return name
}

// address is a place to live; company addresses have no flat.
func (v *vocabulary) address(r *rand.Rand) string {
	if chance(r, 0.5) {
		return cityName + pick(r, v.places["town"]) + pick(r, v.places["road"]) + strconv.Itoa(between(r, 1, 399)) + "号"
	}
	return v.flat(r)
}

func (v *vocabulary) flat(r *rand.Rand) string {
	return cityName + pick(r, v.places["town"]) + pick(r, v.places["estate"]) + strconv.Itoa(between(r, 1, 28)) + "栋" +
		strconv.Itoa(between(r, 1, 32)) + "0" + strconv.Itoa(between(r, 1, 8)) + "室"
}
