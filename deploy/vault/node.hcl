# What an exchange node may do in Vault, and nothing else.

# Certify: sign requests by the four roles. No sign-verbatim, no issue (which would make keys), no other issuer.
path "yimen-pki/sign/adapter" { capabilities = ["update"] }
path "yimen-pki/sign/service" { capabilities = ["update"] }
path "yimen-pki/sign/clerk" { capabilities = ["update"] }
path "yimen-pki/sign/node" { capabilities = ["update"] }

# Know the roots.
path "yimen-pki/issuers" { capabilities = ["list"] }
path "yimen-pki/issuer/+/json" { capabilities = ["read"] }

# Wrap and unwrap secrets. "update" only: "create" would make a key where none is.
path "yimen-transit/encrypt/yimen" { capabilities = ["update"] }
path "yimen-transit/decrypt/yimen" { capabilities = ["update"] }

# Keep the wrapped secrets, in one document. Nothing is deleted or destroyed.
path "yimen-kv/data/secrets" { capabilities = ["create", "read", "update"] }

# Look after its own token.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
