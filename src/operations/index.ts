/** The registry of operations: one line an operation. Query, dispatch, the documentation and the tests read it. */
import { activate } from './activate.ts'
import { addAttribute } from './add-attribute.ts'
import { archive } from './archive.ts'
import { cancel } from './cancel.ts'
import { certify } from './certify.ts'
import { check } from './check.ts'
import { create } from './create.ts'
import { createKeyPair } from './create-key-pair.ts'
import { createSplitKey } from './create-split-key.ts'
import { decrypt } from './decrypt.ts'
import { deleteAttribute } from './delete-attribute.ts'
import { deriveKey } from './derive-key.ts'
import { destroy } from './destroy.ts'
import { discoverVersions } from './discover-versions.ts'
import { encrypt } from './encrypt.ts'
import { exportObject } from './export.ts'
import { get } from './get.ts'
import { getAttributeList } from './get-attribute-list.ts'
import { getAttributes } from './get-attributes.ts'
import { getUsageAllocation } from './get-usage-allocation.ts'
import { hash } from './hash.ts'
import { importObject } from './import.ts'
import { joinSplitKey } from './join-split-key.ts'
import { locate } from './locate.ts'
import { mac } from './mac.ts'
import { macVerify } from './mac-verify.ts'
import { modifyAttribute } from './modify-attribute.ts'
import { obtainLease } from './obtain-lease.ts'
import type { OperationRow } from './operation.ts'
import { poll } from './poll.ts'
import { query } from './query.ts'
import { reCertify } from './re-certify.ts'
import { reKey } from './re-key.ts'
import { reKeyKeyPair } from './re-key-key-pair.ts'
import { recover } from './recover.ts'
import { register } from './register.ts'
import { revoke } from './revoke.ts'
import { rngRetrieve } from './rng-retrieve.ts'
import { rngSeed } from './rng-seed.ts'
import { sign } from './sign.ts'
import { signatureVerify } from './signature-verify.ts'
import { validate } from './validate.ts'

/** Every operation that the server has. */
export const operations: readonly OperationRow[] = [
  create,
  createKeyPair,
  register,
  reKey,
  reKeyKeyPair,
  certify,
  reCertify,
  validate,
  deriveKey,
  locate,
  check,
  get,
  exportObject,
  importObject,
  getAttributes,
  getAttributeList,
  addAttribute,
  modifyAttribute,
  deleteAttribute,
  obtainLease,
  getUsageAllocation,
  activate,
  revoke,
  destroy,
  encrypt,
  decrypt,
  sign,
  signatureVerify,
  mac,
  macVerify,
  rngRetrieve,
  rngSeed,
  hash,
  createSplitKey,
  joinSplitKey,
  archive,
  recover,
  query,
  discoverVersions,
  cancel,
  poll,
]
