package main

// verbs are the nouns and verbs of the command. A new one is a method in a file of its own, and a line here.
func (s *session) verbs() []verb {
	return []verb{
		s.demoVerb(),
		s.serveVerb(),
		s.queryVerb(),
		s.adapterVerbs(),
		s.quarantineVerbs(),
		s.schemaVerbs(),
		s.itemVerbs(),
		s.enrollVerb(),
		s.identityVerbs(),
		s.completionVerb(),
		s.versionVerb(),
	}
}
