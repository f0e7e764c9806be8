#!/usr/bin/env bash
# 问一门平台：一件事项、一位申请人，哪些材料政府已有。 / Asks a Yimen exchange which of an item's materials government already holds.
# 号码从标准输入读，令牌和证书从文件读：都不出现在命令行、地址或环境变量中。
# The number comes by standard input, token and certificate from files: none of them stands in a command line, an address or the environment.
#
#   echo 91430281000000019C | YIMEN_URL=https://… YIMEN_CA=roots.crt YIMEN_TOKEN=window.token ./query.sh food-licence-new LL-2026-1123-0041
#
# YIMEN_TOKEN  写有令牌的文件 / a file that holds the token        YIMEN_CERT  yimen enroll 写下的 identity.key / as yimen enroll wrote it
# YIMEN_PATIENCE  总共等多少秒，默认 60 / how many seconds to wait, all in all; 60
# 需要 / needs: bash, curl, jq, openssl.  退出码 / exit code: 0 有结论 answered, 1 被拒绝 refused, 2 用法 usage
set -euo pipefail
umask 077

if (($# != 2)) || [[ -z ${YIMEN_URL:-} || -z ${YIMEN_CA:-} || -z ${YIMEN_TOKEN:-}${YIMEN_CERT:-} ]]; then
  echo "用法 / usage: YIMEN_URL=… YIMEN_CA=… YIMEN_TOKEN=FILE ./query.sh ITEM CASE < number" >&2
  exit 2
fi
IFS= read -r number || [[ -n $number ]]

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '%s' "$number" | jq -Rc --arg item "$1" --arg case "$2" '{$case, $item, applicant: .}' >"$work/body" # printf is the shell's own: no process shows its words

# 每次发送用新的随机数，键不变：平台只处理一次。curl 自己的 --retry 会重发同一随机数，会被拒绝。
# A new nonce with each sending, the same key with all: it is carried out once. curl's own --retry would repeat the nonce, which is refused.
key=$(openssl rand -hex 16)
send() {
  {
    if [[ -n ${YIMEN_TOKEN:-} ]]; then printf 'header = "Authorization: Bearer %s"\n' "$(tr -d '\r\n' <"$YIMEN_TOKEN")"; fi
    if [[ -n ${YIMEN_CERT:-} ]]; then printf 'cert = "%s"\nkey = "%s"\n' "$YIMEN_CERT" "$YIMEN_CERT"; fi
    printf 'header = "Idempotency-Key: %s"\nheader = "Yimen-Nonce: %s"\nheader = "Yimen-Time: %s"\n' "$key" "$(openssl rand -hex 16)" "$(date -u +%FT%TZ)"
  } >"$work/config" # 0600
  curl --silent --show-error --max-time 30 --proto =https --cacert "$YIMEN_CA" --config "$work/config" --header 'Content-Type: application/json' \
    --data-binary "@$work/body" --dump-header "$work/headers" --output "$work/answer" --write-out '%{http_code}' "$YIMEN_URL/v1/queries"
}

pause=1 until=$((SECONDS + ${YIMEN_PATIENCE:-60}))
while :; do
  failed=0
  status=$(send) || failed=$?
  after=
  case $failed:$status in
    0:200) break ;;
    0:429 | 0:503) after=$(tr -d '\r' <"$work/headers" | awk 'tolower($1) == "retry-after:" && $2 ~ /^[0-9]+$/ {print $2}') ;;&
    0:503 | 0:502 | 0:504) after=${after:-$pause} ;;
    0:429) ;; # 没有 Retry-After：等待无用 / waiting does not help without Retry-After
    6:* | 7:* | 28:* | 52:* | 55:* | 56:*) after=$pause ;; # 连不上、超时、中断 / not reached, too slow, cut off
  esac
  if [[ -z $after ]] || ((SECONDS + after > until)); then
    if ((failed == 0)); then # RFC 9457
      jq -r '"\(.code // .status): \(.title)", (.detail // empty), "→ \(.mend // "")"' "$work/answer" >&2 2>/dev/null || echo "HTTP $status" >&2
    fi
    exit 1
  fi
  sleep "$after"
  pause=$((pause < 8 ? pause * 2 : 8))
done

jq -r '.answers[] | [.outcome, .material, .name.zh, .reason // ""] | @tsv' "$work/answer"
jq -r '"回执 / receipt \(.receipt.id)"' "$work/answer"
