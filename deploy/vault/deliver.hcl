# What brings an exchange node its secret-id may do: ask for one, wrapped for at most five minutes, and never see it.

path "auth/approle/role/yimen-node/secret-id" {
  capabilities     = ["update"]
  min_wrapping_ttl = "1s"
  max_wrapping_ttl = "5m"
}
