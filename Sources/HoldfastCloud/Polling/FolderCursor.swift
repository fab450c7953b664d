package import HoldfastCore
internal import HoldfastEngine

/// How far the files of one account and region in a bucket are read, which is listed in the order of their names.
///
/// CloudTrail's names begin with the minute in which a file was written, so a listing that starts at a minute gives
/// everything since. The *floor* is that minute: the overlap before the last pass began, or before the last file that
/// was read where that is further back; files that show up late are found within the overlap. Names that were read and
/// lie behind the floor are remembered, see ``SeenIDs``, and committed with the floor.
package struct FolderCursor: Sendable {
    package let folder: TrailFolder
    private let overlap: Span
    package private(set) var floor: Timestamp
    private var seen = SeenIDs()
    /// The file of which some records are in the journal and some not, with the next record.
    private var begun: (file: UInt64, next: UInt32)?
    private var committed: Timestamp?
    /// Of the pass: when it began, and behind which key the next page starts.
    private var began: Timestamp?
    private var after = ""

    /// - Parameters:
    ///   - position: what the journal has.
    ///   - start: without a position, the moment from which on files are wanted.
    init(_ folder: TrailFolder, overlap: Span, position: SourcePosition?, start: Timestamp) {
        self.folder = folder
        self.overlap = overlap
        guard let position else {
            floor = (start - overlap).minute
            return
        }
        floor = Timestamp(nanoseconds: position.next).minute
        committed = floor
        var reader = ByteReader(position.note)
        if let file: UInt64 = reader.next(), let next: UInt32 = reader.next(), next > 0 { begun = (file, next) }
        seen = SeenIDs(bytes: reader.remainder)
    }

    /// - Parameter now: when the first page is asked for.
    mutating func beginPass(at now: Timestamp) {
        began = now
        after = folder.marker(floor)
    }

    /// Behind which key the next page of the listing starts.
    package var startAfter: String { after }

    /// A key of a page.
    ///
    /// - Returns: whether its file is to be read.
    func wants(_ object: LogObject) -> Bool { !seen.contains(object.identity) }

    /// The first record of a file that is not in the journal.
    func next(of object: LogObject) -> Int {
        begun.flatMap { $0.file == SeenIDs.key(of: object.identity) ? Int($0.next) : nil } ?? 0
    }

    mutating func stands(_ object: LogObject, at next: Int) {
        begun = (SeenIDs.key(of: object.identity), UInt32(clamping: next))
    }

    /// All records of a file were given, and those of every file before it in the listing.
    mutating func finish(_ object: LogObject) {
        begun = nil
        let written = TrailKey(object.key)?.written ?? floor
        _ = seen.insert(object.identity, at: max(written, floor))
        advance(to: min(written, began ?? floor) - overlap)
    }

    /// All files of a page were given.
    ///
    /// - Parameter last: its last key; `nil` where the page was empty or the last.
    mutating func endPage(last: String?, isTruncated: Bool) {
        if let last, isTruncated {
            after = last
        } else if let began {
            advance(to: began - overlap)
            self.began = nil
        }
    }

    /// A page is still to be read.
    var isInPass: Bool { began != nil }

    /// What could not be read is looked for again in the next pass.
    mutating func breakOff() { began = nil }

    private mutating func advance(to time: Timestamp) {
        guard time.minute > floor else { return }
        floor = time.minute
        seen.forget(before: floor)
    }

    /// A floor that moved is committed without a record too, now and then.
    var mustCommit: Bool {
        committed.map { floor.since($0).nanoseconds >= Span(seconds: 1800).nanoseconds } ?? true
    }

    mutating func position(source: String) -> SourcePosition {
        committed = floor
        var note: [UInt8] = []
        note.append(bigEndian: begun?.file ?? 0)
        note.append(bigEndian: begun?.next ?? 0)
        return SourcePosition(
            source: source, partition: folder.base, next: floor.nanoseconds, note: note + seen.bytes)
    }
}

extension Timestamp {
    /// Its minute's first second.
    fileprivate var minute: Timestamp {
        let seconds = wholeSeconds
        return Timestamp(seconds: seconds - (seconds % 60 + 60) % 60)
    }
}
