import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import ServiceLifecycle

/// Decides what is done about findings and, where a scope is in mode remediate, does it.
struct Remediating: Part {
    let lane: RemediationLane<SystemWallClock>

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await lane.run() }
    }

    /// What the engine needs of this machine: the halt file, and the key for captures.
    ///
    /// - Throws: where a key is named that cannot be read or is none.
    static func tools(_ configuration: Configuration) throws -> RemediationTools {
        let haltFile = configuration.resolve(configuration.haltFile)
        let isHalted: @Sendable () -> String? = { FileManager.default.fileExists(atPath: haltFile) ? haltFile : nil }
        guard let place = configuration.captureKey else { return RemediationTools(haltFile: isHalted) }
        let key: SealingKey
        do {
            key = try SealingKey(hex: try NamedSecret.read(place, configuration))
        } catch let failure as CryptoFailure {
            throw Failure("keys: captures: \(place): \(failure)")
        }
        return RemediationTools(
            haltFile: isHalted,
            seal: { plain in
                var generator = SystemRandomNumberGenerator()
                let nonce = (0..<SealingKey.nonceBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
                // A capture that cannot be sealed is empty, and an undo by it is refused.
                return (try? key.seal(plain, nonce: nonce)) ?? []
            }, open: { key.open($0) })
    }
}
