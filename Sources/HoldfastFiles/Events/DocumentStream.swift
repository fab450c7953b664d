internal import HoldfastEngine

/// The documents of one file, or of standard input: gzip is inflated (known by its first bytes, not by its name),
/// UTF-16 with a mark of byte order becomes UTF-8, and the rest is parted into documents.
///
/// Offsets count the bytes that come out of this, which for a plain file are the file's own.
final class DocumentStream {
    enum Step {
        /// Lent by ``withBytes(_:_:)`` until the next step.
        case document(at: Int64, Range<Int>)
        case unreadable(UnreadableRecord)
        /// Nothing more is there now; more may come.
        case notYet
        case end
        /// No document ends at the position to go on from: this is not the file that it was.
        case replaced
    }

    private enum Coding { case undecided([UInt8]), plain, utf16(UTF16Decoder) }
    private enum Packing { case undecided([UInt8]), plain, gzip }

    /// Bytes read at one time.
    private static let readBytes = 256 << 10
    private static let newLine = UInt8(ascii: "\n")

    /// The name that places are given with.
    var name: String
    private let file: OpenedFile
    private let limits: FileLimits
    private var isFollowed: Bool
    /// Whether a file that is followed was told to end.
    private(set) var wasLetGo = false
    /// Documents that end here or before have gone out in an earlier life.
    let resumeAt: Int64
    private var packing = Packing.undecided([])
    private var gzip: GzipReader?
    private var compressed: [UInt8] = []
    private var compressedStart = 0
    private var coding = Coding.undecided([])
    private var splitter: DocumentSplitter
    private var faults: [String] = []
    private var inputHasEnded = false
    /// Whether this is a file, and no pipe or terminal.
    let isFile: Bool
    /// Bytes of the file that have been read or skipped.
    private(set) var consumed: Int64 = 0
    /// Whether nothing is left to be had from the file as it is.
    private var isComplete = false
    private var isDrained = false

    /// - Parameters:
    ///   - resumeAt: the position to go on from, as ``position`` gave it.
    ///   - isFollowed: the end of a plain file is `notYet`, not `end`.
    init(
        _ file: consuming OpenedFile, name: String, resumeAt: Int64 = 0, isFollowed: Bool = false,
        limits: FileLimits = FileLimits()
    ) {
        isFile = (try? file.facts().kind) == .file
        self.file = file
        self.name = name
        self.resumeAt = resumeAt
        self.isFollowed = isFollowed
        self.limits = limits
        splitter = DocumentSplitter(limit: limits.document)
    }

    /// Where the next document begins; everything before has gone out. It stays before a document that the end of a
    /// plain file cuts off, so that it is read again should the file go on.
    var position: Int64 { isPlain ? splitter.cutOffAt ?? reached : reached }
    private var reached: Int64 { max(resumeAt, splitter.position) }
    /// What is kept of the position: minus the file's size where an encoded file was read whole.
    var lasting: Int64 { isComplete && isDrained && !isPlain ? -consumed : position }
    /// Whether a plain file's bytes are what offsets count.
    var isPlain: Bool {
        if case .plain = packing, case .plain = coding { true } else { false }
    }
    /// Whether a document or a gzip member has begun that has not ended.
    var isUnfinished: Bool { splitter.isUnfinished || gzip?.isInsideMember == true }
    /// Whether what a growing file gets can be read on without beginning anew.
    private var mayGoOn: Bool {
        switch (packing, coding) {
        case (.undecided, _), (.plain, .undecided), (.plain, .plain): true
        case (.plain, .utf16): false
        case (.gzip, _): gzip?.isInsideMember == true
        }
    }
    var pendingHead: [UInt8] { splitter.pendingHead }

    func withBytes<R>(_ range: Range<Int>, _ body: (Swift.Span<UInt8>) -> R) -> R { splitter.withBytes(range, body) }

    /// The next document, or why there is none.
    func next() -> Step {
        while true {
            while let piece = splitter.next() {
                if let step = step(for: piece) { return step }
            }
            if inputHasEnded {
                if !faults.isEmpty {
                    let reason = "\(name) \(faults.removeFirst())"
                    return .unreadable(UnreadableRecord(place: place(reached), reason: reason, bytes: pendingHead))
                }
                isDrained = true
                return splitter.position < resumeAt && isComplete ? .replaced : .end
            }
            do {
                guard try fill() else { return isPlain && consumed < resumeAt ? .replaced : .notYet }
            } catch {
                fail("\(error)")
            }
        }
    }

    /// The end of the file is the end: what has begun goes out as it is.
    func letGo() {
        isFollowed = false
        wasLetGo = true
    }

    private func step(for piece: DocumentSplitter.Piece) -> Step? {
        switch piece {
        case .document(let offset, let range):
            let end = offset + Int64(range.count)
            if end <= resumeAt { return nil }
            return offset < resumeAt ? .replaced : .document(at: offset, range)
        case .oversized(let offset, let size, let head):
            if offset + size <= resumeAt { return nil }
            let reason = "the document has \(size) bytes; at most \(limits.document) are read"
            return .unreadable(UnreadableRecord(place: place(offset), reason: reason, bytes: head))
        case .unfinishedList(let offset):
            let reason = "the input ends inside a list that is never closed; what came before it was read"
            return .unreadable(UnreadableRecord(place: place(offset), reason: reason))
        }
    }

