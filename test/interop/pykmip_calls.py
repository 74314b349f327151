"""A list of calls of PyKMIP's own client, done one after the other, one JSON line a step.

What it is: a table from the name of a call to ProxyKmipClient, with enumerations and bytes made of text. What it is not: a
choice of calls; pykmip-cryptography.test.ts has it.

    python3 pykmip_calls.py HOST PORT CA CERT KEY VERSION < calls.json

Calls: [{"step", "call", "with": {...}}]. Text that starts with "@" names an earlier step and stands for its result; with
"@step#1" for the second part of it. Bytes are hex.
"""
import json
import sys

from pykmip_steps import attribute_values, checked, enums, session, step
from kmip.core.attributes import PrivateKeyUniqueIdentifier
from kmip.core.factories.attributes import AttributeFactory
from kmip.core.factories.payloads.response import ResponsePayloadFactory
from kmip.core.messages import payloads
from kmip.pie import objects

ALGORITHM = enums.CryptographicAlgorithm
PARAMETERS = {
    "block_cipher_mode": enums.BlockCipherMode,
    "padding_method": enums.PaddingMethod,
    "hashing_algorithm": enums.HashingAlgorithm,
    "digital_signature_algorithm": enums.DigitalSignatureAlgorithm,
    "cryptographic_algorithm": ALGORITHM,
}

# PyKMIP has the payloads of these operations, and no client method for them.
for operation, codec in (
    ("archive", payloads.ArchiveResponsePayload),
    ("recover", payloads.RecoverResponsePayload),
    ("obtain_lease", payloads.ObtainLeaseResponsePayload),
    ("get_usage_allocation", payloads.GetUsageAllocationResponsePayload),
):
    setattr(ResponsePayloadFactory, "_create_%s_payload" % operation, lambda self, codec=codec: codec())

results = {}


def resolved(value):
    """A value with the results of earlier steps in it."""
    if isinstance(value, str) and value.startswith("@"):
        name, _, part = value[1:].partition("#")
        return results[name][int(part)] if part else results[name]
    if isinstance(value, list):
        return [resolved(item) for item in value]
    if isinstance(value, dict):
        return {name: resolved(item) for name, item in value.items()}
    return value


def octets(value):
    """Bytes, which are hex in a call and bytes already in an earlier result."""
    return bytes.fromhex(value) if isinstance(value, str) else value


def parameters(given):
    """Cryptographic Parameters: names of enumeration values become the values."""
    if given is None:
        return None
    return {name: PARAMETERS[name][value] if name in PARAMETERS else value for name, value in given.items()}


def masks(names):
    return [enums.CryptographicUsageMask[name] for name in names]


def register_key(client, algorithm, value, usage, name):
    value = octets(value)
    return client.register(objects.SymmetricKey(ALGORITHM[algorithm], len(value) * 8, value, masks=masks(usage), name=name))


def register_secret(client, value, usage, name):
    return client.register(objects.SecretData(octets(value), enums.SecretDataType.SEED, masks=masks(usage), name=name))


def register_private_key(client, value, usage, name):
    return client.register(objects.PrivateKey(
        ALGORITHM.RSA, 2048, octets(value), enums.KeyFormatType.PKCS_8, masks=masks(usage), name=name))


def register_public_key(client, value, usage, name):
    return client.register(objects.PublicKey(
        ALGORITHM.RSA, 2048, octets(value), enums.KeyFormatType.PKCS_1, masks=masks(usage), name=name))


def create(client, algorithm, length, usage, name=None):
    return client.create(ALGORITHM[algorithm], length, name=name, cryptographic_usage_mask=masks(usage))


def create_key_pair(client, algorithm, length, public, private):
    return client.create_key_pair(
        ALGORITHM[algorithm], length, public_usage_mask=masks(public), private_usage_mask=masks(private))


