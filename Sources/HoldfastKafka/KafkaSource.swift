internal import HoldfastCore
package import HoldfastEngine

/// How far a partition was read, and how far it goes.
package struct KafkaLag: Sendable, Hashable {
    /// `cloudtrail/3`
    package var partition: String
    /// The offset of the next record to read; `nil` where none was read yet.
    package var next: Int64?
    /// The offset that the next record written will get, by the last fetch; `nil` before it.
    package var end: Int64?
}

/// Events from Kafka topics, as one of a consumer group.
///
/// Where a partition is read from is decided by the journal's positions alone; the group's own offsets are told for
/// other people's tools. A partition that was never read is read from its beginning. A position that the log does not
/// have (deleted before it was read, or a topic made anew) is an error, `offset-out-of-range`, once; the next batch
/// then goes on at the log's beginning. Messages are lent where librdkafka received them. Its calls block, so this
/// actor runs on a thread of its own.
package actor KafkaSource: EventSource {
    /// Asks the journal where partitions (`cloudtrail/3`) stand that were just given to this instance, and takes them.
    package typealias TakeOver = @Sendable (_ partitions: [String]) async throws(SourceError) -> [SourcePosition]

    package nonisolated let name: String
    private let configuration: KafkaConfiguration
    private let takeOver: TakeOver?
    private let log: @Sendable (KafkaLogLine) -> Void
    private nonisolated let thread: KafkaThread
    private var reader: KafkaReader?
    private var isClosed = false

    package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - name: the source's name in positions; `kafka:` and the group where none is given.
    ///   - takeOver: asked at each assignment. Without it the positions given to ``resume(from:)`` and what was read
    ///     since count, which is right for a group of one.
    ///   - log: librdkafka's log lines, from any thread.
    package init(
        _ configuration: KafkaConfiguration, name: String? = nil, takeOver: TakeOver? = nil,
        log: @escaping @Sendable (KafkaLogLine) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.name = name ?? "kafka:\(configuration.group)"
        self.takeOver = takeOver
        self.log = log
        thread = KafkaThread(name: "kafka")
    }

    /// Connects, and looks whether the topics are there. Called again, after an error or not, it keeps its connections
    /// and its place in the group, and reads what it holds from these positions; a gap that was told is not told again.
    ///
    /// - Throws: `bad-option`, `broker-down`, `no-such-topic`, `authentication-failed`, `not-allowed`.
    package func resume(from positions: [SourcePosition]) throws(SourceError) {
        var known: [Partition: Int64] = [:]
        for position in positions where position.source == name {
            if let partition = Partition(position.partition) { known[partition] = position.next }
        }
        if let reader, !reader.hasEnded { return reader.restart(from: known) }
        reader = nil
        reader = try KafkaReader(configuration, source: name, known: known, log: log)
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !isClosed {
            if Task.isCancelled { throw SourceError(code: "cancelled", message: "\(name) was asked to stop") }
            guard let reader else {
                throw SourceError(code: "not-resumed", message: "\(name) was not told where to begin; resume it first")
            }
            if let error = reader.takeFault() { throw error }
            if let batch = reader.collect() { return batch }
            if let given = reader.takeChanges() {
                reader.assign(given, from: try await takeOver?(given.map(\.description)))
            }
            reader.settle()
            // Lets a commit or a close in between two polls.
            await Task.yield()
        }
        return nil
    }

    package func committed(_ positions: [SourcePosition]) { reader?.commit(positions) }

    /// Leaves the group, within 5 s; then, or later where a batch still holds messages, the connections end.
    package func close() {
        isClosed = true
        guard let reader else { return }
        self.reader = nil
        if !reader.close(within: .seconds(5)) {
            let text = "no answer to leaving the group within 5 s; it notices after session.timeout.ms"
            log(KafkaLogLine(level: 4, facility: "CLOSE", text: text))
        }
    }

    /// How far each partition that is held was read, in the order of their names. Asks no broker.
    package func lag() -> [KafkaLag] { reader?.lag() ?? [] }
}
