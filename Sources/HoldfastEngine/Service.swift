package import HoldfastCore

/// What the service tells as it runs: one value gives the log line and the progress that people see.
package enum Happening: Sendable {
    case batch(source: String, records: Int, totals: Keeper.Totals)
    case sourceEnded(source: String)
    case sourceFailed(source: String, error: SourceError)
    case readFailed(resource: ResourceID, error: ReadError)
    case drained(totals: Keeper.Totals)
}

/// The always-on service: one pump for each source, one reconcile lane, one clock.
package struct Service<C: HoldfastClock>: Sendable {
    private let keeper: Keeper
    private let sources: [any EventSource]
    private let arrivals: AsyncStream<any EventSource>?
    private let reader: any StateReader
    private let clock: C
    private let limits: Limits
    private let tell: @Sendable (Happening) -> Void

    /// - Parameter arrivals: sources that come while it runs, of accounts that are found meanwhile.
    package init(
        keeper: Keeper, sources: [any EventSource], arrivals: AsyncStream<any EventSource>? = nil,
        reader: any StateReader, clock: C, limits: Limits, tell: @escaping @Sendable (Happening) -> Void
    ) {
        self.keeper = keeper
        self.sources = sources
        self.arrivals = arrivals
        self.reader = reader
        self.clock = clock
        self.limits = limits
        self.tell = tell
    }

    /// Runs until every source has ended and what they left dirty is settled, or until the task is cancelled; what was
    /// begun is committed before it returns.
    ///
    /// - Throws: ``JournalError`` where the journal fails: nothing can go on without it.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Lane.self) { group in
            for source in sources {
                group.addTask {
                    try await pump(source)
                    return .source
                }
            }
            group.addTask {
                try await reconcile()
                return .other
            }
            if let arrivals { group.addTask { await Self.next(of: arrivals) } }
            var open = sources.count
            while let ended = try await group.next() {
                if case .arrival(let source) = ended {
                    open += 1
                    group.addTask {
                        try await pump(source)
                        return .source
                    }
                    if let arrivals { group.addTask { await Self.next(of: arrivals) } }
                } else {
                    if case .source = ended { open -= 1 }
                    if open == 0 { break }
                }
            }
            group.cancelAll()
            try await group.waitForAll()
        }
        try await drain()
        tell(.drained(totals: await keeper.totals))
    }

    private enum Lane {
        case source
        /// What goes on beside the sources has ended.
        case other
        case arrival(any EventSource)
    }

    private static func next(of arrivals: AsyncStream<any EventSource>) async -> Lane {
        for await source in arrivals { return .arrival(source) }
        return .other
    }

    // MARK: Intake

    /// Takes a source's batches until it ends. A failure that may pass is waited out, with a notice.
    private func pump(_ source: any EventSource) async throws {
        defer { tell(.sourceEnded(source: source.name)) }
        // Unknown at the start: the last run may have left a notice.
        var failures: Int?
        while !Task.isCancelled {
            do {
                try await source.resume(from: try await keeper.positions(of: source.name))
                try await pumpBatches(from: source, failures: &failures)
                break
            } catch let error as SourceError {
                if error.code == SourceError.cancelled { break }
                tell(.sourceFailed(source: source.name, error: error))
                try await keeper.note(notices: [notice(for: error, source: source.name)])
                guard case .after(let wait) = error.retry else { break }
                let doubled = wait.nanoseconds << Int64(min(failures ?? 0, 6))
                // What is told in passing did not stop the source, so its next batch does not end it.
                failures = wait.nanoseconds == 0 ? 0 : (failures ?? 0) + 1
                guard (try? await clock.sleep(for: .nanoseconds(doubled))) != nil else { break }
            }
        }
        await source.close()
    }

    /// - Parameter failures: since the last batch; a batch ends their notice.
    private func pumpBatches(from source: any EventSource, failures: inout Int?) async throws {
        while !Task.isCancelled, let batch = try await source.nextBatch() {
            try await keeper.intake(batch, from: source.name, now: clock.wallTime())
            await source.committed(batch.positions)
            if failures != 0 {
                try await keeper.end(.sourceFailing, subject: source.name, now: clock.wallTime())
                failures = 0
            }
            tell(.batch(source: source.name, records: batch.records.count, totals: await keeper.totals))
        }
    }

    private func notice(for error: SourceError, source: String) -> Notice {
        let code: NoticeCode = error.code == SourceError.gap ? .sourceGap : .sourceFailing
        return Notice(code: code.rawValue, subject: source, text: error.message, raised: clock.wallTime())
    }

    // MARK: Reconcile

    /// Describes dirty resources as they become due, until the task is cancelled: always as many at a time as may be,
    /// so that a slow answer holds up nothing but itself.
    private func reconcile() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            var open = 0
            group.addTask { await rest(until: clock.wallTime()) }
            while let settled = try await group.next() {
                if settled { open -= 1 }
                if Task.isCancelled { continue }
                let now = clock.wallTime()
                if !settled {
                    try await keeper.fireTimers(now: now)
                    try await keeper.watchAge(now: now)
                }
                for dirty in try await keeper.claim(now: now, limit: limits.describesAtOnce - open) {
                    open += 1
                    group.addTask {
                        try await settle(dirty)
                        return true
                    }
                }
                if !settled {
                    // What was due by now is being read, or waits for a place: the end of a read wakes the lane for it.
                    let next = try await keeper.nextDue() ?? .distantFuture
                    let due = next > now ? next : now + Self.idle
                    group.addTask { await rest(until: due) }
                }
            }
        }
    }

    /// New work may arrive while the lane rests; it looks at least this often.
    private static var idle: Span { Span(nanoseconds: 250_000_000) }

    /// - Returns: `false`: nothing was settled by it.
    private func rest(until due: Timestamp) async -> Bool {
        let wait = min(due.since(clock.wallTime()).nanoseconds, Self.idle.nanoseconds)
        try? await clock.sleep(for: .nanoseconds(max(wait, 1_000_000)))
        return false
    }

    private func settle(_ due: [DirtyResource]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for dirty in due {
                group.addTask { try await settle(dirty) }
            }
            try await group.waitForAll()
        }
    }

    private func settle(_ dirty: DirtyResource) async throws {
        do {
            let description = try await reader.describe(dirty.resource, context: dirty.context)
            try await keeper.settle(dirty, description, now: clock.wallTime())
        } catch let error as ReadError {
            tell(.readFailed(resource: dirty.resource, error: error))
            try await keeper.park(dirty, error, now: clock.wallTime())
        }
    }

    /// After the sources have ended: what is due, or becomes due by the settle time alone, is still looked at, and not
    /// before it is due: a read that comes too early says nothing of what it was made for.
    private func drain() async throws {
        let last = clock.wallTime() + limits.settleTime
        while !Task.isCancelled {
            let now = clock.wallTime()
            let due = try await keeper.claim(now: now, limit: limits.describesAtOnce)
            if due.isEmpty {
                guard let next = try await keeper.nextDirty(), next > now, next <= last else { return }
                guard (try? await clock.sleep(for: .nanoseconds(next.since(now).nanoseconds))) != nil else { return }
            }
            try await settle(due)
        }
    }
}

extension SourceError {
    /// The task was cancelled: no failure.
    package static let cancelled = "cancelled"
    /// Records are gone that nobody read.
    package static let gap = "offset-out-of-range"
}
