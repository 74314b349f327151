"""A first key with PyKMIP: the example of the README, run by the tests.

    python3 docs/examples/first_key.py ./data 5696
"""
import sys

from kmip import enums
from kmip.pie import client

data, port = sys.argv[1], int(sys.argv[2])

with client.ProxyKmipClient(
    hostname="localhost",
    port=port,
    ca=f"{data}/bootstrap/ca.pem",
    cert=f"{data}/bootstrap/client.pem",
    key=f"{data}/bootstrap/client.key",
    config_file="/dev/null",
    kmip_version=enums.KMIPVersion.KMIP_1_4,
) as kmip:
    identifier = kmip.create(
        enums.CryptographicAlgorithm.AES,
        256,
        name="first-pykmip-key",
        cryptographic_usage_mask=[enums.CryptographicUsageMask.ENCRYPT, enums.CryptographicUsageMask.DECRYPT],
    )
    print("created  ", identifier)
    kmip.activate(identifier)
    key = kmip.get(identifier)
    print("got      ", key.cryptographic_algorithm.name, key.cryptographic_length, "bits")
    kmip.revoke(enums.RevocationReasonCode.CESSATION_OF_OPERATION, identifier)
    kmip.destroy(identifier)
    print("destroyed", identifier)
