"""What sessions of PyKMIP's own client share: opening one, and telling each step as one JSON line.

What it is not: a session (pykmip_session.py, pykmip_cryptography.py).

A line: {"step", "result"} or {"step", "error": {"type", "reason", "message"}}.
"""
import json
import logging
import warnings

warnings.simplefilter("ignore")  # ssl.wrap_socket is deprecated, and PyKMIP uses it.
logging.disable(logging.CRITICAL)

from kmip.core import enums
from kmip.core import exceptions as core_exceptions
from kmip.pie import exceptions
from kmip.pie.client import ProxyKmipClient


def step(name, run):
    """Does a step and prints what came of it. Gives the result, or None after a failure."""
    try:
        result = run()
        line = {"step": name, "result": plain(result)}
    except (exceptions.KmipOperationFailure, core_exceptions.OperationFailure) as failure:
        result = None
        line = {"step": name, "error": {"type": "failure", "reason": plain(failure.reason), "message": str(failure)}}
    except Exception as failure:  # whatever breaks PyKMIP is a finding, and the test must see it
        result = None
        line = {"step": name, "error": {"type": type(failure).__name__, "message": str(failure)}}
    print(json.dumps(line), flush=True)
    return result


def plain(value):
    """A value as JSON has it."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).hex()
    if hasattr(value, "name") and hasattr(type(value), "__members__"):
        return value.name
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)


def attribute_value(given):
    """An attribute as [name, index, value]."""
    value = given.attribute_value
    if hasattr(value, "name_value"):
        value = value.name_value
    value = getattr(value, "value", value)
    index = given.attribute_index.value if given.attribute_index else None
    return [given.attribute_name.value, index, plain(value)]


def attribute_values(client, uid, names):
    _, given = client.get_attributes(uid, names)
    return sorted((attribute_value(item) for item in given), key=str)


def checked(result):
    if result.result_status.value != enums.ResultStatus.SUCCESS:
        reason = getattr(result.result_reason, "value", result.result_reason)
        message = getattr(result.result_message, "value", result.result_message)
        raise exceptions.KmipOperationFailure(result.result_status.value, reason, message)
    return result


def session(words, username=None, password=None):
    """A client that is not open yet, for HOST PORT CA CERT KEY VERSION."""
    host, port, ca, cert, key, version = words
    return ProxyKmipClient(
        hostname=host, port=int(port), cert=cert, key=key, ca=ca, username=username, password=password,
        ssl_version="PROTOCOL_TLSv1_2" if version == "1.0" else "PROTOCOL_SSLv23",
        config_file="", kmip_version=enums.KMIPVersion(float(version)))