def derive(client, bases, method, by, length, algorithm=None, usage=()):
    by = dict(by)
    by["cryptographic_parameters"] = parameters(by.pop("parameters", None))
    for name in ("initialization_vector", "derivation_data", "salt"):
        if name in by:
            by[name] = octets(by[name])
    wanted = {"cryptographic_length": length}
    if algorithm is not None:
        wanted["cryptographic_algorithm"] = ALGORITHM[algorithm]
        wanted["cryptographic_usage_mask"] = masks(usage)
    kind = enums.ObjectType.SECRET_DATA if algorithm is None else enums.ObjectType.SYMMETRIC_KEY
    return client.derive_key(kind, bases, enums.DerivationMethod[method], by, **wanted)


def encrypt(client, key, data, by=None, iv=None):
    return client.encrypt(octets(data), key, parameters(by), None if iv is None else octets(iv))


def decrypt(client, key, data, by=None, iv=None):
    return client.decrypt(octets(data), key, parameters(by), None if iv is None else octets(iv))


def sign(client, key, data, by=None):
    return client.sign(octets(data), key, parameters(by))


def signature_verify(client, key, data, signature, by=None):
    return client.signature_verify(octets(data), octets(signature), key, parameters(by))


def mac(client, key, data, algorithm):
    return client.mac(octets(data), key, ALGORITHM[algorithm])[1]


def rekey(client, key, offset=None, dates=None):
    return client.rekey(uid=key, offset=offset, **(dates or {}))


def rekey_key_pair(client, key):
    pair = checked(client.proxy.rekey_key_pair(private_key_uuid=PrivateKeyUniqueIdentifier(key)))
    return str(pair.public_key_uuid), str(pair.private_key_uuid)


def check(client, key, usage=None, count=None, lease=None):
    return client.check(key, count, None if usage is None else masks(usage), lease)


def archive(client, key):
    operation = enums.Operation.ARCHIVE
    return client.proxy.send_request_payload(operation, payloads.ArchiveRequestPayload(key)).unique_identifier


def recover(client, key):
    operation = enums.Operation.RECOVER
    return client.proxy.send_request_payload(operation, payloads.RecoverRequestPayload(key)).unique_identifier


def obtain_lease(client, key):
    operation = enums.Operation.OBTAIN_LEASE
    told = client.proxy.send_request_payload(operation, payloads.ObtainLeaseRequestPayload(key))
    return told.unique_identifier, told.lease_time, told.last_change_date is not None


def allocate(client, key, count):
    operation = enums.Operation.GET_USAGE_ALLOCATION
    return client.proxy.send_request_payload(
        operation, payloads.GetUsageAllocationRequestPayload(key, count)).unique_identifier


def get(client, key):
    return client.get(key).value


def revoke(client, key, code):
    return client.revoke(enums.RevocationReasonCode[code], key)


def dates(client, key, names):
    """Dates of an object, as seconds after its Initial Date."""
    told = {name: value for name, _, value in attribute_values(client, key, ["Initial Date"] + names)}
    return {name: told[name] - told["Initial Date"] for name in names if name in told}


def attributes(client, key, names):
    return attribute_values(client, key, names)


def locate(client, name):
    return client.locate(attributes=[AttributeFactory().create_attribute(enums.AttributeType.NAME, name)])


CALLS = {
    "activate": lambda client, key: client.activate(key),
    "destroy": lambda client, key: client.destroy(key),
    **{run.__name__: run for run in (
        allocate, archive, attributes, check, create, create_key_pair, dates, decrypt, derive, encrypt, get, locate, mac, obtain_lease, recover,
        register_key, register_private_key, register_public_key, register_secret, rekey, rekey_key_pair, revoke, sign,
        signature_verify)},
}


def main():
    calls = json.load(sys.stdin)
    with session(sys.argv[1:7]) as client:
        for call in calls:
            name = call["step"]
            results[name] = step(name, lambda: CALLS[call["call"]](client, **resolved(call["with"])))


main()
