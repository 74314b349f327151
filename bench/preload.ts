/**
 * The objects that a measurement asks for: made before it, destroyed after it. What it is not: part of what is measured.
 */
import { nameAttribute } from '#client/attribute'
import { type ClientOptions, createClient } from '#client/client'
import { ObjectType } from '#kmip/enums'
import { keyAttributes, type Preloaded } from './scenarios/index.ts'

const clientCount = 4
/** In flight on each session: enough for a server that shares one disk write among many. */
const pipelineMax = 32

/** Work on every index below `count`, by a few clients at once. @throws the first error of any */
const onEvery = async (
  options: ClientOptions,
  count: number,
  work: (client: ReturnType<typeof createClient>, index: number) => Promise<void>,
): Promise<void> => {
  const clients = Array.from({ length: clientCount }, () => createClient({ ...options, pipelineMax }))
  let next = 0
  const lane = async (client: ReturnType<typeof createClient>): Promise<void> => {
    while (next < count) {
      next += 1
      await work(client, next - 1)
    }
  }
  try {
    await Promise.all(clients.flatMap((client) => Array.from({ length: pipelineMax }, () => lane(client))))
  } finally {
    for (const client of clients) client.transport.destroy()
  }
}

/**
 * Makes AES-256 keys with names of their own.
 * @param prefix of the names; no other measurement has it
 */
export const preload = async (options: ClientOptions, count: number, prefix: string): Promise<Preloaded[]> => {
  const objects: Preloaded[] = []
  await onEvery(options, count, async (client, index) => {
    const name = `${prefix}-${index}`
    const { uniqueIdentifier } = await client.create({
      objectType: ObjectType.SymmetricKey,
      templateAttribute: { attribute: [...keyAttributes, nameAttribute(name)] },
    })
    objects[index] = { uniqueIdentifier, name }
  })
  return objects
}

/** Destroys them again. */
export const unload = (options: ClientOptions, objects: readonly Preloaded[]): Promise<void> =>
  onEvery(options, objects.length, async (client, index) => {
    await client.destroy({ uniqueIdentifier: objects[index]?.uniqueIdentifier })
  })
