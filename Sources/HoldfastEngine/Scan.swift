package import HoldfastCore

/// Lists resources and reads them: what a first scan and the slow sweep need beside ``StateReader``.
package protocol StateLister: StateReader {
    /// All resources of a type in one account and region; of a type that has one in each place, that one.
    func list(_ type: String, at place: ResourceContext) async throws(ReadError) -> [ListedResource]
    /// Reads on from what the list said.
    func describe(_ listed: ListedResource) async throws(ReadError) -> Description
}

/// One type in one account and region.
package struct ScanUnit: Sendable, Hashable, CustomStringConvertible {
    /// The name under which units that are done stand among the journal's positions.
    package static let source = "scan"
    /// What stands for the region of what has none.
    package static let global = "global"

    package var type: String
    package var place: ResourceContext
    package init(type: String, place: ResourceContext) {
        self.type = type
        self.place = place
    }
    package var description: String {
        "\(place.cloud.rawValue)/\(place.account)/\(place.region.isEmpty ? ScanUnit.global : place.region)/\(type)"
    }
}

/// How far a scan has got.
package struct ScanProgress: Sendable {
    package var units = 0
    package var unitsDone = 0
    package var resources = 0
    /// Units that could not be listed, with the reason; in the order in which they failed.
    package var failures: [(unit: ScanUnit, error: ReadError)] = []
    package var lastUnit: ScanUnit?
    package var findings: [FindingChange: Int] = [:]
    package init() {}
}

