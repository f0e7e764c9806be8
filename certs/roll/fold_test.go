package roll

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/onedoor/yimen/certs"
	"github.com/onedoor/yimen/certs/roll/rolltest"
)

// folded is a state with what was folded into it so far, and an authority for its certificates.
type folded struct {
	t testing.TB
	*state
	authority *rolltest.Authority
	at        time.Time
}

func newFolded(t testing.TB) *folded {
	return &folded{t, newState(), rolltest.NewAuthority(t), time.Now()}
}

// add folds an entry as another node might have sent it.
func (f *folded) add(e *entry) (nonce, error) {
	f.t.Helper()
	e.Format, e.Nonce = entryFormat, randomNonce()
	if e.At.IsZero() {
		e.At = f.at
	}
	value, err := e.bytes()
	must(f.t, err)
	read, err := parse(rolltest.City, []byte(e.key()), value)
	must(f.t, err)
	return e.Nonce, f.fold(read)
}

func (f *folded) invite(who certs.Identity) nonce {
	f.t.Helper()
	n, err := f.add(&entry{Kind: isInvited, Identity: who.String(), TokenHash: make([]byte, 32), Until: f.at.Add(time.Hour)})
	must(f.t, err)
	return n
}

// certificate makes one that is on no roll yet.
func (f *folded) certificate(who certs.Identity) [][]byte {
	f.t.Helper()
	_, request, err := certs.NewRequest(rand.Reader, "")
	must(f.t, err)
	return f.authority.Papers(certs.Order{Request: request, Identity: who}).Chain
}

func (f *folded) issue(who certs.Identity, change func(*entry)) (certs.Fingerprint, error) {
	f.t.Helper()
	e := &entry{Kind: isIssued, Identity: who.String(), Chain: f.certificate(who)}
	change(e)
	_, err := f.add(e)
	return certs.FingerprintOf(e.Chain[0]), err
}

func (f *folded) enrol(who certs.Identity) certs.Fingerprint {
	f.t.Helper()
	n := f.invite(who)
	print, err := f.issue(who, func(e *entry) { e.Invitation = &n })
	must(f.t, err)
	return print
}

// Whatever the node that sent an entry had looked at before, the fold decides.
func TestWhatEntitlesToACertificate(t *testing.T) {
	invited := func(n nonce, at time.Time) func(*entry) {
		return func(e *entry) { e.Invitation, e.At = &n, at }
	}
	renewing := func(p certs.Fingerprint, at time.Time) func(*entry) {
		return func(e *entry) { e.Renews, e.At = &p, at }
	}
	type try struct {
		who    certs.Identity
		change func(*entry)
	}
	tests := []struct {
		name  string
		stage func(f *folded) try
		code  string
	}{
		{"an invitation", func(f *folded) try { return try{licences, invited(f.invite(licences), f.at)} }, ""},
		{"an invitation in its last moment", func(f *folded) try { return try{licences, invited(f.invite(licences), f.at.Add(time.Hour-1))} }, ""},
		{"an invitation out of date", func(f *folded) try { return try{licences, invited(f.invite(licences), f.at.Add(time.Hour))} }, "0101"},
		{"somebody else's invitation", func(f *folded) try { return try{licences, invited(f.invite(tax), f.at)} }, "0101"},
		{"no such invitation", func(f *folded) try { return try{licences, invited(nonce{9}, f.at)} }, "0101"},
		{"an invitation that was replaced", func(f *folded) try {
			n := f.invite(licences)
			f.invite(licences)
			return try{licences, invited(n, f.at)}
		}, "0101"},
		{"an invitation that was used", func(f *folded) try {
			n := f.invite(licences)
			_, err := f.issue(licences, invited(n, f.at))
			must(f.t, err)
			return try{licences, invited(n, f.at)}
		}, "0101"},
		{"a renewal", func(f *folded) try { return try{licences, renewing(f.enrol(licences), f.at)} }, ""},
		{"a renewal of the same once more", func(f *folded) try { // the answer was lost
			p := f.enrol(licences)
			_, err := f.issue(licences, renewing(p, f.at))
			must(f.t, err)
			return try{licences, renewing(p, f.at)}
		}, ""},
		{"a renewal of somebody else's", func(f *folded) try { return try{licences, renewing(f.enrol(tax), f.at)} }, "0202"},
		{"a renewal of none", func(f *folded) try { return try{licences, renewing(certs.Fingerprint{9}, f.at)} }, "0202"},
		{"a renewal too late", func(f *folded) try {
			return try{licences, renewing(f.enrol(licences), f.at.Add(certs.MaxLife+time.Second))}
		}, "0203"},
		{"a renewal of a revoked one", func(f *folded) try {
			p := f.enrol(licences)
			_, err := f.add(&entry{Kind: isRevoked, Target: p.String(), Reason: Misuse})
			must(f.t, err)
			return try{licences, renewing(p, f.at)}
		}, "0201"},
		{"a department that is revoked", func(f *folded) try {
			p := f.enrol(licences)
			_, err := f.add(&entry{Kind: isRevoked, Target: "scjg", Reason: Misuse})
			must(f.t, err)
			return try{licences, renewing(p, f.at)}
		}, "0201"},
		{"a node", func(f *folded) try { return try{rolltest.Node("n1"), func(*entry) {}} }, ""},
		{"a node that is revoked", func(f *folded) try {
			_, err := f.add(&entry{Kind: isRevoked, Target: rolltest.Node("n1").String(), Reason: Misuse})
			must(f.t, err)
			return try{rolltest.Node("n1"), func(*entry) {}}
		}, "0201"},
		{"a certificate that is on the roll", func(f *folded) try {
			n := f.invite(licences)
			chain := f.certificate(licences)
			_, err := f.issue(licences, func(e *entry) { e.Invitation, e.Chain = &n, chain })
			must(f.t, err)
			again := f.invite(licences)
			return try{licences, func(e *entry) { e.Invitation, e.Chain = &again, chain }}
		}, "0105"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFolded(t)
			made := test.stage(f)
			before := len(f.certificates)
			_, err := f.issue(made.who, made.change)
			wantCode(t, "issue", err, test.code)
			if grown := len(f.certificates) > before; grown != (test.code == "") {
				t.Errorf("%d certificates, before %d", len(f.certificates), before)
			}
		})
	}
}

// A restoration opens nothing that was shut with the revocation.
func TestRestorationOpensNothing(t *testing.T) {
	f := newFolded(t)
	n := f.invite(licences)
	for _, e := range []*entry{{Kind: isRevoked, Target: licences.String(), Reason: Misuse}, {Kind: isRestored, Target: licences.String()}} {
		_, err := f.add(e)
		must(t, err)
	}
	_, err := f.issue(licences, func(e *entry) { e.Invitation = &n })
	wantCode(t, "issue by an earlier invitation", err, "0101")
	if st := f.standing(licences, f.members[licences], f.at); !st.Invited.IsZero() || !st.Revoked.At.IsZero() {
		t.Errorf("%+v", st)
	}
}
