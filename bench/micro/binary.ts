/**
 * Times src/ttlv/binary.ts through the declarations of src/kmip: decoding and encoding of each kind of message, both ways.
 * What it is not: a measurement of a server.
 */
import { readRequest, readResponse, writeRequest, writeResponse } from '#kmip/message'
import { newestVersion } from '#kmip/versions'
import { BinaryReader, BinaryWriter } from '#ttlv/binary'
import { messagePairs } from './messages.ts'
import { noClose, type Suite, type Task } from './suite.ts'

const limits = { nestingDepthMax: 32, itemCountMax: 100_000 }

/** A task a direction and kind. */
export const open = (): Promise<Suite> => {
  const tasks = messagePairs.flatMap(({ kind, request, response }): Task[] => {
    const requestMessage = readRequest(new BinaryReader(request, limits))
    const responseMessage = readResponse(new BinaryReader(response, limits))
    return [
      {
        name: `decode ${kind} request`,
        run: () => readRequest(new BinaryReader(request, limits)).batchItem.length,
      },
      {
        name: `encode ${kind} response`,
        run: () => {
          const writer = new BinaryWriter(newestVersion)
          writeResponse(writer, responseMessage)
          return writer.bytes().length
        },
      },
      {
        name: `encode ${kind} request`,
        run: () => {
          const writer = new BinaryWriter(newestVersion)
          writeRequest(writer, requestMessage)
          return writer.bytes().length
        },
      },
      {
        name: `decode ${kind} response`,
        run: () => readResponse(new BinaryReader(response, limits)).batchItem.length,
      },
    ]
  })
  return Promise.resolve({ tasks, close: noClose })
}
