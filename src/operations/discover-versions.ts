/** Discover Versions: what client and server both speak, the server's preference first. KMIP 1.4 §4.26 */
import { majorOf, minorOf, supportedVersions, versionOf } from '#kmip/versions'
import { always, operation } from './operation.ts'

export const discoverVersions = operation({
  name: 'DiscoverVersions',
  section: '4.26',
  reasons: [],
  repeatable: always,
  handle({ protocolVersion }) {
    const asked = protocolVersion.map((version) =>
      versionOf(version.protocolVersionMajor, version.protocolVersionMinor),
    )
    const common = supportedVersions.filter((version) => asked.length === 0 || asked.includes(version))
    return {
      protocolVersion: common.map((version) => ({
        protocolVersionMajor: majorOf(version),
        protocolVersionMinor: minorOf(version),
      })),
    }
  },
})
