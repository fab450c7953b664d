import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import TestOracles
import Testing

@testable import HoldfastCloud

@Suite(
    "Playbooks from drift to fix and back", .serialized,
    .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"), .timeLimit(.minutes(10)))
struct PlaybookEndToEndTests {
    /// Where drift is planted, with our ways to it.
    private struct Ground<C: HoldfastClock> {
        let server: DriftServer
        let reader: CloudReader<C>
        let writer: CloudWriter<MachineClock>

        func trial(
            _ playbook: Playbook, _ variant: String, write: PlaybookTrial<C>.Write? = nil
        ) async throws -> PlaybookTrial<C> {
            let drift = try await PlantedDrift(server, playbook: playbook, variant: variant)
            let expires = MachineClock().wallTime() + Span(seconds: 300)
            return PlaybookTrial(
                playbook: playbook, drift: drift, reader: reader, writer: writer,
                write: write ?? { await writer.write($0, in: $1, before: expires) })
        }

        /// Every playbook of a cloud with every variant of its drift.
        func cases(_ cloud: String) async throws -> [(Playbook, String)] {
            try await server.cases().flatMap { id, variants -> [(Playbook, String)] in
                guard let playbook = Shipped.data.playbooks[id], playbook.type.cloud.rawValue == cloud else {
                    return []
                }
                return variants.map { (playbook, $0) }
            }
        }
    }

    /// Nothing is written by it, and it says that all was.
    private static func idle(_ call: PlannedCall, _ context: ResourceContext) async -> WriteOutcome {
        .done(answer: ["FlowLogIds": ["fl-0"]], requestID: "")
    }

    private func aws() throws -> Ground<MachineClock> {
        let server = try DriftServer()
        var options = HTTPClientOptions()
        options.proxy = .none
        let http = HTTPClient(options)
        let clock = MachineClock()
        let environment = [
            "AWS_ENDPOINT_URL": server.aws, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIABASE",
            "AWS_SECRET_ACCESS_KEY": "s",
        ]
        let account = AccountAccess(
            cloud: .aws, account: "123456789012", writeRole: "arn:aws:iam::123456789012:role/writer")
        let keeper = CredentialKeeper(
            accounts: [account], mayWrite: true, surroundings: surroundings(environment), exchange: http,
            now: { clock.wallTime() })
        func sender(_ retries: RetryPolicy) -> WireSender<MachineClock> {
            WireSender(
                catalog: Shipped.catalog, http: http, authority: keeper, endpoints: Endpoints(environment: environment),
                clock: clock, retries: retries, newToken: { UUID().uuidString })
        }
        let budgets = Budgets(clock: clock)
        let caller = CloudCaller(
            catalog: Shipped.catalog, sender: sender(RetryPolicy()), budgets: budgets, perSecond: 1000, clock: clock)
        return Ground(
            server: server, reader: CloudReader(catalog: Shipped.catalog, caller: caller),
            writer: CloudWriter(
                catalog: Shipped.catalog, sender: sender(RetryPolicy(attempts: 1)), budgets: budgets, clock: clock))
    }

    private func runAll<C: HoldfastClock>(_ ground: Ground<C>, _ cloud: String, atLeast count: Int) async throws {
        let only = ProcessInfo.processInfo.environment["HOLDFAST_TEST_PLAYBOOK"]
        var passed: Set<String> = []
        for (playbook, variant) in try await ground.cases(cloud) where only.map({ playbook.id == $0 }) ?? true {
            do {
                try await ground.trial(playbook, variant).run()
                passed.insert(playbook.id)
            } catch let failure as PlaybookTrial<C>.Failure {
                Issue.record("\(playbook.id), \(variant): \(failure.stage): \(failure.description)")
            } catch {
                Issue.record("\(playbook.id), \(variant): \(error)")
            }
        }
        if only == nil { #expect(passed.count >= count) }
    }

    private func failAll<C: HoldfastClock>(_ ground: Ground<C>, _ cloud: String) async throws {
        for (playbook, variant) in try await ground.cases(cloud) {
            let trial = try await ground.trial(playbook, variant, write: Self.idle)
            let failure = await #expect(throws: PlaybookTrial<C>.Failure.self, "\(playbook.id), \(variant)") {
                try await trial.run()
            }
            #expect(failure.map { [.promise, .verify].contains($0.stage) } ?? true, "\(playbook.id): \(failure!)")
        }
    }

    @Test("On AWS each drift is found, fixed as promised, passes its rule, and is put back as it was")
    func amazon() async throws { try await runAll(aws(), "aws", atLeast: 29) }

    @Test("On AWS a fix that does nothing is found out")
    func amazonIdle() async throws { try await failAll(aws(), "aws") }
}
