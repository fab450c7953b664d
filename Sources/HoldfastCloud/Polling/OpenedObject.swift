internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// Inflates gzip, whole. Throws where it is damaged or comes out larger than a bound of its own; the error's text
/// stands behind the file's name.
package typealias Inflate = @Sendable ([UInt8]) throws -> [UInt8]

/// A file of a log, fetched whole, while its records are given. CloudTrail's files stay below 50 MB inflated.
struct OpenedObject: Sendable {
    let object: LogObject
    private let bytes: [UInt8]
    private let ranges: [Range<Int>]
    /// What of it cannot be read.
    private let fault: UnreadableRecord?
    /// The record that is given next.
    private(set) var next: Int

    /// - Parameters:
    ///   - raw: gzip, or the text itself.
    ///   - next: the first record that is wanted.
    init(_ object: LogObject, raw: [UInt8], inflate: Inflate, next: Int) {
        self.object = object
        self.next = next
        do {
            let text = raw.starts(with: [0x1F, 0x8B]) ? try inflate(raw) : raw
            let records = RecordRanges(in: text.span)
            bytes = text
            ranges = records.ranges
            fault = records.fault.map { OpenedObject.unreadable(object, $0, text) }
        } catch {
            bytes = []
            ranges = []
            fault = OpenedObject.unreadable(object, "\(error)", raw)
        }
    }

    /// An object that was named and is not there.
    init(gone object: LogObject, reason: String) {
        self.object = object
        bytes = []
        ranges = []
        next = 0
        fault = OpenedObject.unreadable(object, "is not there: \(reason); what was in it is lost to this source", [])
    }

    private static func unreadable(_ object: LogObject, _ reason: String, _ bytes: [UInt8]) -> UnreadableRecord {
        UnreadableRecord(place: "\(object)", reason: "\(object) \(reason)", bytes: Array(bytes.prefix(64 << 10)))
    }

    var isEmpty: Bool { next >= ranges.count }

    /// The next records, at most 500 and 8 MiB, and with the last ones what cannot be read.
    mutating func take() -> (records: ObjectRecords, unreadable: [UnreadableRecord]) {
        let first = min(next, ranges.count)
        var size = 0
        while next < ranges.count, next - first < 500, size < 8 << 20 {
            size += ranges[next].count
            next += 1
        }
        let records = ObjectRecords(
            object: object, bytes: bytes, ranges: Array(ranges[first..<max(first, next)]), first: first)
        return (records, isEmpty ? [fault].compactMap { $0 } : [])
    }
}

/// Records of one file, lent out of its bytes.
struct ObjectRecords: RecordStorage {
    let object: LogObject
    let bytes: [UInt8]
    let ranges: [Range<Int>]
    /// The number of the first in the file.
    let first: Int

    var count: Int { ranges.count }
    func withBytes<R>(at index: Int, _ body: (Swift.Span<UInt8>) -> R) -> R {
        body(bytes.span.extracting(ranges[index]))
    }
    func place(at index: Int) -> String { "\(object)@\(first + index)" }
}

/// Fetches files from S3.
struct ObjectOpener: Sendable {
    let call: CloudCall
    let sender: any CallSender
    let inflate: Inflate
    let scope: CallScope

    /// - Parameter next: the first record that is wanted.
    /// - Throws: everything but that there is no such object, which is an answer.
    func open(_ object: LogObject, next: Int) async throws(CallFailure) -> OpenedObject {
        var scope = scope
        if !object.region.isEmpty { scope.region = object.region }
        do {
            let answer = try await sender.send(
                call, parameters: JSONObject([("Bucket", .string(object.bucket)), ("Key", .string(object.key))]),
                in: scope)
            return OpenedObject(object, raw: answer.bytes, inflate: inflate, next: next)
        } catch {
            guard error.kind == .refused, error.status == 404 else { throw error }
            return OpenedObject(gone: object, reason: error.code)
        }
    }
}

/// Which files were read, and how far those that are begun: what the journal holds for a source that is told of files.
struct FileMemory: Sendable {
    /// Of the last ones, the oldest first, by ``SeenIDs/key(of:)``.
    private var finished: [UInt64] = []
    private var known: Set<UInt64> = []
    /// Files of which some records are in the journal and some not, with the next record.
    private var begun: [(file: UInt64, next: UInt32)] = []
    /// All ever read.
    private(set) var count: Int64 = 0

    /// 32 KiB with each batch. A file that is told again after so many others is read again, and the journal knows the
    /// ids of its events.
    static let limit = 4096
    private static let mostBegun = 64

    init() {}

    /// - Parameter identity: a file's, or of a message that names none its id.
    func isFinished(_ identity: String) -> Bool { known.contains(SeenIDs.key(of: identity)) }

    /// The next record of a file.
    func next(of identity: String) -> Int {
        let key = SeenIDs.key(of: identity)
        return begun.first { $0.file == key }.map { Int($0.next) } ?? 0
    }

    mutating func stands(_ identity: String, at next: Int) {
        let key = SeenIDs.key(of: identity)
        begun.removeAll { $0.file == key }
        begun.append((key, UInt32(clamping: next)))
        if begun.count > Self.mostBegun { begun.removeFirst() }
    }

    mutating func finish(_ identity: String) {
        let key = SeenIDs.key(of: identity)
        begun.removeAll { $0.file == key }
        count += 1
        guard known.insert(key).inserted else { return }
        finished.append(key)
        if finished.count > Self.limit { known.remove(finished.removeFirst()) }
    }

    /// How many are begun (4 bytes), these with 8 bytes of key and 4 of the next record, then keys of finished ones.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        out.append(bigEndian: UInt32(begun.count))
        for (file, next) in begun {
            out.append(bigEndian: file)
            out.append(bigEndian: next)
        }
        for key in finished { out.append(bigEndian: key) }
        return out
    }

    init(count: Int64, bytes: [UInt8]) {
        self.count = count
        var reader = ByteReader(bytes)
        let wanted: UInt32 = reader.next() ?? 0
        while begun.count < wanted, let file: UInt64 = reader.next(), let next: UInt32 = reader.next() {
            begun.append((file, next))
        }
        while let key: UInt64 = reader.next() { finished.append(key) }
        known = Set(finished)
    }
}
