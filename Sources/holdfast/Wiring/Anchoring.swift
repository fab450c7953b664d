import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastKafka
import HoldfastStore
import ServiceLifecycle

/// Checkpoints of the audit log go to the anchors once a minute, and when the service stops.
struct Anchoring: Part {
    private let checkpointing: Checkpointing<SystemWallClock>
    private let http: HTTPClient?

    /// - Throws: where the key cannot be read, or an anchor's settings cannot be.
    init(_ configuration: Configuration, _ data: DataSet, _ keeper: Keeper, _ clock: SystemWallClock) throws {
        let settings = configuration.audit
        let reachesS3 = settings.anchors.contains { if case .s3 = $0 { true } else { false } }
        let http = reachesS3 ? Serving.client(configuration) : nil
        self.http = http
        let anchors = try settings.anchors.map { try Self.anchor($0, configuration, data.catalog, http, clock) }
        checkpointing = Checkpointing(
            keeper: keeper, anchors: anchors, signer: try Self.signer(configuration), clock: clock)
    }

    func run() async throws {
        try await cancelWhenGracefulShutdown { try await checkpointing.run() }
    }

    /// The last checkpoint of the process.
    func end() async throws {
        try await checkpointing.turn()
        await http?.close()
    }

    private static func signer(_ configuration: Configuration) throws -> CheckpointSigner? {
        guard let place = configuration.audit.key else { return nil }
        do {
            return try CheckpointSigner(pem: try NamedSecret.read(place, configuration))
        } catch let failure as CryptoFailure {
            throw Failure("keys: audit: \(place): \(failure)")
        }
    }

    private static func anchor(
        _ anchor: AuditSettings.Anchor, _ configuration: Configuration, _ catalog: Catalog, _ http: HTTPClient?,
        _ clock: SystemWallClock
    ) throws -> any Anchor {
        switch anchor {
        case .file(let path): return FileAnchor(path: configuration.resolve(path)).anchor
        case .syslogSocket(let path): return SyslogAnchor(.socket(configuration.resolve(path))).anchor
        case .syslogUDP(let host, let port): return SyslogAnchor(.udp(host: host, port: port)).anchor
        case .kafka(let brokers, let topic, let options):
            return try KafkaAnchor(
                brokers: brokers, topic: topic, options: options.mapValues(Wiring.fromEnvironment))
        case .s3(let settings):
            if let problem = settings.access.problems.first { throw Failure("audit: anchor: s3: \(problem)") }
            guard let http,
                let anchor = ObjectLockAnchor(
                    settings, catalog: catalog, sender: sender(for: settings, catalog, http, clock), clock: clock)
            else { throw Failure("audit: anchor: s3: the catalog has no call to put objects") }
            return anchor
        }
    }

    /// With credentials of its own: what reads and writes resources need not be allowed to put objects.
    private static func sender(
        for settings: AuditSettings.ObjectLockSettings, _ catalog: Catalog, _ http: HTTPClient,
        _ clock: SystemWallClock
    ) -> WireSender<SystemWallClock> {
        let credentials = CredentialKeeper(
            accounts: [settings.access], mayWrite: false, surroundings: .current(), exchange: http,
            now: { SystemWallClock.now })
        return WireSender(
            catalog: catalog, http: http, authority: credentials,
            endpoints: Endpoints(environment: ProcessInfo.processInfo.environment), clock: clock,
            retries: RetryPolicy(attempts: 2), newToken: { UUID().uuidString })
    }
}
