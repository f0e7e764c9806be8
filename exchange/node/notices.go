package node

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"net/http"
	"path/filepath"
	"strings"

	"github.com/onedoor/yimen/exchange/audit"
	"github.com/onedoor/yimen/exchange/door"
	"github.com/onedoor/yimen/exchange/envelope"
	"github.com/onedoor/yimen/exchange/notice"
	"github.com/onedoor/yimen/exchange/notice/webhook"
	"github.com/onedoor/yimen/exchange/reliance"
)

// Directories below Config.Data.
const (
	relianceDir = "reliance"
	noticesDir  = "notices"
)

// notify begins to fold who relied on what, and to tell them of what becomes of it. Both follow from the topics.
func (n *Node) notify(ctx context.Context) (err error) {
	n.Reliances, err = reliance.Open(reliance.Config{Dir: filepath.Join(n.cfg.Data, relianceDir), Log: n.around.Log,
		Learnt: func(ctx context.Context, all []reliance.Reliance) error { return n.Notices.Learnt(ctx, all) }})
	if err != nil {
		return err
	}
	n.close = append(n.close, n.Reliances.Close)
	sender, err := n.sender()
	if err != nil {
		return err
	}
	n.close = append(n.close, sender.Close)
	config := notice.Config{City: n.cfg.City, Dir: filepath.Join(n.cfg.Data, noticesDir), Topics: n.Bus, Keys: n.orders(), Holdings: n.Index, Reliances: n.Reliances,
		Sender: sender, Audit: n.act, Standby: n.cfg.Webhooks.Standby, GiveUp: n.cfg.Webhooks.GiveUp, Clock: n.around.Clock, Log: n.around.Log, Metrics: n.Metrics}
	for _, d := range n.Catalogue.Departments() {
		config.Departments = append(config.Departments, d.Code)
	}
	if n.Notices, err = notice.New(config); err != nil {
		return err
	}
	n.close = append(n.close, n.Notices.Close)
	next := n.Reliances.Next()
	if err := n.reaches(ctx, audit.Topic, next, relianceDir); err != nil {
		return err
	}
	places, err := n.Notices.Next(ctx, notice.SubscriptionsTopic)
	if err != nil {
		return err
	}
	if err := n.reaches(ctx, notice.SubscriptionsTopic, places[0], noticesDir); err != nil {
		return err
	}
	n.goes("tell cases", func(ctx context.Context) error {
		if err := n.Notices.Run(ctx); ctx.Err() == nil {
			return err
		}
		return nil
	})
	n.goes("fold reliances", func(ctx context.Context) error {
		return n.Bus.Follow(ctx, audit.Topic, map[int]int64{0: next}, n.Reliances.Take)
	})
	bounded, cancel := context.WithTimeout(ctx, n.cfg.Kafka.Wait)
	defer cancel()
	err = n.Notices.Settled(bounded) // what was subscribed before is there before the first question
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		n.around.Log.Warn("subscriptions are still being read; until then nobody is told anything", "topic", notice.SubscriptionsTopic)
		return nil
	}
	return err
}

// reaches sees that a topic of one partition goes as far as a directory has folded it.
func (n *Node) reaches(ctx context.Context, topic string, next int64, dir string) error {
	ends, err := n.Bus.EndOffsets(ctx, topic)
	if err == nil && next > ends[0] {
		err = topicMadeAnew(topic, filepath.Join(n.cfg.Data, dir))
	}
	return err
}

// sender reaches webhooks, in the networks that the configuration allows.
func (n *Node) sender() (*webhook.Sender, error) {
	allow, err := prefixes(n.cfg.Webhooks.Allow)
	if err != nil {
		return nil, err
	}
	config := webhook.Config{Origin: n.cfg.City + ".yimen", Allow: allow, Sign: n.noticesKey, Clock: n.around.Clock}
	if file := n.cfg.Webhooks.CA; file != "" {
		if config.Roots, err = x509.SystemCertPool(); err != nil {
			config.Roots = x509.NewCertPool()
		}
		if err := addRoots(config.Roots, file, "YM-CFG-0112", "webhooks.ca", text("接收方根证书", "the receivers' root certificates")); err != nil {
			return nil, err
		}
	}
	return webhook.New(config), nil
}

func (n *Node) noticesKey(ctx context.Context) (ed25519.PrivateKey, error) {
	return n.signer(ctx, noticesKey)
}

// unnoticed is where to begin with a topic, so that neither the index nor the notices miss anything: each passes over what it has.
func (n *Node) unnoticed(ctx context.Context, topic string, from map[int]int64) (map[int]int64, error) {
	if !strings.HasPrefix(topic, envelope.EvidenceTopic("")) {
		return from, nil
	}
	next, err := n.Notices.Next(ctx, topic)
	if err != nil {
		return nil, err
	}
	for partition := range from {
		from[partition] = min(from[partition], next[partition])
	}
	return from, nil
}

// subscribing is where departments subscribe.
func (n *Node) subscribing() *notice.Desk {
	return &notice.Desk{Office: n.Notices, Key: n.noticesKey, Person: func(r *http.Request) (notice.Person, error) {
		caller, err := n.door.Caller(r)
		return notice.Person{Department: caller.Department, Name: caller.Name(), Admin: caller.May(door.Admin)}, err
	}}
}
