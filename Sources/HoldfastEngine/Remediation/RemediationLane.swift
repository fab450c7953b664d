package import HoldfastCore

/// Decides findings as they become due, and carries out what the guards let pass: many at a time, each from start to
/// rest.
package struct RemediationLane<C: HoldfastClock>: Sendable {
    private let keeper: Keeper
    private let reader: any StateReader
    /// `nil` where nothing may be written: a dry run has none.
    private let writer: (any ChangeWriter)?
    private let notifiers: [any Notifier]
    private let clock: C
    private let runsAtOnce: Int
    /// New work may come while the lane rests; it looks at least this often.
    private let idle: Span

    package init(
        keeper: Keeper, reader: any StateReader, writer: (any ChangeWriter)?, notifiers: [any Notifier] = [], clock: C,
        runsAtOnce: Int = 8, idle: Span = Span(nanoseconds: 250_000_000)
    ) {
        self.keeper = keeper
        self.reader = reader
        self.writer = writer
        self.notifiers = notifiers
        self.clock = clock
        self.runsAtOnce = runsAtOnce
        self.idle = idle
    }

    /// Until the task is cancelled. What was begun by then is written down.
    ///
    /// - Throws: ``JournalError`` where the journal fails.
    package func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await work() }
            // Apart, so that a notifier that does not answer holds up nothing but prompts.
            group.addTask { try await prompt() }
            try await group.waitForAll()
        }
    }

    private func work() async throws {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            var open = 0
            var waiting: [Work] = []
            group.addTask { await rest() }
            while let worked = try await group.next() {
                if worked { open -= 1 }
                if Task.isCancelled { continue }
                if !worked {
                    try await look(into: &waiting)
                    group.addTask { await rest() }
                }
                while open < runsAtOnce, let work = waiting.first {
                    waiting.removeFirst()
                    open += 1
                    group.addTask {
                        try await conduct(work)
                        return true
                    }
                }
            }
            for work in waiting { await keeper.drop(work) }
        }
    }

    /// - Returns: `false`: nothing was worked off by it.
    private func rest() async -> Bool {
        try? await clock.sleep(for: .nanoseconds(idle.nanoseconds))
        return false
    }

    private func look(into waiting: inout [Work]) async throws {
        let now = clock.wallTime()
        try await keeper.endHolds(now: now)
        try await keeper.endExemptions(now: now)
        waiting += try await keeper.decideDue(now: now)
        guard writer != nil else { return }
        waiting += try await keeper.advanceDrills(now: now)
        waiting += try await keeper.dueRuns(now: now)
    }

    // MARK: Work

    /// From what is due first to where there is nothing to do for now.
    private func conduct(_ work: Work) async throws {
        guard let writer else { return await keeper.drop(work) }
        var move = try await keeper.begin(work)
        var current = work
        while true {
            switch move {
            case .rest: return
            case .read(let resource, let context):
                let description: Description
                do throws(ReadError) {
                    description = try await reader.describe(resource, context: context)
                } catch {
                    return try await keeper.failed(error, for: current, now: clock.wallTime())
                }
                move = try await keeper.took(description, for: current, now: clock.wallTime())
            case .write(let run):
                current = .run(run)
                guard let next = try await write(run, of: work, by: writer) else { return await keeper.drop(work) }
                move = next
            case .poll(let operation, let context):
                let outcome = await writer.poll(operation, context: context)
                move = try await keeper.took(outcome, for: current.id, now: clock.wallTime())
            }
        }
    }

    /// - Returns: `nil` where the step was not begun.
    private func write(_ run: String, of work: Work, by writer: any ChangeWriter) async throws -> Move? {
        let permit: Permit
        do throws(BeginError) {
            permit = try await keeper.permit(for: run, now: clock.wallTime())
        } catch {
            try await keeper.refused(error, for: run, of: work, now: clock.wallTime())
            return nil
        }
        let outcome = await writer.apply(permit)
        return try await keeper.took(outcome, for: run, now: clock.wallTime())
    }

    // MARK: Prompts

    /// Each prompt goes to every notifier; one that reached any counts as delivered. What reached nobody is tried again
    /// after a while that doubles.
    private func prompt() async throws {
        guard !notifiers.isEmpty else { return }
        var failures: [String: (count: Int, again: C.Instant)] = [:]
        while !Task.isCancelled {
            let asks = try await keeper.prompts()
            failures = failures.filter { failed in asks.contains { $0.digest == failed.key } }
            for ask in asks where failures[ask.digest].map({ $0.again <= clock.now }) ?? true {
                let (reached, why) = await deliver(ask.prompt)
                guard reached.isEmpty else {
                    try await keeper.delivered(ask, by: reached.joined(separator: ", "), now: clock.wallTime())
                    failures[ask.digest] = nil
                    continue
                }
                let count = (failures[ask.digest]?.count ?? 0) + 1
                let wait = min(1 << min(count, 10), 300)
                failures[ask.digest] = (count, clock.now.advanced(by: .seconds(wait)))
                try await keeper.undelivered(ask, why, now: clock.wallTime())
            }
            _ = await rest()
        }
    }

    /// - Returns: the notifiers that it reached, and why not others.
    private func deliver(_ prompt: Prompt) async -> (reached: [String], why: String) {
        var reached: [String] = []
        var failures: [String] = []
        for notifier in notifiers {
            do {
                try await notifier.deliver(prompt)
                reached.append(notifier.name)
            } catch {
                failures.append("\(notifier.name): \(error.message)")
            }
        }
        return (reached, failures.joined(separator: "; "))
    }
}
