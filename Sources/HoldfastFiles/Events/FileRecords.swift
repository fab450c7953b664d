internal import HoldfastCore
internal import HoldfastEngine

/// How much a source of files takes at a time.
package struct FileLimits: Sendable, Hashable {
    /// Bytes of the greatest document that is passed on; a greater one becomes a dead letter. 64 MiB.
    package var document = 64 << 20
    /// Bytes that one gzip file may inflate to. 1 GiB.
    package var inflated = GzipReader.standardLimit
    /// Records in a batch.
    package var batchRecords = 500
    /// A batch that has this many bytes takes no further record. 8 MiB.
    package var batchBytes = 8 << 20

    package init() {}
}

/// A batch's records, copied out of their files: one block of bytes, freed with the batch.
private final class FileRecords: RecordStorage {
    private let bytes: [UInt8]
    private let records: [BatchDraft.Record]
    private let names: [String]

    init(bytes: [UInt8], records: [BatchDraft.Record], names: [String]) {
        self.bytes = bytes
        self.records = records
        self.names = names
    }

    var count: Int { records.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        let bytes = bytes
        return body(bytes.span.extracting(records[index].range))
    }
    func place(at index: Int) -> String { "\(names[records[index].name])@\(records[index].offset)" }
}

/// A batch while it is filled.
struct BatchDraft {
    fileprivate struct Record {
        var range: Range<Int>
        var name: Int
        var offset: Int64
    }

    private let limits: FileLimits
    private var bytes: [UInt8] = []
    private var records: [Record] = []
    private var names: [String] = []
    private var unreadable: [UnreadableRecord] = []
    /// In the order in which their parts came first.
    private var positions: [SourcePosition] = []

    init(limits: FileLimits) { self.limits = limits }

    var isEmpty: Bool { records.isEmpty && unreadable.isEmpty && positions.isEmpty }
    var isFull: Bool {
        max(records.count + unreadable.count, positions.count) >= limits.batchRecords
            || bytes.count >= limits.batchBytes
    }

    mutating func add(_ document: Swift.Span<UInt8>, name: String, offset: Int64) {
        if names.last != name { names.append(name) }
        let start = bytes.count
        document.withUnsafeBufferPointer { bytes.append(contentsOf: $0) }
        records.append(Record(range: start..<bytes.count, name: names.count - 1, offset: offset))
    }

    mutating func add(_ record: UnreadableRecord) { unreadable.append(record) }

    /// Where a part of the source stands after this batch.
    mutating func set(_ position: SourcePosition) {
        if let index = positions.lastIndex(where: { $0.partition == position.partition }) {
            positions[index] = position
        } else {
            positions.append(position)
        }
    }

    /// The batch; `nil` where nothing came.
    var batch: RecordBatch? {
        guard !isEmpty else { return nil }
        let storage = FileRecords(bytes: bytes, records: records, names: names)
        return RecordBatch(records: storage, unreadable: unreadable, positions: positions)
    }
}
