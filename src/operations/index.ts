/** The registry of operations: one line an operation. Query, dispatch, the documentation and the tests read it. */
import { activate } from './activate.ts'
import { addAttribute } from './add-attribute.ts'
import { cancel } from './cancel.ts'
import { check } from './check.ts'
import { create } from './create.ts'
import { createKeyPair } from './create-key-pair.ts'
import { deleteAttribute } from './delete-attribute.ts'
import { destroy } from './destroy.ts'
import { discoverVersions } from './discover-versions.ts'
import { get } from './get.ts'
import { getAttributeList } from './get-attribute-list.ts'
import { getAttributes } from './get-attributes.ts'
import { locate } from './locate.ts'
import { modifyAttribute } from './modify-attribute.ts'
import type { OperationRow } from './operation.ts'
import { poll } from './poll.ts'
import { query } from './query.ts'
import { register } from './register.ts'
import { revoke } from './revoke.ts'
import { rngRetrieve } from './rng-retrieve.ts'
import { rngSeed } from './rng-seed.ts'

/** Every operation that the server has. */
export const operations: readonly OperationRow[] = [
  create,
  createKeyPair,
  register,
  locate,
  check,
  get,
  getAttributes,
  getAttributeList,
  addAttribute,
  modifyAttribute,
  deleteAttribute,
  activate,
  revoke,
  destroy,
  rngRetrieve,
  rngSeed,
  query,
  discoverVersions,
  cancel,
  poll,
]
