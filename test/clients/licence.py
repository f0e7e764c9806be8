"""Plays the stock Python client against an exchange: confluent-kafka's serializer, deserializer and registry client.

usage: licence.py BOOTSTRAP REGISTRY TOKEN TOPIC

Prints one JSON report; exit 0 where every step went as it should, 1 where not. The licences are invented.
"""

import json
import sys
import time
import uuid

from confluent_kafka import Consumer, Producer
from confluent_kafka.schema_registry import (
    ConfigCompatibilityLevel,
    Schema,
    SchemaReference,
    SchemaRegistryClient,
    SchemaRegistryError,
    ServerConfig,
    header_schema_id_serializer,
)
from confluent_kafka.schema_registry.json_schema import JSONDeserializer, JSONSerializer
from confluent_kafka.serialization import MessageField, SerializationContext, SerializationError

BOOTSTRAP, REGISTRY, TOKEN, TOPIC = sys.argv[1:5]
EVIDENCE = "evidence.business-licence-value"
SUBJECT = TOPIC + "-value"
LICENCES = {
    "prefix": {
        "creditCode": "91430281000000019C",
        "name": "醴陵市示例瓷业有限公司",
        "registeredOn": "2003-05-18",
        "capital": {"amount": "5000000", "currency": "CNY"},
        "status": "存续",
    },
    "header": {"creditCode": "91430281000000211Y", "name": "醴陵市示例建筑工程有限公司", "registeredOn": "1998-11-02"},
}

steps = []


def step(name):
    """Runs the function at once and notes what came of it."""

    def run(f):
        try:
            detail = f()
            steps.append({"name": name, "ok": True, "detail": detail})
        except Exception as e:  # every failure belongs into the report
            steps.append({"name": name, "ok": False, "detail": f"{type(e).__name__}: {e}"})

    return run


def expect(got, want, what=""):
    if got != want:
        raise AssertionError(f"{what}: got {got!r}, want {want!r}")
    return got


def refused(code, f, *args, status=None, **kwargs):
    """Expects an error of the registry, by its code (a number or several)."""
    try:
        got = f(*args, **kwargs)
    except SchemaRegistryError as e:
        codes = code if isinstance(code, tuple) else (code,)
        if e.error_code not in codes or status not in (None, e.http_status_code):
            raise AssertionError(f"error {e.error_code} (HTTP {e.http_status_code}: {e.error_message}), want {code}")
        return e.error_code
    raise AssertionError(f"got {got!r}, want error {code}")


def client(token=TOKEN):
    conf = {"url": REGISTRY}
    if token is not None:
        conf["basic.auth.user.info"] = "clerk:" + token
    return SchemaRegistryClient(conf)


def invented(**more):
    """A closed schema of invented things."""
    s = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "thing",
        "type": "object",
        "properties": {"number": {"type": "string"}},
        "required": ["number"],
        "additionalProperties": False,
    }
    s.update(more)
    return Schema(json.dumps(s), "JSON")


def optional_added():
    return invented(properties={"number": {"type": "string"}, "note": {"type": "string"}})


def required_added():
    return invented(
        properties={"number": {"type": "string"}, "note": {"type": "string"}}, required=["number", "note"]
    )


state = {}


@step("latest schema of the evidence type")
def _():
    latest = client().get_latest_version(EVIDENCE)
    expect(latest.subject, EVIDENCE, "subject")
    expect(latest.schema.schema_type, "JSON", "type")
    uuid.UUID(latest.guid)
    title = json.loads(latest.schema.schema_str)["title"]
    state["evidence"] = latest
    return {"id": latest.schema_id, "version": latest.version, "title": title}


def produce(framing, serializer):
    headers = []
    licence = LICENCES[framing]
    value = serializer(licence, SerializationContext(TOPIC, MessageField.VALUE, headers))
    failures = []
    producer = Producer({"bootstrap.servers": BOOTSTRAP, "acks": "all", "message.timeout.ms": 30000})
    producer.produce(
        TOPIC,
        key=licence["creditCode"],
        value=value,
        headers=headers,
        on_delivery=lambda err, _: failures.append(str(err)) if err else None,
    )
    expect(producer.flush(35), 0, "messages not sent")
    expect(failures, [], "failures")
    return value, headers


