package main

// verbs are the nouns and verbs of the command. A new one is a method in a file of its own, and a line here.
func (s *session) verbs() []verb {
	return []verb{
		s.demoVerb(),
		s.serveVerb(),
		s.queryVerb(),
		s.batchVerb(),
		s.enrollVerb(),
		s.renewVerb(),
		s.identityVerbs(),
		s.certifyVerb(),
		s.passwordVerb(),
		s.keyVerbs(),
		s.eraseVerbs(),
		s.indexVerbs(),
		s.adapterVerbs(),
		s.quarantineVerbs(),
		s.schemaVerbs(),
		s.itemVerbs(),
		s.grantVerbs(),
		s.doubtVerbs(),
		s.subscriptionVerbs(),
		s.kafkaVerbs(),
		s.limitsVerbs(),
		s.auditVerbs(),
		s.subjectVerbs(),
		s.witnessVerb(),
		s.completionVerb(),
		s.versionVerb(),
	}
}
