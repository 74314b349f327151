"""One session of PyKMIP's own client with a KMIP server, one JSON line a step.

What it is: ProxyKmipClient (and KMIPProxy beneath it, where that says more) doing what its users do. What it is not: a
judge; pykmip.test.ts compares the lines.

    python3 pykmip_session.py HOST PORT CA CERT KEY VERSION < materials.json

Materials: {"certificate", "publicKey" (PKCS#1), "privateKey" (PKCS#8)}, DER in hex.
"""
import json
import sys

from pykmip_steps import attribute_value, attribute_values, checked, enums, session, step
from kmip.core.factories.attributes import AttributeFactory
from kmip.core.factories.payloads.response import ResponsePayloadFactory
from kmip.core.messages import payloads
from kmip.core.misc import KeyFormatType
from kmip.pie import objects

A = enums.AttributeType
MASK = enums.CryptographicUsageMask

WORDS = sys.argv[1:7]
VERSION = WORDS[5]
MATERIALS = {name: bytes.fromhex(value) for name, value in json.load(sys.stdin).items()}
PREFIX = "pykmip-" + VERSION + "-"

attributes = AttributeFactory()

# PyKMIP has no Add Attribute. Its payloads are those of Modify Attribute field by field, so the codec is there.
ResponsePayloadFactory._create_add_attribute_payload = (
    lambda self: payloads.ModifyAttributeResponsePayload()
)


def attribute(name, value, index=None):
    return attributes.create_attribute(name, value, index)


def described(managed):
    """What a managed object of the Pie API tells of itself."""
    fields = ("cryptographic_algorithm", "cryptographic_length", "key_format_type", "data_type", "opaque_type",
              "certificate_type", "key_wrapping_data")
    told = {name: getattr(managed, name) for name in fields if getattr(managed, name, None)}
    told["object_type"] = managed.object_type
    told["value"] = managed.value
    return told


def symmetric_key(client):
    name = PREFIX + "aes"
    uid = step("create", lambda: client.create(
        enums.CryptographicAlgorithm.AES, 256, name=name, operation_policy_name="default",
        cryptographic_usage_mask=[MASK.ENCRYPT, MASK.DECRYPT]))
    step("create another", lambda: bool(client.create(enums.CryptographicAlgorithm.AES, 128, name=PREFIX + "taken")))
    step("create duplicate name", lambda: client.create(
        enums.CryptographicAlgorithm.AES, 256, name=name))
    step("create wrong length", lambda: client.create(enums.CryptographicAlgorithm.AES, 100))
    step("get", lambda: described(client.get(uid)))
    for wanted in (enums.KeyFormatType.RAW, enums.KeyFormatType.TRANSPARENT_SYMMETRIC_KEY, enums.KeyFormatType.PKCS_8):
        step("get as " + wanted.name, lambda: checked(
            client.proxy.get(uid, key_format_type=KeyFormatType(wanted))).secret.key_block.key_format_type.value)
    step("get attribute list", lambda: client.get_attribute_list(uid))
    step("get attributes", lambda: attribute_values(client, uid, [
        "Name", "Object Type", "Cryptographic Algorithm", "Cryptographic Length", "Cryptographic Usage Mask", "State"]))
    step("get all attributes", lambda: [told[0] for told in attribute_values(client, uid, [])])
    step("get unknown attributes", lambda: attribute_values(client, uid, ["x-nothing", "No Such Attribute"]))
    attribute_steps(client, uid)
    locate_steps(client, uid, name)
    life_steps(client, uid)


def change(client, operation, uid, given):
    payload = payloads.ModifyAttributeRequestPayload(unique_identifier=uid, attribute=given)
    return attribute_value(client.proxy.send_request_payload(operation, payload).attribute)


