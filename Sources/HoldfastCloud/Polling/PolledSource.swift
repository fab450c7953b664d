package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// One log of one account that is polled, as a source of its own: what is wrong with one account stops no other.
///
/// The position is the cursor's floor with the ids of what was read beyond it, see ``LogCursor``. Failures that pass
/// are waited out here; the rest is thrown, and the service comes back to where the journal stands.
package actor PolledSource<C: HoldfastClock>: EventSource {
    package nonisolated let name: String
    private let feed: any LogFeed
    private let call: CloudCall
    private let sender: any CallSender
    private let budgets: Budgets<C>
    private let clock: C
    private let began: Timestamp
    /// Reading ends there; `nil`: never.
    private let until: Timestamp?
    private var cursor: LogCursor
    private var trouble = PollTrouble()
    /// Of the page that was read last: what was not given yet.
    private var pending: Pending?
    /// How far our clock is ahead of the provider's, by its last answer.
    private var ahead = Span(nanoseconds: 0)
    /// The gap that was told last.
    private var told: (from: Timestamp, to: Timestamp)?
    private var isClosed = false

    private struct Pending {
        var events: ArraySlice<LogPage.Event>
        var token: String?
        var began: Timestamp
    }

    /// Records in a batch, and the bytes after which it takes no further one.
    private static var batchRecords: Int { 500 }
    private static var batchBytes: Int { 8 << 20 }

    /// - Parameters:
    ///   - call: the catalog's of the feed.
    ///   - began: where the journal has no position, events are wanted from then on.
    ///   - until: reading ends there, for replays; `nil`: never.
    package init(
        name: String, feed: any LogFeed, call: CloudCall, sender: any CallSender, budgets: Budgets<C>, clock: C,
        began: Timestamp, until: Timestamp? = nil
    ) {
        self.name = name
        self.feed = feed
        self.call = call
        self.sender = sender
        self.budgets = budgets
        self.clock = clock
        self.began = began
        self.until = until
        cursor = LogCursor(feed.rules, position: nil, began: began)
    }

    package func resume(from positions: [SourcePosition]) {
        var position = positions.first { $0.source == name && $0.partition == feed.partition }
        // A gap is told once; until a record is committed behind it the journal still stands before it.
        if let told, position?.next == told.from.nanoseconds { position?.next = told.to.nanoseconds }
        cursor = LogCursor(feed.rules, position: position, began: began)
        pending = nil
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !isClosed {
            if Task.isCancelled { throw .stopped(name) }
            if let batch = takePending() { return batch }
            switch cursor.next(now: now) {
            case .read(let window, let token): try await read(window, token: token)
            case .wait where until != nil: return nil
            case .wait(let span):
                if cursor.mustCommit { return batch([]) }
                try await sleep(span)
            case .gap(let from, let to):
                told = (from, to)
                throw gap(from, to)
            }
        }
        return nil
    }

    package func committed(_ positions: [SourcePosition]) {}

    package func close() { isClosed = true }

    private var now: Timestamp { min(clock.wallTime() - ahead, until ?? .distantFuture) }

    private func sleep(_ span: Span) async throws(SourceError) {
        do { try await clock.sleep(for: span.duration) } catch { throw .stopped(name) }
    }

    // MARK: Reading

    private func read(_ window: PollWindow, token: String?) async throws(SourceError) {
        do { try await budgets.spend(feed.budget, feed.limit) } catch { throw .stopped(name) }
        let asked = clock.wallTime()
        do throws(CallFailure) {
            let answer = try await sender.send(
                call, parameters: feed.parameters(window, token: token), in: feed.scope)
            await budgets.succeeded(feed.budget)
            ahead = asked.since(answer.started)
            let page = try page(of: answer, token: token)
            trouble.succeeded(isLast: page.token == nil)
            pending = Pending(events: page.events[...], token: page.token, began: min(asked, answer.started))
        } catch {
            try await handle(error, hasToken: token != nil)
        }
    }

    /// - Throws: as a call that gave no answer, where the answer is none of the log's, or leads back to itself.
    private func page(of answer: CallAnswer, token: String?) throws(CallFailure) -> LogPage {
        var reason = "leads back to the same page"
        do {
            let page = try feed.page(answer.body)
            if page.token == nil || page.token != token { return page }
        } catch {
            reason = error.reason
        }
        throw CallFailure(
            kind: .unavailable, status: answer.status, code: "unreadable-answer",
            message: "the answer of \(call.name) \(reason)")
    }

    private func handle(_ failure: CallFailure, hasToken: Bool) async throws(SourceError) {
        if failure.kind == .throttled { await budgets.throttled(feed.budget, retryAfter: failure.retryAfter) }
        switch trouble.failed(failure, hasToken: hasToken, now: clock.wallTime()) {
        case .cancelled: throw .stopped(name)
        case .wait(let span): try await sleep(span)
        case .restart: cursor.restart()
        case .tell(let code, let retry): throw .call(failure, code: code, what: feed.title, retry: retry)
        }
    }

    private func gap(_ from: Timestamp, _ to: Timestamp) -> SourceError {
        let days = feed.rules.retention.nanoseconds / 86_400_000_000_000
        return SourceError(
            code: SourceError.gap,
            message:
                "\(feed.title) was last read to \(from), and it goes back \(days) days: what happened from \(from) to "
                + "\(to) was not seen; reading goes on at \(to). Take that time from a copy of the log, as a file "
                + "source",
            retry: .after(Span(nanoseconds: 0)))
    }

    // MARK: Giving

    /// A batch of what is new in the page; `nil` where nothing is and nothing must be committed.
    private func takePending() -> RecordBatch? {
        guard var page = pending else { return nil }
        var fresh: [LogRecords.Record] = []
        var bytes = 0
        while fresh.count < Self.batchRecords, bytes < Self.batchBytes, let event = page.events.popFirst() {
            guard cursor.take(event.id, at: event.time) else { continue }
            let record = LogRecords.Record(bytes: event.json.canonicalBytes, place: "\(feed.partition)@\(event.id)")
            bytes += record.bytes.count
            fresh.append(record)
        }
        pending = page.events.isEmpty ? nil : page
        if page.events.isEmpty { cursor.endPage(token: page.token, began: page.began) }
        return fresh.isEmpty && !cursor.mustCommit ? nil : batch(fresh)
    }

    private func batch(_ records: [LogRecords.Record]) -> RecordBatch {
        RecordBatch(
            records: LogRecords(records: records),
            positions: [cursor.position(source: name, partition: feed.partition)])
    }
}

/// A batch's records, each with bytes of its own.
struct LogRecords: RecordStorage {
    struct Record {
        var bytes: [UInt8]
        var place: String
    }
    var records: [Record]

    var count: Int { records.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let bytes = records[index].bytes
        return body(bytes.span)
    }
    func place(at index: Int) -> String { records[index].place }
}
