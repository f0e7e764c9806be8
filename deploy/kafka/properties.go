// Package kafka holds the configuration of a Kafka broker as a city runs it.
package kafka

import _ "embed"

// Properties is server.properties of the first of three brokers.
//
//go:embed server.properties
var Properties string
