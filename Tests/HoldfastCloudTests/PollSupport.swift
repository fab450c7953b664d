import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastHTTP
import HoldfastJSON
import Synchronization
import Testing

/// Time that passes by being slept: who waits is there at once.
final class PassingClock: HoldfastClock {
    struct Instant: InstantProtocol {
        var offset = Duration.zero
        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
    }
    private let passed = Mutex(Duration.zero)
    private let start: Timestamp

    init(_ start: Timestamp) { self.start = start }

    var now: Instant { Instant(offset: passed.withLock { $0 }) }
    var minimumResolution: Duration { .nanoseconds(1) }
    func wallTime() -> Timestamp {
        let (seconds, attoseconds) = now.offset.components
        return start + Span(nanoseconds: seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }
    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try Task.checkCancellation()
        passed.withLock { $0 = max($0, deadline.offset) }
        await Task.yield()
    }
    func pass(_ duration: Duration) { passed.withLock { $0 += duration } }
}

/// Random numbers that a seed repeats (SplitMix64).
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func once(in count: Int) -> Bool { number(1...count) == 1 }
}

func time(_ text: String) -> Timestamp { Timestamp(text) ?? .distantPast }

extension Timestamp {
    /// Milliseconds later.
    func plus(_ milliseconds: Int) -> Timestamp { self + Span(nanoseconds: Int64(milliseconds) * 1_000_000) }
}

/// What a journal does with batches, as far as sources can tell.
struct Committed {
    /// The text of each record, in the order of the batches.
    var records: [String] = []
    var unreadable: [UnreadableRecord] = []
    var positions: [String: SourcePosition] = [:]

    mutating func commit(_ batch: RecordBatch) {
        records += batch.texts
        unreadable += batch.unreadable
        for position in batch.positions { positions["\(position.source) \(position.partition)"] = position }
    }

    var all: [SourcePosition] { positions.values.sorted { $0.partition < $1.partition } }
}

extension RecordBatch {
    var texts: [String] {
        (0..<records.count).map { index in
            records.withBytes(at: index) { bytes in
                bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
            }
        }
    }
}

extension CloudCall {
    static func named(_ name: String) -> CloudCall {
        CloudCall(
            name: name, service: "aws/test", wire: .json11, permission: "test:Test",
            place: SourcePlace(file: "test", line: 1, column: 1))
    }
}

/// Answers calls by a closure.
struct ClosureSender: CallSender {
    var answer: @Sendable (CloudCall, JSONObject, CallScope) async throws(CallFailure) -> CallAnswer

    func send(
        _ call: CloudCall, parameters: JSONObject, in scope: CallScope
    ) async throws(CallFailure) -> CallAnswer {
        try await answer(call, parameters, scope)
    }
}

extension CallAnswer {
    init(_ body: JSON, bytes: [UInt8] = [], at started: Timestamp) {
        self.init(status: 200, headers: HTTPHeaders(), body: body, bytes: bytes, started: started)
    }
}
