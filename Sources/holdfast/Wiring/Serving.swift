import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastServer
import HoldfastStore
import Logging
import ServiceLifecycle

/// The server as a part of the service; nothing listens where the configuration has no `server:`.
struct Serving: Part {
    private let server: Server?
    private let http: HTTPClient

    /// - Parameters:
    ///   - journal: the one that is written to.
    ///   - sources: names of those whose positions the service needs.
    init(
        _ configuration: Configuration, _ keeper: Keeper, _ journal: SQLiteJournal, sources: [String],
        prompts: PromptTally, slack: SlackApp?, http: HTTPClient, _ clock: SystemWallClock, _ logger: Logger
    ) throws {
        self.http = http
        guard let settings = configuration.server else {
            server = nil
            return
        }
        // A connection of its own: a long read never keeps a commit waiting.
        let reading = try SQLiteJournal(.file(configuration.sqlitePath), access: .readOnly)
        let measuring = Measuring(journal: reading, keeper: keeper, prompts: prompts, clock: clock)
        server = try Server(
            settings: settings, socketPath: settings.socket.map(configuration.resolve),
            rules: configuration.accessRules,
            parts: Server.Parts(
                version: Version.text,
                archive: { Archive(journal: reading, policy: await keeper.policy) { SystemWallClock.now } },
                missing: { await Readiness(keeper: keeper, journal: journal, sources: sources).missing() },
                measure: { try await measuring.measure() },
                outbound: Self.outbound(http), keeper: keeper,
                clientSecret: try settings.provider?.clientSecret.map { try NamedSecret.read($0, configuration) },
                slack: slack,
                now: { SystemWallClock.now },
                logger: logger)
        ) { place in
            logger.info("listening", metadata: [LogKey.address.name: "\(place)"])
        }
    }

    func run() async throws {
        guard let server else { return try await gracefulShutdown() }
        try await server.run()
        await http.close()
    }

    /// What providers of identities and webhooks are reached by.
    static func client(_ configuration: Configuration) -> HTTPClient {
        var options = HTTPClientOptions()
        options.authorities = configuration.endpoints.authorities.map(configuration.resolve)
        return HTTPClient(options)
    }

    /// Requests to a provider of identities or a webhook, by libcurl. Answers of more than 1 MiB are not taken.
    static func outbound(_ http: HTTPClient) -> Outbound {
        { (request) async throws(OutboundFailure) in
            var headers = HTTPHeaders()
            for (name, value) in request.headers { headers.add(name, value) }
            do throws(HTTPFailure) {
                let answer = try await http.send(
                    HTTPRequest(
                        method: request.method, url: request.url, headers: headers, body: request.body,
                        deadline: .seconds(15), bodyLimit: 1 << 20))
                return OutboundAnswer(status: answer.status, body: answer.body)
            } catch {
                throw OutboundFailure(error.description)
            }
        }
    }
}

/// Whether the service can do its work.
struct Readiness {
    let keeper: Keeper
    let journal: SQLiteJournal
    let sources: [String]

    /// What is missing, one line each.
    func missing() async -> [String] {
        var missing: [String] = []
        do throws(JournalError) { try journal.probe() } catch {
            missing.append("the journal cannot be written: \(error.message)")
        }
        for source in await keeper.sourcesNotAcquired(of: sources) {
            missing.append("the source \(source) has not got its positions yet")
        }
        return missing
    }
}

/// Measures the service, at most once a second however often it is asked.
actor Measuring {
    private let journal: SQLiteJournal
    private let keeper: Keeper
    private let prompts: PromptTally
    private let clock: SystemWallClock
    private var last: Measured?

    init(journal: SQLiteJournal, keeper: Keeper, prompts: PromptTally, clock: SystemWallClock) {
        self.journal = journal
        self.keeper = keeper
        self.prompts = prompts
        self.clock = clock
    }

    func measure() async throws -> Measured {
        let now = clock.wallTime()
        if let last, last.now + Span(seconds: 1) > now { return last }
        let dirty = try journal.dirtySummary()
        guard let process = ProcessUse.current() else { throw Failure("/proc cannot be read") }
        let measured = Measured(
            version: Version.text, now: now, totals: await keeper.totals, dirty: dirty.count, oldestDirty: dirty.oldest,
            notices: try journal.openNotices(), tallies: try journal.tallies(), process: process,
            prompts: await prompts.all)
        last = measured
        return measured
    }
}

/// The ways by which people are told of what waits for them, beside the pages.
struct Prompting {
    let notifiers: [any Notifier]
    let tally: PromptTally

    /// - Throws: ``Failure`` where a secret that the configuration names is not there, or too short.
    init(_ configuration: Configuration, _ http: HTTPClient, _ channels: [any MessageChannel]) throws {
        let webhooks = try configuration.webhooks.enumerated().map { index, webhook in
            try Self.notifier("webhook \(index + 1)", webhook, configuration, http)
        }
        let all: [any Notifier] = webhooks + channels.filter { configuration.promptChannels.contains($0.name) }
        let tally = PromptTally(all.map(\.name))
        notifiers = all.map { CountedNotifier($0, tally: tally) }
        self.tally = tally
    }

    /// - Throws: ``Failure`` where its secret is not there, or too short.
    static func notifier(
        _ name: String, _ webhook: WebhookSettings, _ configuration: Configuration, _ http: HTTPClient
    ) throws -> WebhookNotifier {
        let base = configuration.pages
        let key = try WebhookNotifier.key(webhook.secret, configuration)
        return WebhookNotifier(
            name: name, url: webhook.url, key: key,
            link: { digest in base.map { "\($0)/plans/\(digest)" } }, now: { SystemWallClock.now },
            send: Serving.outbound(http))
    }
}