def attribute_steps(client, uid):
    add, modify = enums.Operation.ADD_ATTRIBUTE, enums.Operation.MODIFY_ATTRIBUTE
    step("add attribute", lambda: change(client, add, uid, attribute("x-shelf", "upper")))
    step("add second instance", lambda: change(client, add, uid, attribute(A.NAME, PREFIX + "aes-too")))
    step("add a name that another has", lambda: change(client, add, uid, attribute(A.NAME, PREFIX + "taken")))
    step("add read-only attribute", lambda: change(client, add, uid, attribute(A.STATE, enums.State.ACTIVE)))
    step("modify attribute", lambda: attribute_value(client.modify_attribute(
        uid, attribute=attribute("x-shelf", "lower"))[1]))
    step("modify second instance", lambda: change(client, modify, uid, attribute(A.NAME, PREFIX + "aes-again", 1)))
    step("modify missing attribute", lambda: change(client, modify, uid, attribute("x-nothing", "there")))
    step("attributes changed", lambda: attribute_values(client, uid, ["Name", "x-shelf"]))
    step("delete attribute", lambda: attribute_value(client.delete_attribute(
        uid, attribute_name="x-shelf", attribute_index=0)[1]))
    step("delete missing attribute", lambda: client.delete_attribute(
        uid, attribute_name="x-shelf", attribute_index=0)[0])
    step("delete required attribute", lambda: client.delete_attribute(
        uid, attribute_name="Object Type", attribute_index=0)[0])
    step("set attribute", lambda: client.set_attribute(uid, attribute_name="Sensitive", attribute_value=True))


def locate_steps(client, uid, name):
    step("locate by name", lambda: client.locate(attributes=[attribute(A.NAME, name)]) == [uid])
    step("locate by second name", lambda: client.locate(attributes=[attribute(A.NAME, PREFIX + "aes-again")]) == [uid])
    step("locate nothing", lambda: client.locate(attributes=[attribute(A.NAME, "no such name")]))
    for index in range(3):
        secret = objects.SecretData(b"page %d" % index, enums.SecretDataType.SEED, name=PREFIX + "page-%d" % index)
        step("register page %d" % index, lambda: bool(client.register(secret)))
    kind = [attribute(A.OBJECT_TYPE, enums.ObjectType.SECRET_DATA)]
    found = step("locate by type", lambda: client.locate(attributes=kind)) or []
    step("locate by type count", lambda: len(found))
    step("locate at most two", lambda: client.locate(maximum_items=2, attributes=kind) == found[:2])
    step("locate the rest", lambda: client.locate(maximum_items=2, offset_items=2, attributes=kind) == found[2:4])
    step("locate by two attributes", lambda: client.locate(
        attributes=kind + [attribute(A.NAME, PREFIX + "page-1")]) != [])


def life_steps(client, uid):
    step("check", lambda: client.check(uid, cryptographic_usage_mask=[MASK.ENCRYPT]) == uid)
    step("activate", lambda: client.activate(uid))
    step("activate again", lambda: client.activate(uid))
    step("state active", lambda: attribute_values(client, uid, ["State"]))
    step("destroy active", lambda: client.destroy(uid))
    step("revoke", lambda: client.revoke(
        enums.RevocationReasonCode.CESSATION_OF_OPERATION, uid, revocation_message="end of test"))
    step("state revoked", lambda: attribute_values(client, uid, ["State"]))
    step("destroy", lambda: client.destroy(uid))
    step("get destroyed", lambda: described(client.get(uid)))
    compromised = step("create to compromise", lambda: client.create(enums.CryptographicAlgorithm.AES, 128))
    step("revoke compromised", lambda: client.revoke(
        enums.RevocationReasonCode.KEY_COMPROMISE, compromised, compromise_occurrence_date=1700000000))
    step("state compromised", lambda: attribute_values(client, compromised, ["State"]))