@step("produce with the id before the value; the schema is registered under the topic's own subject")
def _():
    registry = client()
    serializer = JSONSerializer(state["evidence"].schema.schema_str, registry, None, {"auto.register.schemas": True})
    value, headers = produce("prefix", serializer)
    expect(value[0], 0, "magic byte")
    expect(headers, [], "headers")
    framed = int.from_bytes(value[1:5], "big")
    expect(framed, state["evidence"].schema_id, "id of the same schema under another subject")
    expect(client().get_latest_version(SUBJECT).schema_id, framed, "id under the topic's subject")
    return {"id": framed}


@step("produce with the guid in a header")
def _():
    conf = {"auto.register.schemas": True, "schema.id.serializer": header_schema_id_serializer}
    serializer = JSONSerializer(state["evidence"].schema.schema_str, client(), None, conf)
    value, headers = produce("header", serializer)
    expect(json.loads(value), LICENCES["header"], "value is plain JSON")
    expect([name for name, _ in headers], ["__value_schema_id"], "headers")
    expect(headers[0][1][0], 1, "magic byte")
    expect(uuid.UUID(bytes=headers[0][1][1:]), uuid.UUID(state["evidence"].guid), "guid")


@step("produce without registering, and by the latest version")
def _():
    context = SerializationContext(TOPIC, MessageField.VALUE, [])
    for conf in (
        {"auto.register.schemas": False},
        {"auto.register.schemas": False, "use.latest.version": True},
        {"auto.register.schemas": False, "use.schema.id": state["evidence"].schema_id},
    ):
        value = JSONSerializer(state["evidence"].schema.schema_str, client(), None, conf)(LICENCES["prefix"], context)
        expect(int.from_bytes(value[1:5], "big"), state["evidence"].schema_id, str(conf))


@step("an invalid licence is refused before it is sent")
def _():
    serializer = JSONSerializer(state["evidence"].schema.schema_str, client())
    bad = {
        "no name": {"creditCode": "91430281000000019C", "registeredOn": "2003-05-18"},
        "surplus field": {**LICENCES["header"], "surplus": 1},
        "code of a wrong form": {**LICENCES["header"], "creditCode": "9143"},
        "number for a text": {**LICENCES["header"], "name": 1},
        "unknown status": {**LICENCES["header"], "status": "x"},
    }
    for name, licence in bad.items():
        try:
            serializer(licence, SerializationContext(TOPIC, MessageField.VALUE, []))
        except SerializationError:
            continue
        raise AssertionError(name + ": it was taken")
    return len(bad)


@step("a fresh consumer reads both framings")
def _():
    deserializer = JSONDeserializer(None, schema_registry_client=client())
    consumer = Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": "clients-" + uuid.uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    read = {}
    try:
        consumer.subscribe([TOPIC])
        until = time.monotonic() + 60
        while len(read) < len(LICENCES) and time.monotonic() < until:
            message = consumer.poll(1)
            if message is None or message.error():
                continue
            headers = message.headers() or []
            context = SerializationContext(TOPIC, MessageField.VALUE, headers)
            framing = "header" if headers else "prefix"
            read[framing] = deserializer(message.value(), context)
            expect(message.key().decode(), LICENCES[framing]["creditCode"], "key")
    finally:
        consumer.close()
    expect(read, LICENCES, "licences")
    return sorted(read)


A = TOPIC + ".things-value"
ADDRESS = TOPIC + ".address-value"
PERSON = TOPIC + ".with/slash and 汉字-value"


@step("register, and again: the same id")
def _():
    r = client()
    state["id"] = r.register_schema(A, invented())
    expect(client().register_schema(A, invented()), state["id"], "id the second time")
    full = client().register_schema_full_response(A, invented())
    expect(full.schema_id, state["id"], "id in the full response")
    uuid.UUID(full.guid)
    state["guid"] = full.guid
    expect(client().register_schema(A, invented(), normalize_schemas=True), state["id"], "id of the normal form")
    return state["id"]


@step("a subject with a slash, a space and Chinese")
def _():
    expect(client().register_schema(PERSON, invented()), state["id"], "id of the same content")
    expect(client().get_versions(PERSON), [1], "versions")
    expect(PERSON in client().get_subjects(), True, "listed")


