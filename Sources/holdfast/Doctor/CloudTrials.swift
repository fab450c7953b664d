import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import Synchronization

/// How far this machine's clock is from the clouds', by the dates of their answers.
final class Clocks: Sendable {
    /// Cloud -> how far ours is ahead, in nanoseconds: of all answers the least, for waiting only adds to it.
    private let ahead = Mutex<[Cloud: Int64]>([:])
    /// Signatures are refused at five minutes; times of events are compared with times of reads long before.
    private static let tolerated: Int64 = 30

    func note(_ cloud: Cloud, ahead nanoseconds: Int64) {
        ahead.withLock { known in
            if abs(nanoseconds) < abs(known[cloud] ?? .max) { known[cloud] = nanoseconds }
        }
    }

    var diagnosis: Diagnosis {
        let known = ahead.withLock { $0 }
        guard let worst = known.max(by: { abs($0.value) < abs($1.value) }) else {
            return .note("clock", "", "no cloud gave an answer, so nothing says what time it is elsewhere")
        }
        let seconds = worst.value / 1_000_000_000
        guard abs(seconds) > Self.tolerated else {
            return .ok("clock", "", "within \(max(1, abs(seconds))) s of \(worst.key.rawValue)")
        }
        return .fails(
            "clock", "", "\(abs(seconds)) s \(seconds > 0 ? "ahead of" : "behind") \(worst.key.rawValue)",
            do: "let chrony or systemd-timesyncd set it; `timedatectl` says whether one does")
    }
}

/// Makes calls, and looks what time they say it is.
struct ClockedSender: CallSender {
    let inner: any CallSender
    let clocks: Clocks

    func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        let asked = SystemWallClock.now
        let answer = try await inner.send(call, parameters: parameters, in: scope)
        clocks.note(scope.cloud, ahead: asked.nanoseconds - answer.started.nanoseconds)
        return answer
    }
}

/// One call by which a polled source can be seen to work.
struct PolledTrial {
    var name: String
    var call: String
    var parameters: JSONObject
    var scope: CallScope

    private init(_ name: String, _ call: String, _ parameters: [(String, JSON)], _ scope: CallScope) {
        (self.name, self.call, self.parameters, self.scope) = (name, call, JSONObject(parameters), scope)
    }

    private init(_ feed: some LogFeed, now: Timestamp) {
        (name, call, scope) = (feed.title, feed.call, feed.scope)
        parameters = feed.parameters(PollWindow(from: now - Span(seconds: 60), to: now), token: nil)
    }

    /// Those of a source; none where it is not polled.
    static func trials(
        of source: Configuration.Source, _ configuration: Configuration, now: Timestamp
    ) -> [PolledTrial] {
        switch source {
        case .file, .kafka, .stdin: return []
        case .cloudTrailLookup(let accounts, let regions, let overlap, let every):
            return configuration.ids(of: .aws, named: accounts).flatMap { account in
                regions.map { region in
                    PolledTrial(
                        LookupEventsFeed(account: account, region: region, overlap: overlap, every: every), now: now)
                }
            }
        case .cloudTrailQueue(let queue, let account, let region):
            // What it is given is not hidden from whoever reads the queue.
            let parameters: [(String, JSON)] = [
                ("QueueUrl", .string(queue)), ("MaxNumberOfMessages", 1), ("VisibilityTimeout", 0),
            ]
            let scope = CallScope(cloud: .aws, account: account, region: region)
            return [PolledTrial("the queue \(queue)", "sqs.ReceiveMessage", parameters, scope)]
        case .cloudTrailBucket(let bucket, let prefix, let account, let region, _, _):
            let parameters: [(String, JSON)] = [
                ("Bucket", .string(bucket)), ("Prefix", .string(prefix)), ("MaxKeys", 1),
            ]
            let scope = CallScope(cloud: .aws, account: account, region: region)
            return [PolledTrial("the bucket \(bucket)", "s3.ListObjectsV2", parameters, scope)]
        case .azureActivity(let subscriptions, let overlap, let every):
            return configuration.ids(of: .azure, named: subscriptions).map {
                PolledTrial(ActivityLogFeed(subscription: $0, overlap: overlap, every: every), now: now)
            }
        case .googleLogging(let projects, let containers, let overlap, let every):
            let own = containers.isEmpty ? configuration.ids(of: .gcp, named: projects) : projects
            return (own.map { "projects/\($0)" } + containers).map {
                PolledTrial(LogEntriesFeed(resource: $0, overlap: overlap, every: every), now: now)
            }
        }
    }
}

/// What trying to read the types of an account came to.
struct Tried {
    private var answered = 0
    private var withNothing = 0
    /// Permission and place -> types that are not read without it.
    private var denied: [String: Set<String>] = [:]
    private var failed: [String: Set<String>] = [:]

    mutating func add(_ unit: ScanUnit, _ hasRead: Bool, _ failures: [ReadError]) {
        if failures.isEmpty { answered += 1 }
        if failures.isEmpty, !hasRead { withNothing += 1 }
        for failure in failures {
            if failure.code == "denied" {
                denied[failure.lacks, default: []].insert(unit.type)
            } else {
                failed[failure.message, default: []].insert(unit.type)
            }
        }
    }

    func diagnoses(_ name: String, types: Int) -> [Diagnosis] {
        var found: [Diagnosis] = denied.sorted { $0.key < $1.key }.map { lacks, types in
            .fails(
                "permission", name, "denied: \(lacks), which \(types.sorted().joined(separator: ", ")) needs",
                do: "allow it: `holdfast permissions --read` prints all that is needed (runbooks/read-denied.md)")
        }
        found += failed.sorted { $0.key < $1.key }.map { message, types in
            .note("permission", name, "not tried for \(types.sorted().joined(separator: ", ")): \(message)")
        }
        let rest = withNothing > 0 ? ", of which \(withNothing) had nothing to read in detail" : ""
        found.append(
            answered == 0
                ? .fails("permission", name, "none of \(types) types can be read", do: "see the lines above")
                : .ok("permission", name, "\(answered) of \(types) types can be read\(rest)"))
        return found
    }
}