    private func place(_ offset: Int64) -> String { "\(name)@\(offset)" }

    /// The rest cannot be read: says so once, with what had begun.
    private func fail(_ reason: String) {
        faults.append(reason)
        inputHasEnded = true
        // It is not tried again before the file changes.
        if isFile, let size = try? file.facts().size { consumed = max(consumed, size) }
    }

    // MARK: - From the file to the splitter

    /// Reads on; false where nothing is there now.
    private func fill() throws(FileFault) -> Bool {
        if compressedStart < compressed.count {
            inflate()
            return true
        }
        switch try file.read(atMost: Self.readBytes) {
        case .notYet: return false
        case .end:
            if isFollowed, mayGoOn { return false }
            if try !decideAtEnd() { endInput() }
        case .bytes(let bytes):
            consumed += Int64(bytes.count)
            try unpack(bytes)
        }
        return true
    }

    private func unpack(_ bytes: [UInt8]) throws(FileFault) {
        switch packing {
        case .plain: decode(bytes)
        case .gzip:
            compressed = bytes
            compressedStart = 0
        case .undecided(let earlier):
            let head = earlier + bytes
            guard head.count >= 4 else {
                packing = .undecided(head)
                return
            }
            try decidePacking(head)
        }
    }

    private func decidePacking(_ head: [UInt8]) throws(FileFault) {
        if head.starts(with: [0x1F, 0x8B]) {
            packing = .gzip
            gzip = GzipReader(limit: limits.inflated)
            compressed = head
            compressedStart = 0
        } else if let format = ForeignFormat(head) {
            isComplete = true
            fail("is \(format.rawValue), which is not read; give JSON, plain or in gzip")
        } else {
            packing = .plain
            if try !skipToResume(head) { decode(head) }
        }
    }

    /// Goes straight to where a plain file was left, if that is a line's begin: then no list is open there.
    private func skipToResume(_ head: [UInt8]) throws(FileFault) -> Bool {
        let isText = !head.starts(with: [0xFF, 0xFE]) && !head.starts(with: [0xFE, 0xFF])
        guard resumeAt > consumed, isText, isFile else { return false }
        try file.seek(to: resumeAt - 1)
        if case .bytes(let byte) = try file.read(atMost: 1), byte == [Self.newLine] {
            coding = .plain
            consumed = resumeAt
            splitter = DocumentSplitter(limit: limits.document, offset: resumeAt)
            return true
        }
        try file.seek(to: consumed)
        return false
    }

    private func inflate() {
        var chunk: [UInt8] = []
        do {
            compressedStart += try gzip?.inflate(compressed, from: compressedStart, into: &chunk) ?? 0
            decode(chunk)
        } catch {
            decode(chunk)
            compressedStart = compressed.count
            if error.reason == .trailing { endInput() }
            fail("\(error)")
        }
    }

    private func decode(_ bytes: [UInt8]) {
        switch coding {
        case .plain: splitter.append(bytes)
        case .utf16(var decoder):
            var text: [UInt8] = []
            decoder.decode(bytes, into: &text)
            coding = .utf16(decoder)
            splitter.append(text)
        case .undecided(let earlier):
            let head = earlier + bytes
            guard head.count >= 2 else {
                coding = .undecided(head)
                return
            }
            if head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF]) {
                coding = .utf16(UTF16Decoder(order: head[0] == 0xFE ? .big : .little))
                decode(Array(head[2...]))
            } else if head.drop(while: { $0 == 0 }).prefix(1024).contains(0) {
                isComplete = true
                fail("has zero bytes among its first, so it is no UTF-8; UTF-16 needs its mark of byte order")
            } else {
                coding = .plain
                splitter.append(head)
            }
        }
    }

    /// Tells what input is that has ended after a few bytes. False where nothing was open.
    private func decideAtEnd() throws(FileFault) -> Bool {
        if case .undecided(let head) = packing {
            try decidePacking(head)
            return true
        }
        if case .undecided(let head) = coding {
            coding = .plain
            splitter.append(head)
            return true
        }
        return false
    }

    private func endInput() {
        do { try gzip?.finish() } catch { return fail("\(error)") }
        if case .utf16(var decoder) = coding {
            var text: [UInt8] = []
            decoder.finish(into: &text)
            splitter.append(text)
        }
        inputHasEnded = true
        isComplete = true
        splitter.finish()
    }
}

/// Files that are known by their first bytes, hold events often enough, and are not read.
private enum ForeignFormat: String, CaseIterable {
    case avro = "Avro", parquet = "Parquet", zip = "a zip archive", zstd = "zstd", bzip2 = "bzip2", xz = "xz"

    init?(_ head: [UInt8]) {
        guard let format = Self.allCases.first(where: { head.starts(with: $0.mark) }) else { return nil }
        self = format
    }

    private var mark: [UInt8] {
        switch self {
        case .avro: [0x4F, 0x62, 0x6A, 0x01]
        case .parquet: [0x50, 0x41, 0x52, 0x31]
        case .zip: [0x50, 0x4B, 0x03, 0x04]
        case .zstd: [0x28, 0xB5, 0x2F, 0xFD]
        case .bzip2: [0x42, 0x5A, 0x68]
        case .xz: [0xFD, 0x37, 0x7A, 0x58]
        }
    }
}
