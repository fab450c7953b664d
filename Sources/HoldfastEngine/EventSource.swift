package import HoldfastCore

/// Where a source has got to in one of its parts: a Kafka partition, a file, a log that is polled.
package struct SourcePosition: Sendable, Hashable {
    /// The source's name in the configuration: `kafka:holdfast`, `file`, `stdin`.
    package var source: String
    /// `cloudtrail/3`, a file's path, `012345670123/eu-west-1`.
    package var partition: String
    /// The next record to read: a Kafka offset, the byte at which a file's next record begins, or the time from which a
    /// polled log is read, in nanoseconds since 1970.
    package var next: Int64
    /// What the source must know beside that, in its own encoding: what it has had already of the part that it reads
    /// again. Empty for most.
    package var note: [UInt8]

    package init(source: String, partition: String, next: Int64, note: [UInt8] = []) {
        self.source = source
        self.partition = partition
        self.next = next
        self.note = note
    }
}

/// What went wrong at a source.
package struct SourceError: Error, Sendable, CustomStringConvertible {
    package enum Retry: Sendable, Hashable {
        case never
        case after(Span)
    }
    /// `broker-down`, `no-such-topic`, `offset-out-of-range`, `truncated-gzip`, …
    package var code: String
    /// What, where, why not, and what would do.
    package var message: String
    package var retry: Retry

    package init(code: String, message: String, retry: Retry = .never) {
        self.code = code
        self.message = message
        self.retry = retry
    }
    package var description: String { message }
}

/// Records as they came, owned by the source's own storage (a librdkafka message, a file's buffer) and freed with it.
package protocol RecordStorage: Sendable {
    var count: Int { get }
    /// Lends one record's bytes.
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R
    /// Where a record stands, for dead letters: `cloudtrail/3@1042`, `events/a.json.gz@0`.
    func place(at index: Int) -> String
}

/// A part of the input that could not be made into a record at all (a truncated gzip): it becomes a dead letter.
package struct UnreadableRecord: Sendable, Hashable {
    package var place: String
    package var reason: String
    /// At most the first 64 KiB.
    package var bytes: [UInt8]
    package init(place: String, reason: String, bytes: [UInt8] = []) {
        self.place = place
        self.reason = reason
        self.bytes = bytes
    }
}

/// 1 to 500 records, and where the source stands after them.
package struct RecordBatch: Sendable {
    package var records: any RecordStorage
    package var unreadable: [UnreadableRecord]
    /// Committed in the same transaction as what the records led to.
    package var positions: [SourcePosition]

    package init(records: any RecordStorage, unreadable: [UnreadableRecord] = [], positions: [SourcePosition]) {
        self.records = records
        self.unreadable = unreadable
        self.positions = positions
    }
}

/// Something that events come from.
package protocol EventSource: Actor {
    nonisolated var name: String { get }
    /// Before the first batch: what the journal has committed. A source starts each part there.
    func resume(from positions: [SourcePosition]) async throws(SourceError)
    /// The next records, at most 500, as soon as some are there; `nil` once the source has ended for good.
    /// Returns early with `nil` or throws `CancellationError`'s code `cancelled` when the task is cancelled.
    func nextBatch() async throws(SourceError) -> RecordBatch?
    /// The journal has these positions: the source may tell its own side (Kafka's group offsets). Never required for
    /// correctness.
    func committed(_ positions: [SourcePosition]) async
    func close() async
}
