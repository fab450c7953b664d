internal import Glibc

/// Parts a stream of bytes into JSON documents, however they stand in it: one a line, one behind the other, written
/// over many lines, as the elements of one bare list, or of the list in `{"Records": […]}` and `{"records": […]}`.
///
/// It keeps no more than one document and what was added last. A document that is broken goes out with the rest of its
/// line (or lines, up to the next that begins as this one did), so that one bad line costs one record; nothing is
/// dropped but blanks, and the brackets, commas and later members around lists. What comes out does not depend on how
/// the stream was cut into pieces.
package struct DocumentSplitter: Sendable {
    package enum Piece: Sendable, Hashable {
        /// A document, or what is left of a broken one. Its bytes are lent by ``withBytes(_:_:)`` until more are added.
        case document(at: Int64, Range<Int>)
        /// A document of more bytes than the limit: its size and its first 64 KiB.
        case oversized(at: Int64, size: Int64, head: [UInt8])
        /// The input has ended inside a list that was opened.
        case unfinishedList(at: Int64)
    }

    private enum Frame { case top, list, envelope }
    private enum Work { case between, document, line, resynchronising, restOfEnvelope }
    private enum Progress { case piece(Piece), again, starved }

    private static let headBytes = 64 << 10
    /// How far is looked for what an opening bracket opens.
    private static let lookAhead = 64
    private static let indentLimit = 1024

    private let limit: Int
    private var buffer: [UInt8] = []
    /// Where in the stream the buffer begins.
    private var base: Int64
    /// What stands before it has gone out.
    private var start = 0
    /// What stands before it has been looked at.
    private var scan = 0
    private var hasEnded = false
    private var frame = Frame.top
    private var work = Work.between
    private var grammar = DocumentGrammar()
    /// The begin of a document that has passed the limit, whose bytes are no longer kept.
    private var oversized: (start: Int64, head: [UInt8])?
    /// Blanks between the line's start and the document; 0 where something else stands there.
    private var indent = 0
    private var lineIsBlank = true
    /// Where in the stream the document broke.
    private var brokenAt: Int64 = 0
    /// Bytes looked at again after broken documents: at most eight times the input, so that no input costs more.
    private var lookedAtAgain: Int64 = 0

    /// - Parameters:
    ///   - limit: bytes of the greatest document that is passed on; 64 MiB.
    ///   - offset: where in the stream the first byte stands.
    package init(limit: Int = 64 << 20, offset: Int64 = 0) {
        self.limit = limit
        base = offset
    }

    /// Where the next document begins at the earliest: everything before has gone out. Behind a line feed only where
    /// no list is open.
    package var position: Int64 { oversized?.start ?? base + Int64(start) }
    /// Where the last document began, if it ended only because the input did.
    package private(set) var cutOffAt: Int64?
    /// Whether a document or list has begun and not ended.
    package var isUnfinished: Bool { start < buffer.count || work != .between || frame != .top }
    /// At most the first 64 KiB of the document that has begun.
    package var pendingHead: [UInt8] { oversized?.head ?? head(upTo: buffer.count) }

    private func head(upTo end: Int) -> [UInt8] { Array(buffer[start..<end].prefix(min(limit, Self.headBytes))) }

    package mutating func append(_ bytes: some Collection<UInt8>) {
        if start == buffer.count || start > buffer.count / 2 {
            buffer.removeSubrange(..<start)
            base += Int64(start)
            scan -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// There is no more input.
    package mutating func finish() { hasEnded = true }

    /// Lends a document's bytes.
    package func withBytes<R>(_ range: Range<Int>, _ body: (Swift.Span<UInt8>) -> R) -> R {
        body(buffer.span.extracting(range))
    }

    /// The next piece; `nil` where more input is needed, or where all has gone out.
    package mutating func next() -> Piece? {
        while true {
            let progress =
                switch work {
                case .between: beginDocument()
                case .document: readDocument()
                case .line: readLine()
                case .resynchronising: resynchronise()
                case .restOfEnvelope: readRestOfEnvelope()
                }
            switch progress {
            case .again: continue
            case .piece(let piece):
                if frame == .top { skipBlanks() }
                return piece
            case .starved:
                discardOverLimit()
                return nil
            }
        }
    }

    // MARK: - Between documents

    private mutating func beginDocument() -> Progress {
        skipBlanks()
        guard start < buffer.count else {
            guard hasEnded, frame != .top else { return .starved }
            frame = .top
            return .piece(.unfinishedList(at: position))
        }
        let byte = buffer[start]
        switch frame {
        case .top:
            switch opening() {
            case .undecided: return .starved
            case .list(let frame, let end):
                self.frame = frame
                start = end
                (lineIsBlank, indent) = (false, 0)
            case .byteOrderMark(let end): start = end
            case .document: begin(.document)
            case .text: begin(.line)
            }
        case .list, .envelope:
            switch byte {
            case UInt8(ascii: "]"):
                start += 1
                if frame == .envelope {
                    work = .restOfEnvelope
                    grammar = .behindMember()
                    scan = start
                } else {
                    frame = .top
                }
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "\""), UInt8(ascii: "-"), 0x30...0x39,
                UInt8(ascii: "t"), UInt8(ascii: "f"), UInt8(ascii: "n"):
                begin(.document)
            default: begin(.line)
            }
        }
        return .again
    }

    private mutating func begin(_ next: Work) {
        work = next
        scan = start
        if next == .document { grammar = DocumentGrammar() }
    }

    /// Passes blanks, and in a list its commas.
    private mutating func skipBlanks() {
        while start < buffer.count {
            switch buffer[start] {
            case 0x0A: (lineIsBlank, indent) = (true, 0)
            case 0x20, 0x09: if lineIsBlank { indent = min(indent + 1, Self.indentLimit) }
            case 0x0D: break
            // A writer that goes on behind where its file was cut off leaves zeros in front.
            case 0x00 where frame == .top: (lineIsBlank, indent) = (true, 0)
            case UInt8(ascii: ",") where frame != .top: (lineIsBlank, indent) = (false, 0)
            default: return
            }
            start += 1
        }
    }

    private enum Opening { case document, text, undecided, byteOrderMark(end: Int), list(Frame, end: Int) }

    /// What stands at `start`, with no list open: a bracket opens a list of documents where documents or its end
    /// follow, so that neither `[1, 2]` nor a line of a plain log that begins with `[` does.
    private func opening() -> Opening {
        var words = Lookahead(bytes: buffer[start...].prefix(Self.lookAhead))
        let isCut = words.bytes.count < Self.lookAhead && !hasEnded
        switch words.next() {
        case UInt8(ascii: "["):
            switch words.next() {
            case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "]"): return .list(.list, end: start + 1)
            case nil: return isCut ? .undecided : .document
            default: return .document
            }
        case UInt8(ascii: "{"):
            for expected: StaticString in ["\"Records\"", "\"records\""] {
                var words = words
                guard words.takes(expected), words.takes(":"), words.takes("[") else {
                    if words.isAtEnd, isCut { return .undecided }
                    continue
                }
                return .list(.envelope, end: words.index)
            }
            return .document
        case 0xEF:
            // Not only at the start: files get put one behind the other.
            if words.next() == 0xBB, words.next() == 0xBF { return .byteOrderMark(end: words.index) }
            return words.isAtEnd && isCut ? .undecided : .text
        default: return .text
        }
    }

    private struct Lookahead {
        let bytes: ArraySlice<UInt8>
        var index: Int
        init(bytes: ArraySlice<UInt8>) {
            self.bytes = bytes
            index = bytes.startIndex
        }
        var isAtEnd: Bool { index >= bytes.endIndex }

        mutating func next() -> UInt8? {
            while !isAtEnd, DocumentGrammar.isBlank(bytes[index]) { index += 1 }
            guard !isAtEnd else { return nil }
            index += 1
            return bytes[index - 1]
        }

        /// Takes this text, blanks before it passed; at the end of the bytes it stands where they ran out.
        mutating func takes(_ text: StaticString) -> Bool {
            while !isAtEnd, DocumentGrammar.isBlank(bytes[index]) { index += 1 }
            return text.withUTF8Buffer { wanted in
                for byte in wanted {
                    guard !isAtEnd, bytes[index] == byte else { return false }
                    index += 1
                }
                return true
            }
        }
    }

    // MARK: - Inside

    private mutating func readDocument() -> Progress {
        switch readGrammar() {
        case .ended(let end): return emit(end)
        case .broken(let index): return breakOff(at: index)
        case .more:
            scan = buffer.count
            guard hasEnded else { return .starved }
            return grammar.endsWithInput ? emitCutOff() : breakOff(at: scan)
        }
    }

    private mutating func readLine() -> Progress {
        if let end = lineFeed(from: scan) { return emit(end) }
        scan = buffer.count
        return hasEnded ? emitCutOff() : .starved
    }

    private mutating func readRestOfEnvelope() -> Progress {
        switch readGrammar() {
        case .ended(let end):
            start = end
            work = .between
            frame = .top
            (lineIsBlank, indent) = (false, 0)
        case .broken(let index):
            start = index
            frame = .top
            begin(.line)
        case .more:
            start = buffer.count
            scan = start
            guard hasEnded else { return .starved }
            work = .between
        }
        return .again
    }

    private mutating func readGrammar() -> DocumentGrammar.Outcome {
        buffer.withUnsafeBufferPointer { grammar.read($0, scan..<$0.count) }
    }

    private mutating func emitCutOff() -> Progress {
        cutOffAt = position
        return emit(scan)
    }

    private mutating func emit(_ end: Int) -> Progress {
        let offset = position
        let size = base + Int64(end) - offset
        let piece: Piece =
            if size > Int64(limit) {
                .oversized(at: offset, size: size, head: oversized?.head ?? head(upTo: end))
            } else {
                .document(at: offset, start..<end)
            }
        start = end
        scan = end
        oversized = nil
        work = .between
        (lineIsBlank, indent) = (false, 0)
        return .piece(piece)
    }

    // MARK: - Broken documents

    private mutating func breakOff(at index: Int) -> Progress {
        work = .resynchronising
        brokenAt = base + Int64(index)
        let isKept = oversized == nil && index - start <= limit
        scan = isKept ? start : max(start, index - 1 - indent)
        return .again
    }

    /// Looks for a line that begins as the document's own line did, with as many blanks and a bracket.
    private mutating func resynchronise() -> Progress {
        while let feed = lineFeed(from: scan) {
            var index = feed + 1
            while index < buffer.count, buffer[index] == 0x20 || buffer[index] == 0x09 { index += 1 }
            guard index < buffer.count || hasEnded else {
                scan = feed
                return .starved
            }
            let opens = index < buffer.count && [UInt8(ascii: "{"), UInt8(ascii: "[")].contains(buffer[index])
            scan = feed + 1
            guard opens, index - feed - 1 == indent else { continue }
            let again = brokenAt - (base + Int64(index))
            if again > 0 {
                guard lookedAtAgain + again <= 8 * brokenAt else {
                    scan = max(scan, Int(brokenAt - base) - 1 - indent)
                    continue
                }
                lookedAtAgain += again
            }
            return emit(feed)
        }
        scan = buffer.count
        return hasEnded ? emitCutOff() : .starved
    }

    private func lineFeed(from index: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard index < bytes.count, let first = bytes.baseAddress,
                let found = memchr(first + index, 0x0A, bytes.count - index)
            else { return nil }
            return UnsafeRawPointer(found) - first
        }
    }

    /// Lets go of what a document that has passed the limit holds, but for what the search for its end looks back at.
    private mutating func discardOverLimit() {
        guard work == .document || work == .line || work == .resynchronising else { return }
        if oversized == nil {
            // Whatever ends from here on, the search for its end included, is greater than the limit.
            guard scan - start > limit + 1 + indent else { return }
            oversized = (position, pendingHead)
        }
        start = max(start, scan - 1 - indent)
    }
}
