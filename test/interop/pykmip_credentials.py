"""A session of PyKMIP's own client for each way to say who it is, one JSON line a step.

What it is: keys made with a certificate alone, with user name and password, and with a device credential. What it is not: a
choice of clients and users; pykmip-credentials.test.ts makes them.

    python3 pykmip_credentials.py HOST PORT CA CERT KEY VERSION < sessions.json

Sessions: [{"step", "cert", "key", "username"?, "password"?, "device"?}]; cert and key are paths of files. A step gives the
Unique Identifier of its key.
"""
import json
import sys

from pykmip_steps import checked, enums, session, step
from kmip.core.factories.attributes import AttributeFactory
from kmip.core.factories.credentials import CredentialFactory
from kmip.core.objects import TemplateAttribute

WORDS = sys.argv[1:]

# A device's credential goes with a request of the lower client; the upper one knows of none.
ATTRIBUTES = AttributeFactory()
KEY = [
    (enums.AttributeType.CRYPTOGRAPHIC_ALGORITHM, enums.CryptographicAlgorithm.AES),
    (enums.AttributeType.CRYPTOGRAPHIC_LENGTH, 256),
    (enums.AttributeType.CRYPTOGRAPHIC_USAGE_MASK, [enums.CryptographicUsageMask.ENCRYPT]),
]


def made(client, device):
    if device is None:
        return client.create(enums.CryptographicAlgorithm.AES, 256)
    credential = CredentialFactory().create_credential(enums.CredentialType.DEVICE, device)
    template = TemplateAttribute(attributes=[ATTRIBUTES.create_attribute(kind, value) for kind, value in KEY])
    return checked(client.proxy.create(enums.ObjectType.SYMMETRIC_KEY, template, credential=credential)).uuid


def run(given):
    words = WORDS[:3] + [given["cert"], given["key"]] + WORDS[5:]
    with session(words, given.get("username"), given.get("password")) as client:
        return made(client, given.get("device"))


for each in json.load(sys.stdin):
    step(each["step"], lambda given=each: run(given))
