internal import HoldfastEngine

/// What a source knows of its files from look to look, and what is to be done after each: decisions only.
struct FileLedger {
    enum Action: Hashable {
        /// Open a file and read from a position.
        case open(path: String, from: Int64)
        /// Read on in a file that is kept open.
        case goOn(path: String)
        /// The path belongs to another file now, or to none: read the old one to its end and let it go.
        case letGo(path: String)
        /// A file that is kept open has another name now.
        case rename(from: String, to: String)
        /// A document that is cut off has not gone on for long: say so, and wait on.
        case tellTail(path: String, at: Int64)
        case tell(UnreadableRecord)
    }

    private struct Known {
        var identity: FileIdentity
        /// Bytes read of the file itself.
        var consumed: Int64
        var next: Int64
        var isOpen: Bool
        var isUnfinished: Bool
        var quietLooks = 0
        var hasGrown = false
        /// Looks since the path has led elsewhere.
        var looksSinceMoved = 0
    }

    /// Looks without growth after which a document that is cut off is told of: a minute of seconds.
    static let patience = 60

    private var known: [String: Known] = [:]
    /// What the journal had, until the path is seen.
    private var committed: [String: Int64]
    /// Faults that were told of, by path.
    private var told: [String: String] = [:]
    private var refused: [String: String] = [:]

    init(committed: [String: Int64]) { self.committed = committed }

    /// Whether a file has grown since it was first read to its end: then it is worth keeping open.
    func hasGrown(_ path: String) -> Bool { known[path]?.hasGrown ?? false }

    /// What to do now that the file system looks like this.
    mutating func look(_ listing: FileListing, isFollowed: Bool) -> [Action] {
        var actions = tell(listing.faults, isFollowed: isFollowed)
        actions += moved(listing.entries)
        for entry in listing.entries {
            if var file = known[entry.path] {
                guard file.looksSinceMoved == 0 else { continue }
                actions += look(at: &file, entry)
                known[entry.path] = file
            } else {
                actions += first(entry)
            }
        }
        return actions
    }

    private mutating func tell(_ faults: [FileListing.Fault], isFollowed: Bool) -> [Action] {
        let before = told
        told = [:]
        var actions: [Action] = []
        for fault in faults where !(fault.isMissing && isFollowed) {
            told[fault.path] = fault.reason
            guard before[fault.path] != fault.reason else { continue }
            actions.append(.tell(UnreadableRecord(place: fault.path, reason: "\(fault.path) \(fault.reason)")))
        }
        return actions
    }

    /// A file that could not be opened: told once, tried at each look from the same position.
    mutating func cannotOpen(_ path: String, from position: Int64, _ reason: String) -> UnreadableRecord? {
        known[path] = nil
        committed[path] = position
        defer { refused[path] = reason }
        return refused[path] == reason ? nil : UnreadableRecord(place: path, reason: "\(path) \(reason)")
    }

    /// A path that is seen for the first time, or for the first time since its file was let go.
    private mutating func first(_ entry: FileListing.Entry) -> [Action] {
        let next = committed.removeValue(forKey: entry.path) ?? 0
        var file = Known(
            identity: entry.facts.identity, consumed: 0, next: 0, isOpen: false, isUnfinished: false)
        if next < 0, -next == entry.facts.size {
            // Read to its end by an earlier life, and not touched since.
            (file.consumed, file.next) = (-next, next)
            known[entry.path] = file
            return []
        }
        known[entry.path] = file
        return [.open(path: entry.path, from: max(0, next))]
    }

    private func look(at file: inout Known, _ entry: FileListing.Entry) -> [Action] {
        let size = entry.facts.size
        if size > file.consumed {
            (file.quietLooks, file.hasGrown) = (0, true)
            return [file.isOpen ? .goOn(path: entry.path) : .open(path: entry.path, from: max(0, file.next))]
        }
        if size < file.consumed {
            let reason =
                "\(entry.path) shrank from \(file.consumed) to \(size) bytes; it is read from its start, and what "
                + "was added before it was cut and not yet read is lost"
            let record = UnreadableRecord(place: "\(entry.path)@\(file.consumed)", reason: reason)
            return [.tell(record), .open(path: entry.path, from: 0)]
        }
        guard file.isUnfinished else { return [] }
        file.quietLooks += 1
        return file.quietLooks == Self.patience ? [.tellTail(path: entry.path, at: file.next)] : []
    }

    /// Paths that lead to another file than before, or to none.
    private mutating func moved(_ entries: [FileListing.Entry]) -> [Action] {
        let byPath = Dictionary(entries.map { ($0.path, $0.facts.identity) }, uniquingKeysWith: { first, _ in first })
        var actions: [Action] = []
        for path in known.filter({ byPath[$0.key] != $0.value.identity }).keys.sorted() {
            guard let file = known[path] else { continue }
            guard file.isOpen else {
                // Nobody holds the old file: its identity may be given to another, so nothing is inferred from it.
                known[path] = nil
                continue
            }
            if let entry = entries.first(where: { $0.facts.identity == file.identity && known[$0.path] == nil }) {
                known[entry.path] = file
                known[path] = nil
                actions += [.rename(from: path, to: entry.path)]
            } else {
                // A writer may yet go on with the old file for a while: it is let go at the second look.
                known[path]?.looksSinceMoved += 1
                actions.append(file.looksSinceMoved == 0 ? .goOn(path: path) : .letGo(path: path))
            }
        }
        return actions
    }

    /// A file was read as far as it goes.
    ///
    /// - Parameters:
    ///   - consumed: bytes of the file that were read.
    ///   - next: where to go on, should it grow.
    mutating func wasRead(_ path: String, consumed: Int64, next: Int64, isOpen: Bool, isUnfinished: Bool) {
        refused[path] = nil
        known[path]?.consumed = consumed
        known[path]?.next = next
        known[path]?.isOpen = isOpen
        known[path]?.isUnfinished = isUnfinished
    }

    /// A file that had been kept open is gone.
    mutating func forget(_ path: String) { known[path] = nil }
}
