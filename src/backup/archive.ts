/**
 * The file of a backup: members one after the other in the form of tar, so that any system can look into it. What it is: writing
 * and reading such a file. What it is not: a reader of every tar; it takes what it writes: plain files with short names.
 *
 *   member    head 512 (POSIX ustar) | content | zeros up to a multiple of 512        end: 1,024 zeros
 */

import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { BackupRefused } from './refused.ts'

/** A member to be written: bytes, or a file with its size. */
export interface Member {
  readonly name: string
  readonly content: Uint8Array | { readonly path: string; readonly bytes: number }
}

/** Where a member's content lies within an archive. */
export interface Place {
  readonly offset: number
  readonly bytes: number
}

const blockBytes = 512
/** Hashed and written at once: a fraction of a millisecond, after which others have the thread. */
const chunkBytes = 256 * 1024
const magic = Buffer.from('ustar\x0000', 'latin1')
/** What eleven octal digits can say. */
const sizeMax = 8 ** 11 - 1
const ownerOnly = 0o600
const membersMax = 64

/** Writes an archive piece by piece. */
export class ArchiveWriter {
  readonly #file: FileHandle
  readonly #seconds: number
  #at = 0

  /** Use `createArchive`. */
  constructor(file: FileHandle, seconds: number) {
    this.#file = file
    this.#seconds = seconds
  }

  /** Adds a member. Gives the SHA-256 of its content. @throws BackupRefused when it is too large or changes its size meanwhile */
  async add({ name, content }: Member): Promise<Buffer> {
    const isBytes = content instanceof Uint8Array
    const bytes = isBytes ? content.length : content.bytes
    if (bytes > sizeMax) throw new BackupRefused(`${name} is larger than a member of this form can be`)
    await this.#write(headOf(name, bytes, this.#seconds))
    const hash = createHash('sha256')
    if (isBytes) await this.#write(hashed(hash, content))
    else await readThrough(content.path, { offset: 0, bytes }, (chunk) => this.#write(hashed(hash, chunk)))
    await this.#write(Buffer.alloc((blockBytes - (bytes % blockBytes)) % blockBytes))
    return hash.digest()
  }

  /** Ends the archive and waits for the disk. Gives its size. */
  async end(): Promise<number> {
    await this.#write(Buffer.alloc(2 * blockBytes))
    await this.#file.sync()
    await this.close()
    return this.#at
  }

  /** Lets go of the file, whatever is in it. */
  close(): Promise<void> {
    return this.#file.close()
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return
    await this.#file.writeFile(bytes)
    this.#at += bytes.length
  }
}

/** A new archive, mode 0600. @param seconds the time that its members have. @throws what the file system says, also when it is there */
export async function createArchive(path: string, seconds: number): Promise<ArchiveWriter> {
  return new ArchiveWriter(await open(path, 'wx', ownerOnly), seconds)
}

/**
 * The members of an archive.
 * @throws BackupRefused when the file is not one, or is cut short
 */
export async function membersOf(path: string): Promise<ReadonlyMap<string, Place>> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const members = new Map<string, Place>()
    for (let at = 0; ; ) {
      const head = Buffer.alloc(blockBytes)
      const { bytesRead } = await file.read(head, 0, blockBytes, at)
      if (bytesRead < blockBytes) throw new BackupRefused(`${path} is cut short, or no backup`)
      if (head.every((byte) => byte === 0)) return members
      const { name, bytes } = parseHead(head, path)
      const offset = at + blockBytes
      if (offset + bytes > size) throw new BackupRefused(`${path} is cut short in ${name}`)
      if (members.has(name) || members.size >= membersMax)
        throw new BackupRefused(`${path} is no backup of this server`)
      members.set(name, { offset, bytes })
      at = offset + Math.ceil(bytes / blockBytes) * blockBytes
    }
  } finally {
    await file.close()
  }
}

/** A part of a file, passed on chunk by chunk in order. @throws BackupRefused when the file ends before it */
export async function readThrough(
  path: string,
  { offset, bytes }: Place,
  take: (chunk: Buffer) => void | Promise<void>,
): Promise<void> {
  const file = await open(path, 'r')
  try {
    const chunk = Buffer.alloc(Math.min(chunkBytes, bytes))
    for (let done = 0; done < bytes; ) {
      const { bytesRead } = await file.read(chunk, 0, Math.min(chunk.length, bytes - done), offset + done)
      if (bytesRead === 0) throw new BackupRefused(`${path} ends too early`)
      await take(chunk.subarray(0, bytesRead))
      done += bytesRead
    }
  } finally {
    await file.close()
  }
}

function hashed<B extends Uint8Array>(hash: ReturnType<typeof createHash>, bytes: B): B {
  hash.update(bytes)
  return bytes
}

function headOf(name: string, bytes: number, seconds: number): Buffer {
  const head = Buffer.alloc(blockBytes)
  const octal = (value: number, at: number, width: number) =>
    head.write(value.toString(8).padStart(width - 1, '0'), at, 'latin1')
  head.write(name, 0, 'latin1')
  octal(ownerOnly, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(bytes, 124, 12)
  octal(seconds, 136, 12)
  head.write('0', 156, 'latin1')
  magic.copy(head, 257)
  head.write(`${checksumOf(head).toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return head
}

function parseHead(head: Buffer, path: string): { readonly name: string; readonly bytes: number } {
  const text = (at: number, length: number) => head.toString('latin1', at, at + length).replace(/[\0 ].*$/s, '')
  const octal = (at: number, length: number) =>
    /^[0-7]+$/.test(text(at, length)) ? Number.parseInt(text(at, length), 8) : -1
  const bytes = octal(124, 12)
  const isOurs = head.subarray(257, 257 + magic.length).equals(magic) && text(156, 1) === '0'
  if (!isOurs || bytes < 0 || octal(148, 8) !== checksumOf(head))
    throw new BackupRefused(`${path} is damaged, or no backup of this server`)
  return { name: text(0, 100), bytes }
}

/** The sum of a head's bytes, with blanks in the place of the sum. */
function checksumOf(head: Buffer): number {
  let sum = 8 * 0x20
  head.forEach((byte, at) => {
    if (at < 148 || at >= 156) sum += byte
  })
  return sum
}