/// A pass over everything there is: lists each type in each place, reads each resource, evaluates. What it opens is
/// backlog. It can be interrupted: units that are done are kept in the journal, and the next run goes on after them.
package struct Scan<C: HoldfastClock>: Sendable {
    private let keeper: Keeper
    private let lister: any StateLister
    private let clock: C
    private let units: [ScanUnit]
    private let unitsAtOnce: Int
    private let tell: @Sendable (ScanProgress) -> Void

    package init(
        keeper: Keeper, lister: any StateLister, clock: C, units: [ScanUnit], unitsAtOnce: Int = 8,
        tell: @escaping @Sendable (ScanProgress) -> Void
    ) {
        self.keeper = keeper
        self.lister = lister
        self.clock = clock
        self.units = units
        self.unitsAtOnce = max(1, unitsAtOnce)
        self.tell = tell
    }

    /// - Parameter since: units that were done at this time or later are not done again.
    /// - Throws: ``JournalError``; what a cloud refuses is in the progress.
    package func run(skippingDoneSince since: Timestamp) async throws -> ScanProgress {
        let done = Set(
            try await keeper.positions(of: ScanUnit.source).filter { $0.next >= since.nanoseconds }.map(\.partition))
        var progress = ScanProgress()
        progress.units = units.count
        progress.unitsDone = units.count { done.contains($0.description) }
        var seen: Set<ResourceID> = []
        var listed: Set<ScanUnit> = []
        try await withThrowingTaskGroup(of: UnitResult.self) { group in
            var waiting = units.filter { !done.contains($0.description) }[...]
            for _ in 0..<min(unitsAtOnce, waiting.count) {
                let unit = waiting.removeFirst()
                group.addTask { try await scan(unit) }
            }
            while let result = try await group.next() {
                take(result, into: &progress)
                seen.formUnion(result.seen)
                if result.error == nil { listed.insert(result.unit) }
                tell(progress)
                guard let unit = waiting.popFirst() else { continue }
                group.addTask { try await scan(unit) }
            }
        }
        try await keeper.lookForMissing(in: listed, besides: seen, now: clock.wallTime())
        try await keeper.finishScan(opened: progress.findings[.opened] ?? 0, now: clock.wallTime())
        return progress
    }

    private struct UnitResult: Sendable {
        var unit: ScanUnit
        var seen: [ResourceID] = []
        var error: ReadError?
        var findings: [FindingChange: Int] = [:]
    }

    private func take(_ result: UnitResult, into progress: inout ScanProgress) {
        progress.unitsDone += 1
        progress.lastUnit = result.unit
        progress.resources += result.seen.count
        if let error = result.error { progress.failures.append((result.unit, error)) }
        for (change, count) in result.findings { progress.findings[change, default: 0] += count }
    }

    private func scan(_ unit: ScanUnit) async throws -> UnitResult {
        var result = UnitResult(unit: unit)
        do {
            let listed = try await patiently { () async throws(ReadError) in
                try await lister.list(unit.type, at: unit.place)
            }
            for chunk in stride(from: 0, to: listed.count, by: Self.chunk) {
                let part = Array(listed[chunk..<min(chunk + Self.chunk, listed.count)])
                try await read(part, into: &result)
            }
            try await keeper.note(done: unit, at: clock.wallTime())
        } catch let error as ReadError {
            result.error = error
            try await keeper.note(failed: unit, error, now: clock.wallTime())
        }
        return result
    }

    /// Resources that are read and evaluated in one transaction.
    private static var chunk: Int { 50 }
    /// Resources of one unit that are read at a time.
    private static var readsAtOnce: Int { 8 }

    private func read(_ listed: [ListedResource], into result: inout UnitResult) async throws {
        var found: [(resource: ListedResource, description: Description)] = []
        var unread: [(resource: ListedResource, error: ReadError)] = []
        for start in stride(from: 0, to: listed.count, by: Self.readsAtOnce) {
            let part = listed[start..<min(start + Self.readsAtOnce, listed.count)]
            for (resource, outcome) in await descriptions(of: Array(part)) {
                switch outcome {
                case .success(let description): found.append((resource, description))
                case .failure(let error): unread.append((resource, error))
                }
            }
        }
        let changes = try await keeper.scan(found, unread: unread, now: clock.wallTime())
        for (change, count) in changes { result.findings[change, default: 0] += count }
        result.seen += listed.map(\.resource)
    }

    private func descriptions(of listed: [ListedResource]) async -> [(ListedResource, Result<Description, ReadError>)] {
        await withTaskGroup(of: (Int, Result<Description, ReadError>).self) { group in
            for (index, resource) in listed.enumerated() {
                group.addTask { (index, await outcome(of: resource)) }
            }
            var outcomes: [Result<Description, ReadError>?] = Array(repeating: nil, count: listed.count)
            for await (index, outcome) in group { outcomes[index] = outcome }
            return zip(listed, outcomes).compactMap { resource, outcome in outcome.map { (resource, $0) } }
        }
    }

    /// As a function of its own: in the closure of a task, Swift 6.3's optimiser loses the index beside a typed error.
    private func outcome(of resource: ListedResource) async -> Result<Description, ReadError> {
        do throws(ReadError) { return .success(try await wholly(resource)) } catch { return .failure(error) }
    }

    /// Reads a resource again where a part could not be read and may be later; at last takes what there is.
    private func wholly(_ resource: ListedResource) async throws(ReadError) -> Description {
        var partial: Description?
        do {
            return try await patiently { () async throws(ReadError) in
                let found = try await lister.describe(resource)
                partial = found
                if let part = found.unread.first(where: { $0.error.lacks.isEmpty }) { throw part.error }
                return found
            }
        } catch {
            if let partial { return partial }
            throw error
        }
    }

    /// Tries what may pass a few times more, a little later each time.
    private func patiently<T: Sendable>(
        _ read: () async throws(ReadError) -> T
    ) async throws(ReadError) -> T {
        var attempt = 0
        while true {
            do {
                return try await read()
            } catch {
                guard case .after(let wait) = error.retry, error.lacks.isEmpty, attempt < Self.mostAttempts else {
                    throw error
                }
                attempt += 1
                let pause = min(wait.nanoseconds << Int64(attempt - 1), Limits.longestBackoff.nanoseconds)
                guard (try? await clock.sleep(for: .nanoseconds(pause))) != nil else { throw error }
            }
        }
    }
    /// Beside those that the lister makes itself. What still fails is left for the next run: waiting here would keep
    /// others waiting.
    private static var mostAttempts: Int { 3 }
}
