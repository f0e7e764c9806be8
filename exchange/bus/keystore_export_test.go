package bus

// ParseListeners is parseListeners as a test sees it: name and address of each.
func ParseListeners(listeners, protocols, address string) (all []string) {
	for _, l := range parseListeners(listeners, protocols, address) {
		all = append(all, l.name+" "+l.address)
	}
	return all
}
