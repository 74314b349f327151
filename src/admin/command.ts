/**
 * A command of the administration, as a row. What it is: the type of the rows, and the short ways to write one. A row is all
 * that there is to say of a command: the HTTP route, the line of kmipctl, the page of the documentation and the OpenAPI
 * document are made of it. What it is not: the list of the rows (`api.ts`), or what reads them (`http-api.ts`, `cli.ts`).
 */

import type { Static, TSchema } from 'typebox'
import * as Type from 'typebox'
import type { AdminServices } from './services.ts'

/** Who may ask: administrators (of the domain), everybody with a log-in, or even those without one. */
export type Audience = 'administrator' | 'user' | 'anyone'

/** Who asks. */
export interface Caller {
  /** Full name of the user's record, `root|local|admin`; undefined at the local socket and before a log-in. */
  readonly userKey: string | undefined
  /** For the log: `local|admin`, `socket`, `anyone`. */
  readonly name: string
  readonly administrator: boolean
  /** Domain of the user. Who is of the root domain may administer others. */
  readonly homeDomain: string
  /** Address of the peer, for counting failures. */
  readonly address: string
}

/** What a handler is given beside the values. */
export interface AdminContext {
  readonly caller: Caller
  /** Identifier of the domain that is administered: what is made belongs to it, and nothing of another is seen. */
  readonly domain: string
  readonly services: AdminServices
}

/** How a parameter is written on the command line. */
export interface CommandLineForm {
  /** The flag without dashes; else the parameter's name with `-` for `_`. */
  readonly flag?: string
  /** One letter. */
  readonly short?: string
  /** Stands without a flag: `keys show ID`. */
  readonly positional?: true
  /** The word is a file's path, and its content is the value: as it is, or as JSON or YAML. */
  readonly file?: 'text' | 'json'
  /** A path on the machine of the server; at the command line it may begin where that stands, since it is mostly the same. */
  readonly serverPath?: true
  /** Never shown; asked for at a terminal when it is missing, or read from a file with `@path`. A file of it is its owner's alone. */
  readonly secret?: true
}

/** A parameter: a member of the path (`:name`), of the query (GET, DELETE) or of the body (all others). */
export interface Parameter<S extends TSchema = TSchema, O extends boolean = boolean> extends CommandLineForm {
  /** With its description. */
  readonly schema: S
  readonly optional: O
}

export type Parameters = Readonly<Record<string, Parameter>>

/** The values of parameters, checked against their schemas. */
export type Values<P extends Parameters> = {
  readonly [K in keyof P]: P[K] extends Parameter<infer S, infer O>
    ? O extends false
      ? Static<S>
      : Static<S> | undefined
    : never
}

interface Command<P extends Parameters, R extends TSchema> {
  /** The words of the command line: `clientmgmt tokens create`. */
  readonly verbs: readonly [string, ...string[]]
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below `/api/v1`; `:id` is the parameter of this name. */
  readonly path: `/${string}`
  /** One line, beginning with a verb, without a full stop. */
  readonly summary: string
  /** A whole line behind the command's name. */
  readonly example: string
  readonly parameters: P
  /** What is answered; `nothing` for an answer without content. */
  readonly result: R
  readonly who: Audience
  /** Only for administrators of the root domain: what is the whole server's. */
  readonly rootOnly?: true
  /** Takes as long as the store is large: the command line waits for it. */
  readonly patient?: true
  /** Members of the answer that the command line writes into a file when it is given this flag, and then does not print less. */
  readonly outFiles?: Readonly<
    Record<string, CommandLineForm & { readonly flag: string; readonly description: string }>
  >
  /** @throws AdministrationError */
  readonly handle: (values: Values<P>, context: AdminContext) => Static<R> | Promise<Static<R>>
}

/** A row whose types are forgotten, as those need it who read all rows. */
export interface CommandRow extends Omit<Command<Parameters, TSchema>, 'handle'> {
  readonly handle: (values: Readonly<Record<string, unknown>>, context: AdminContext) => unknown
}

/** A row: its types are checked here. */
export const command = <const P extends Parameters, const R extends TSchema>(row: Command<P, R>): CommandRow =>
  row as unknown as CommandRow

/** A parameter that must be there. */
export const required = <S extends TSchema>(schema: S, form: CommandLineForm = {}): Parameter<S, false> => ({
  ...form,
  schema,
  optional: false,
})

/** A parameter that may be left out. */
export const optional = <S extends TSchema>(schema: S, form: CommandLineForm = {}): Parameter<S, true> => ({
  ...form,
  schema,
  optional: true,
})

/** An answer without content. */
export const nothing = Type.Null({ description: 'No content' })

/** Entries of a list that are given at most, and when nobody says how many. */
export const listLimitMax = 1_000
const listLimitDefault = 10

/** The parameters of every list: spread into a row's parameters. */
export const pageParameters = {
  skip: optional(
    Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'Entries to leave out at the beginning',
    }),
  ),
  limit: optional(
    Type.Integer({
      minimum: 1,
      maximum: listLimitMax,
      description: `Entries to give, ${listLimitDefault} when not given`,
    }),
  ),
}

/** The answer of every list. */
export const listOf = <S extends TSchema>(entry: S) =>
  Type.Object({
    skip: Type.Integer(),
    limit: Type.Integer(),
    total: Type.Integer({ description: 'How many there are in all' }),
    resources: Type.Array(entry),
  })

/** From where to where a list goes, as parameters say it. */
export const pageOf = (values: {
  readonly skip: number | undefined
  readonly limit: number | undefined
}): { readonly skip: number; readonly limit: number } => ({
  skip: values.skip ?? 0,
  limit: values.limit ?? listLimitDefault,
})

/** The flag of a parameter, without dashes. */
export const flagOf = (name: string, form: CommandLineForm): string => form.flag ?? name.replaceAll('_', '-')

/** The line of a command without parameters, for messages. */
export const lineOf = ({ verbs }: Pick<CommandRow, 'verbs'>): string => `kmipctl ${verbs.join(' ')}`
