#!/usr/bin/env bash
# Sets up a Vault for Yimen: mounts, roles, keys, policies. Running it again changes nothing that is right already.
set -euo pipefail

usage() {
  cat <<'HELP'
用法 / usage: deploy/vault/setup.sh CITY [MACHINE-CA.pem NAMES [BROKERS]]

  CITY             城市名，即身份 spiffe://CITY/… 中的名字，例如 liling
                   the city's name, as in its identities spiffe://CITY/…, such as liling
  MACHINE-CA.pem   可选：持有该 CA 所签证书、且名称（CN）在 NAMES 中的机器可凭证书登录
  NAMES            optional: machines with a certificate of this CA whose common name is among NAMES (joined by commas) may
                   log in by it
  BROKERS          可选：其中的 Kafka 代理机器（CN），可凭证书登录为 yimen-broker，为自己签发代理证书
                   optional: machines of Kafka's brokers (common names of the same CA), which may log in as yimen-broker to have brokers'
                   certificates issued

需要 vault 命令，并已登录到有管理权限的令牌（VAULT_ADDR、VAULT_CACERT、vault login）。
Needs the vault command, logged in with an administrator's token (VAULT_ADDR, VAULT_CACERT, vault login).

退出码 / exit codes: 0 完成 done · 1 未完成 not done · 2 用法错误 wrong usage
HELP
}

case ${1-} in
  --help | -h) usage; exit 0 ;;
esac
if (($# != 1 && $# != 3 && $# != 4)) || [[ ! $1 =~ ^[a-z][a-z0-9]*(-[a-z0-9]+)*$ ]]; then
  usage >&2
  exit 2
fi
city=$1
machine_ca=${2-}
machine_names=${3-}
broker_names=${4-}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

say() { printf '%s\n' "$1"; }
secrets=$(vault secrets list)
logins=$(vault auth list)

# mounted LIST PATH: whether the list names the path.
mounted() { awk '{print $1}' <<<"$1" | grep -qxF "$2/"; }

mount_engines() {
  mounted "$secrets" yimen-pki || vault secrets enable -path=yimen-pki -max-lease-ttl=175200h pki
  mounted "$secrets" yimen-transit || vault secrets enable -path=yimen-transit transit
  mounted "$secrets" yimen-kv || vault secrets enable -path=yimen-kv -version=2 kv
  mounted "$logins" approle || vault auth enable approle
}

# The root is made once. It can certify this city's identities only, and no other authority. Whoever has a root outside Vault
# imports an intermediate of it under yimen-pki first; then none is made here.
root() {
  vault list yimen-pki/issuers >/dev/null 2>&1 && return
  vault write -field=expiration yimen-pki/root/generate/internal \
    common_name="Yimen $city" organization="$city" key_type=ec key_bits=256 ttl=175200h \
    max_path_length=0 permitted_uri_domains="$city" >/dev/null
}

# role NAME URI LIFE SETTING…: what certificates of a role say. Requests give their key alone.
role() {
  local name=$1 uri=$2 life=$3
  shift 3
  vault write "yimen-pki/roles/$name" \
    allowed_uri_sans="$uri" organization="$city" \
    require_cn=true cn_validations=disabled use_csr_common_name=false use_csr_sans=false serial_number_source=json \
    key_type=any key_usage=DigitalSignature client_flag=true code_signing_flag=false email_protection_flag=false \
    ttl="$life" max_ttl="$life" not_before_duration=60s basic_constraints_valid_for_non_ca=true \
    no_store=true generate_lease=false allow_wildcard_certificates=false \
    "$@" >/dev/null
}

roles() {
  local no_hosts=(server_flag=false allow_any_name=false allow_localhost=false allow_ip_sans=false)
  local hosts=(server_flag=true allow_any_name=true allow_localhost=true allow_ip_sans=true enforce_hostnames=true)
  role adapter "spiffe://$city/dept/*/adapter/*" 72h "${no_hosts[@]}"
  role service "spiffe://$city/dept/*/service/*" 72h "${no_hosts[@]}"
  role clerk "spiffe://$city/dept/*/clerk/*" 72h "${no_hosts[@]}"
  role node "spiffe://$city/node/*" 72h "${hosts[@]}"
  role broker "spiffe://$city/broker/*" 2160h "${hosts[@]}" # 90 days: see certs.BrokerLife
}

# Secrets are wrapped by a key that never leaves Vault; each change of the document names the version it changes.
keeping() {
  vault write yimen-transit/keys/yimen type=aes256-gcm96 exportable=false allow_plaintext_backup=false >/dev/null
  # A new kv mount is not ready at once.
  local tries=0
  until vault write yimen-kv/config cas_required=true max_versions=100 >/dev/null 2>&1; do
    ((++tries < 20)) || { vault write yimen-kv/config cas_required=true max_versions=100; return; }
    sleep 0.25
  done
}

login() {
  vault policy write yimen-node "$here/node.hcl" >/dev/null
  vault policy write yimen-deliver "$here/deliver.hcl" >/dev/null
  vault policy write yimen-broker "$here/broker.hcl" >/dev/null
  vault write auth/approle/role/yimen-node \
    token_policies=yimen-node token_no_default_policy=true token_type=service token_ttl=1h token_max_ttl=24h \
    bind_secret_id=true secret_id_num_uses=0 secret_id_ttl=0 >/dev/null
  [[ -n $machine_ca ]] || return 0
  mounted "$logins" cert || vault auth enable cert
  vault write auth/cert/certs/yimen-node certificate=@"$machine_ca" allowed_common_names="$machine_names" \
    token_policies=yimen-node token_no_default_policy=true token_type=service token_ttl=1h token_max_ttl=24h >/dev/null
  [[ -n $broker_names ]] || return 0
  vault write auth/cert/certs/yimen-broker certificate=@"$machine_ca" allowed_common_names="$broker_names" \
    token_policies=yimen-broker token_no_default_policy=true token_type=service token_ttl=10m token_max_ttl=10m >/dev/null
}

mount_engines
say "引擎已启用 / engines enabled"
root
roles
say "证书机构与五个角色 / certificate authority and five roles: yimen-pki"
keeping
say "密钥的封装与存放 / wrapping and keeping of secrets: yimen-transit, yimen-kv"
login
say "策略与登录 / policies and login: yimen-node, yimen-deliver, yimen-broker"
say "role_id: $(vault read -field=role_id auth/approle/role/yimen-node/role-id)"
