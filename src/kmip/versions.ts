/**
 * Protocol versions as data. What it is: the versions that the server answers in, as numbers that compare. What it is
 * not: what a version has; that stands on each row (`since`, `until`). KMIP 1.4 §6.1.
 */

/** A protocol version: 100 x major + minor. */
export type Version = number

export const v1_0 = 100
export const v1_1 = 101
export const v1_2 = 102
export const v1_3 = 103
export const v1_4 = 104

/** Versions that the server supports, in order of preference (Discover Versions answers in this order, §4.26). */
export const supportedVersions: readonly Version[] = [v1_4, v1_3, v1_2, v1_1, v1_0]

/** The newest version, in which a request is answered whose own version the server does not have. */
export const newestVersion: Version = v1_4

/** Major and minor to one number; numbers out of the range of a protocol version give 0, which no row has. */
export const versionOf = (major: number, minor: number): Version =>
  major >= 0 && major < 100 && minor >= 0 && minor < 100 ? major * 100 + minor : 0

/** The major number of a version. */
export const majorOf = (version: Version): number => Math.floor(version / 100)

/** The minor number of a version. */
export const minorOf = (version: Version): number => version % 100

/** A version as people write it, for example `1.4`. */
export const versionText = (version: Version): string => `${majorOf(version)}.${minorOf(version)}`
