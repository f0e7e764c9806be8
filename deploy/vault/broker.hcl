# What a machine of Kafka's brokers may do in Vault: have certificates of brokers signed (yimen certify), and nothing else.

path "yimen-pki/sign/broker" { capabilities = ["update"] }

# Know the roots.
path "yimen-pki/issuers" { capabilities = ["list"] }
path "yimen-pki/issuer/+/json" { capabilities = ["read"] }

# Which secrets there are is asked at the start. They are wrapped, and cannot be unwrapped here.
path "yimen-kv/data/secrets" { capabilities = ["read"] }

# Look after its own token.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
