internal import HoldfastCore
internal import HoldfastCrypto

/// What was read already of the part of a log that is read again: of each id 64 bits of its SHA-256, with its second.
///
/// Two ids of 100,000 fall together once in 10^9 such sets; the second of the two would be lost. Everything is counted
/// in whole seconds, downwards, and an id whose second is that of the floor is kept: events of one second, of which
/// some were read and some were not, are told apart.
struct SeenIDs: Sendable, Equatable {
    /// Seconds since 1970.
    private var seconds: [UInt64: Int64] = [:]

    /// In memory. A part that is read again and holds more gives its oldest once more; the journal knows the id of
    /// every change itself.
    static let limit = 1_000_000
    /// In the journal, which takes them with each batch: 12 bytes each, 192 KiB in all.
    static let encodedLimit = 16_384

    init() {}

    var count: Int { seconds.count }

    /// - Returns: whether it is new.
    mutating func insert(_ id: String, at time: Timestamp) -> Bool {
        let key = SeenIDs.key(of: id)
        guard seconds[key] == nil else { return false }
        if seconds.count >= Self.limit { forgetOlderHalf() }
        seconds[key] = time.wholeSeconds
        return true
    }

    func contains(_ id: String) -> Bool { seconds[SeenIDs.key(of: id)] != nil }

    /// What lies before the floor is never read again.
    mutating func forget(before floor: Timestamp) {
        let floor = floor.wholeSeconds
        guard seconds.contains(where: { $0.value < floor }) else { return }
        seconds = seconds.filter { $0.value >= floor }
    }

    private mutating func forgetOlderHalf() {
        let middle = seconds.values.sorted()[seconds.count / 2]
        seconds = seconds.filter { $0.value > middle }
    }

    static func key(of id: String) -> UInt64 { sha256(id.utf8).bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) } }

    /// The newest, each as 8 bytes of key and 4 of its second, in the order of seconds and keys.
    var bytes: [UInt8] {
        let ordered = seconds.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.suffix(Self.encodedLimit)
        var out: [UInt8] = []
        out.reserveCapacity(ordered.count * 12)
        for (key, second) in ordered {
            out.append(bigEndian: key)
            out.append(bigEndian: UInt32(clamping: second))
        }
        return out
    }

    /// - Parameter bytes: as ``bytes`` gives them; what is cut off at the end is left out.
    init(bytes: some Collection<UInt8>) {
        var reader = ByteReader(bytes)
        while let key: UInt64 = reader.next(), let second: UInt32 = reader.next() { seconds[key] = Int64(second) }
    }
}

extension Timestamp {
    /// Seconds since 1970, downwards.
    var wholeSeconds: Int64 {
        let (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        return rest < 0 ? seconds - 1 : seconds
    }
    var roundedDown: Timestamp { Timestamp(seconds: wholeSeconds) }
    var roundedUp: Timestamp { self == roundedDown ? self : Timestamp(seconds: wholeSeconds + 1) }
}

extension [UInt8] {
    mutating func append(bigEndian value: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }
}

/// Reads numbers off some bytes, the highest byte first.
struct ByteReader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) { rest = Array(bytes)[...] }

    /// `nil` where too few bytes are left.
    mutating func next<T: FixedWidthInteger>() -> T? {
        let count = T.bitWidth / 8
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count).reduce(0) { $0 << 8 | T($1) }
    }

    /// All that is left.
    var remainder: ArraySlice<UInt8> { rest }
}