@step("look up")
def _():
    found = client().lookup_schema(A, invented())
    expect((found.subject, found.version, found.schema_id, found.guid), (A, 1, state["id"], state["guid"]), "entry")
    refused(40403, client().lookup_schema, A, optional_added(), status=404)
    return refused(40401, client().lookup_schema, A + "-nowhere", invented(), status=404)


@step("by id and by guid")
def _():
    want = json.loads(invented().schema_str)
    expect(json.loads(client().get_schema(state["id"]).schema_str), want, "by id")
    expect(json.loads(client().get_schema(state["id"], subject_name=A).schema_str), want, "by id and subject")
    by_guid = client().get_schema_by_guid(state["guid"])
    expect((json.loads(by_guid.schema_str), by_guid.schema_type), (want, "JSON"), "by guid")
    refused(40403, client().get_schema, 2_000_000_000, status=404)
    refused(40403, client().get_schema_by_guid, str(uuid.uuid4()), status=404)
    expect(sorted(client().get_subjects_by_schema_id(state["id"])), sorted([A, PERSON]), "subjects of the id")
    uses = [(v.subject, v.version) for v in client().get_schema_versions(state["id"])]
    expect(sorted(uses), sorted([(A, 1), (PERSON, 1)]), "uses of the id")
    expect(client().get_schema_types(), ["JSON"], "types")


@step("compatibility test")
def _():
    expect(client().test_compatibility(A, invented()), True, "with itself")
    expect(client().test_compatibility(A, optional_added()), True, "an optional field more")
    expect(client().test_compatibility(A, required_added()), False, "a required field more")
    expect(client().test_compatibility(A, required_added(), version=1, verbose=True), False, "against version 1")
    expect(client().test_compatibility_all_versions(A, optional_added()), True, "against all")
    expect(client().test_compatibility_all_versions(A, required_added(), verbose=True), False, "against all")


@step("an incompatible version is refused, a compatible one is version 2")
def _():
    refused((409, 40901), client().register_schema, A, required_added(), status=409)
    second = client().register_schema(A, optional_added())
    expect(second != state["id"], True, "another id")
    latest = client().get_latest_version(A)
    expect((latest.version, latest.schema_id), (2, second), "latest")
    expect(client().get_versions(A), [1, 2], "versions")
    expect(client().get_version(A, 1).schema_id, state["id"], "version 1")
    refused(40402, client().get_version, A, 7, status=404)
    refused(40401, client().get_versions, A + "-nowhere", status=404)
    return second


@step("what is no schema is refused")
def _():
    for text in ('{"type":"strange"}', "{", '{"$ref":"#"}', '{"$ref":"http://example.test/a.json"}', '{"a":1,"a":2}'):
        refused(42201, client().register_schema, A + "-bad", Schema(text, "JSON"), status=422)
    refused((42201, 422), client().register_schema, A + "-bad", Schema('"string"', "AVRO"))
    expect(A + "-bad" in client().get_subjects(), False, "listed")


@step("levels")
def _():
    expect(client().get_compatibility(), "BACKWARD", "global")
    refused(40408, client().get_compatibility, A, status=404)
    expect(client().set_compatibility(A, "full").get("compatibility"), "FULL", "set")
    expect(client().get_compatibility(A), "FULL", "of the subject")
    expect(client().test_compatibility(A, invented()), False, "FULL: a field less of a closed schema")
    client().set_config(A, ServerConfig(compatibility=ConfigCompatibilityLevel.NONE))
    got = client().get_config(A)
    expect((got.compatibility_level or got.compatibility).value, "NONE", "config")
    expect(client().test_compatibility(A, required_added()), True, "NONE")
    client().delete_config(A)
    refused(40408, client().get_compatibility, A, status=404)
    expect(client().get_compatibility(), "BACKWARD", "global afterwards")
    return refused((42203, 40001), client().set_compatibility, A, "SIDEWAYS")