def key_pair(client):
    pair = step("create key pair", lambda: client.create_key_pair(
        enums.CryptographicAlgorithm.RSA, 2048, public_name=PREFIX + "public", public_usage_mask=[MASK.VERIFY],
        private_name=PREFIX + "private", private_usage_mask=[MASK.SIGN])) or (None, None)
    step("get public key", lambda: described(client.get(pair[0])))
    step("get private key", lambda: described(client.get(pair[1])))
    for wanted in (enums.KeyFormatType.PKCS_1, enums.KeyFormatType.X_509):
        step("get public key as " + wanted.name, lambda: checked(
            client.proxy.get(pair[0], key_format_type=KeyFormatType(wanted))).secret.key_block.key_format_type.value)
    for wanted in (enums.KeyFormatType.PKCS_1, enums.KeyFormatType.PKCS_8):
        step("get private key as " + wanted.name, lambda: checked(
            client.proxy.get(pair[1], key_format_type=KeyFormatType(wanted))).secret.key_block.key_format_type.value)
    step("private key attributes", lambda: attribute_values(client, pair[1], [
        "Cryptographic Algorithm", "Cryptographic Length", "Cryptographic Usage Mask", "Name", "Object Type", "State"]))


def registered(client):
    aes = enums.CryptographicAlgorithm.AES
    rsa = enums.CryptographicAlgorithm.RSA
    given = {
        "symmetric key": objects.SymmetricKey(
            aes, 128, bytes(range(16)), masks=[MASK.ENCRYPT], name=PREFIX + "registered-aes"),
        "secret data": objects.SecretData(
            b"pass word", enums.SecretDataType.PASSWORD, masks=[MASK.DERIVE_KEY], name=PREFIX + "secret"),
        "opaque object": objects.OpaqueObject(
            b"\x00\x01\x02", enums.OpaqueDataType.NONE, name=PREFIX + "opaque"),
        "certificate": objects.X509Certificate(
            MATERIALS["certificate"], masks=[MASK.VERIFY], name=PREFIX + "certificate"),
        "public key": objects.PublicKey(
            rsa, 2048, MATERIALS["publicKey"], enums.KeyFormatType.PKCS_1, masks=[MASK.VERIFY],
            name=PREFIX + "registered-public"),
        "private key": objects.PrivateKey(
            rsa, 2048, MATERIALS["privateKey"], enums.KeyFormatType.PKCS_8, masks=[MASK.SIGN],
            name=PREFIX + "registered-private"),
    }
    for name, managed in given.items():
        uid = step("register " + name, lambda: client.register(managed))
        step("get registered " + name, lambda: described(client.get(uid)))
        step("attributes of registered " + name, lambda: attribute_values(client, uid, ["Name", "Object Type", "State"]))
    wrong = objects.SymmetricKey(aes, 128, bytes(16), masks=[MASK.ENCRYPT], name=PREFIX + "wrong")
    wrong.cryptographic_length = 256
    step("register wrong length", lambda: client.register(wrong))


def server_questions(client):
    step("discover versions", lambda: [
        str(version) for version in checked(client.proxy.discover_versions()).protocol_versions])
    asked = [enums.QueryFunction.QUERY_OPERATIONS, enums.QueryFunction.QUERY_OBJECTS,
             enums.QueryFunction.QUERY_SERVER_INFORMATION]

    def query():
        answer = checked(client.proxy.query(query_functions=asked))
        return {
            "operations": sorted(operation.name for operation in answer.operations),
            "objects": sorted(kind.name for kind in answer.object_types),
            "vendor": answer.vendor_identification,
        }

    step("query", query)


def refused(client):
    unknown = "00000000-0000-7000-8000-000000000000"
    step("get unknown", lambda: described(client.get(unknown)))
    step("get attributes unknown", lambda: attribute_values(client, unknown, ["Name"]))
    step("get without identifier", lambda: described(client.get()))
    step("activate unknown", lambda: client.activate(unknown))
    step("destroy unknown", lambda: client.destroy(unknown))
    step("session lives", lambda: client.locate(attributes=[attribute(A.NAME, "no such name")]))


def main():
    client = session(WORDS)
    step("connect", client.open)
    server_questions(client)
    symmetric_key(client)
    key_pair(client)
    registered(client)
    refused(client)
    step("close", client.close)
    stranger = session(WORDS, "kmip", "not the password")
    step("connect with a wrong password", stranger.open)
    step("locate with a wrong password", stranger.locate)
    step("close with a wrong password", stranger.close)


main()
