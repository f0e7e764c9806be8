package ledger

// LogPath is where auditors find the log, in the form of tlog-tiles.
const LogPath = "/v1/audit/log/"