@step("references")
def _():
    address = Schema('{"title":"address","type":"object","properties":{"city":{"type":"string"}}}', "JSON")
    client().register_schema(ADDRESS, address)
    reference = SchemaReference(name="address.json", subject=ADDRESS, version=1)
    person = Schema(
        '{"title":"person","type":"object","properties":{"home":{"$ref":"address.json"}}}', "JSON", [reference]
    )
    registered = client().register_schema(A + "-person", person)
    expect(client().get_referenced_by(ADDRESS, 1), [registered], "referenced by")
    got = client().get_schema(registered)
    expect([(x.name, x.subject, x.version) for x in got.references], [("address.json", ADDRESS, 1)], "references")
    conf = {"auto.register.schemas": False, "subject.name.strategy": lambda ctx, name: A + "-person"}
    serializer = JSONSerializer(person, client(), None, conf)
    context = SerializationContext(TOPIC, MessageField.VALUE, [])
    try:
        serializer({"home": {"city": 1}}, context)
        raise AssertionError("a document that the referenced schema refuses was taken")
    except SerializationError:
        pass
    expect(serializer({"home": {"city": "醴陵"}}, context)[0], 0, "magic byte")
    refused(42206, client().delete_version, ADDRESS, 1, status=422)
    missing = Schema(person.schema_str, "JSON", [SchemaReference(name="address.json", subject=ADDRESS, version=9)])
    refused((42201, 42206, 40402), client().register_schema, A + "-person", missing)
    return registered


@step("modes and contexts")
def _():
    expect(client().get_global_mode(), "READWRITE", "global")
    expect(client().update_mode(A, "READONLY"), "READONLY", "set")
    expect(client().get_mode(A), "READONLY", "of the subject")
    refused(42205, client().register_schema, A, invented(title="other"), status=422)
    client().delete_mode(A)
    refused(40409, client().get_mode, A, status=404)
    refused(42204, client().update_mode, A, "SIDEWAYS", status=422)
    expect(client().get_contexts(), ["."], "contexts")


@step("delete a version, softly and for good")
def _():
    refused((40407,), client().delete_version, A, 2, permanent=True, status=404)
    expect(client().delete_version(A, 2), 2, "deleted")
    expect(client().get_versions(A), [1], "versions")
    expect(client().get_versions(A, deleted=True), [1, 2], "versions with deleted ones")
    refused(40402, client().get_version, A, 2, status=404)
    expect(client().get_version(A, 2, deleted=True).version, 2, "deleted version")
    refused(40406, client().delete_version, A, 2, status=404)
    expect(client().delete_version(A, 2, permanent=True), 2, "deleted for good")
    expect(client().get_versions(A, deleted=True), [1], "versions with deleted ones afterwards")
    refused(40402, client().delete_version, A, 7, status=404)


@step("delete a subject, softly and for good")
def _():
    refused(40405, client().delete_subject, A, permanent=True, status=404)
    expect(client().delete_subject(A), [1], "deleted")
    refused(40401, client().get_versions, A, status=404)
    expect(A in client().get_subjects(), False, "listed")
    expect(A in client().get_subjects(deleted=True), True, "listed with deleted ones")
    expect(json.loads(client().get_schema(state["id"]).schema_str)["title"], "thing", "schema of a deleted subject")
    refused(40404, client().delete_subject, A, status=404)
    expect(client().delete_subject(A, permanent=True), [1], "deleted for good")
    expect(A in client().get_subjects(deleted=True), False, "listed with deleted ones afterwards")
    refused(40401, client().delete_subject, A, status=404)


@step("a prefix of subjects")
def _():
    expect(sorted(client().get_subjects(subject_prefix=TOPIC)), sorted([SUBJECT, ADDRESS, A + "-person", PERSON]), "by prefix")
    expect(client().get_subjects(subject_prefix=TOPIC, offset=1, limit=2),
           client().get_subjects(subject_prefix=TOPIC)[1:3], "a page")


@step("who may do what")
def _():
    expect(client(token=None).get_latest_version(EVIDENCE).schema_id, state["evidence"].schema_id, "reading is open")
    for token in (None, "wrong-token"):
        try:
            client(token=token).register_schema(A + "-stranger", invented())
        except SchemaRegistryError as e:
            expect(e.http_status_code, 401, "HTTP status")
            continue
        raise AssertionError("a stranger registered a schema")
    expect(A + "-stranger" in client().get_subjects(deleted=True), False, "listed")


ok = all(s["ok"] for s in steps)
print(json.dumps({"ok": ok, "steps": steps}, ensure_ascii=False, indent=1))
sys.exit(0 if ok else 1)
