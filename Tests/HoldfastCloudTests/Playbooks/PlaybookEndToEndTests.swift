import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import TestOracles
import Testing

@testable import HoldfastCloud

@Suite(
    "Playbooks from drift to fix and back", .serialized,
    .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"), .timeLimit(.minutes(30)))
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
                write: write ?? { await writer.write($0, in: $1, before: expires, token: UUID().uuidString) })
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

    /// Azure and Google, simulated.
    private func simulated() async throws -> (Ground<HurriedClock>, SimulatedClouds) {
        let clouds = try await SimulatedClouds()
        let server = try DriftServer(environment: clouds.environment)
        _ = try await server.ask(
            "connect",
            [
                "url": .string(clouds.url), "authorities": .string(clouds.authorities),
                "credentials": .string(clouds.credentials), "subscription": .string(SimulatedClouds.azure.account),
                "project": .string(SimulatedClouds.google.account),
            ])
        let sender = clouds.sender(mayWrite: true, retries: RetryPolicy(attempts: 1))
        let clock = MachineClock()
        let writer = CloudWriter(
            catalog: Shipped.catalog, sender: sender, budgets: Budgets(clock: clock), clock: clock)
        return (Ground(server: server, reader: clouds.reader, writer: writer), clouds)
    }

    private func runAll<C: HoldfastClock>(_ ground: Ground<C>, _ cloud: String, atLeast count: Int) async throws {
        let planted = Set(try await ground.cases(cloud).map(\.0.id))
        let own = Shipped.data.playbooks.all.filter { $0.type.cloud.rawValue == cloud }.map(\.id)
        #expect(own.filter { !planted.contains($0) } == [], "Tests/servers/drift plants no drift for these")
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
            let isFound = failure.map { [.promise, .verify].contains($0.stage) } ?? true
            #expect(isFound, "\(playbook.id): \(failure?.stage.rawValue ?? "")")
        }
    }

    /// - Returns: the playbooks whose drift somebody else changed between the fix and its undo.
    private func meddle<C: HoldfastClock>(_ ground: Ground<C>, _ cloud: String) async throws -> [String] {
        var meddled: [String] = []
        for (playbook, variant) in try await ground.cases(cloud) {
            let trial = try await ground.trial(playbook, variant)
            guard trial.drift.told["meddles"] == true else { continue }
            if try await trial.run(meddling: true) { meddled.append(playbook.id) }
        }
        return meddled
    }

    @Test("An undo keeps what others have added to the document since")
    func othersStay() async throws {
        #expect(
            try await meddle(aws(), "aws") == ["aws-kms-remove-public-statements", "aws-s3-remove-public-statements"])
        let (ground, clouds) = try await simulated()
        #expect(try await meddle(ground, "gcp") == ["gcp-project-remove-public-members"])
        withExtendedLifetime(clouds) {}
    }

    @Test("What was changed since it was read is not written over, where the API has a precondition")
    func stale() async throws {
        let (ground, clouds) = try await simulated()
        var refused: Set<String> = []
        for (playbook, variant) in try await ground.cases("gcp") {
            let noted = Mutex<[WriteOutcome]>([])
            let trial = try await ground.trial(playbook, variant) { call, context in
                let expires = MachineClock().wallTime() + Span(seconds: 300)
                func write() async -> WriteOutcome {
                    var outcome = await ground.writer.write(
                        call, in: context, before: expires, token: UUID().uuidString)
                    while case .accepted(let operation, _) = outcome {
                        outcome = await ground.writer.poll(operation, context: context)
                    }
                    return outcome
                }
                let first = await write()
                // The same once more: what it was read by is now another.
                if call.precondition != nil {
                    let second = await write()
                    noted.withLock { $0.append(second) }
                }
                return first
            }
            try await trial.run()
            for case .refused(let code, _, _) in noted.withLock({ $0 }) where code == "precondition" {
                refused.insert(playbook.id)
            }
        }
        #expect(
            refused.sorted() == [
                "gcp-bucket-keep-versions", "gcp-bucket-remove-public-members", "gcp-project-remove-personal-accounts",
                "gcp-project-remove-public-members", "gcp-sql-close-networks", "gcp-sql-protect-from-deletion",
                "gcp-sql-require-tls",
            ])
        withExtendedLifetime(clouds) {}
    }

    @Test("On AWS each drift is found, fixed as promised, passes its rule, and is put back as it was")
    func amazon() async throws { try await runAll(aws(), "aws", atLeast: 37) }

    @Test(
        "In Azure and Google each drift is found, fixed as promised, passes its rule, and is put back as it was",
        arguments: [("azure", 13), ("gcp", 11)])
    func simulated(cloud: String, count: Int) async throws {
        let (ground, clouds) = try await simulated()
        try await runAll(ground, cloud, atLeast: count)
        let writes = try await clouds.takeLog().filter { ["PUT", "PATCH", "DELETE"].contains($0["method"]?.string) }
        let writers = Set(writes.compactMap { $0["principal"]?.string })
        #expect(writers.contains(cloud == "azure" ? "reader" : SimulatedClouds.writer))
    }

    @Test("In Azure and Google a fix that does nothing is found out", arguments: ["azure", "gcp"])
    func simulatedIdle(cloud: String) async throws {
        let (ground, clouds) = try await simulated()
        try await failAll(ground, cloud)
        withExtendedLifetime(clouds) {}
    }

    @Test("On AWS a fix that does nothing is found out")
    func amazonIdle() async throws { try await failAll(aws(), "aws") }
}
