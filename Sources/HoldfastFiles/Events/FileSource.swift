package import HoldfastEngine

/// Events from files: paths, folders with everything below them, patterns with `**`; plain or gzip, in any shape that
/// ``DocumentSplitter`` parts.
///
/// The position of a file is the byte, in what is read out of it, at which its next record begins. A gzip or UTF-16
/// file that was read to its end has minus its size instead, so that it need not be inflated again to know that. A file
/// that cannot be read, or not to its end, becomes an ``UnreadableRecord``, and the rest goes on.
package actor FileSource: EventSource {
    package nonisolated let name: String
    private let paths: [String]
    private let isFollowed: Bool
    private let limits: FileLimits
    private let wait: @Sendable () async throws -> Void
    private var ledger = FileLedger(committed: [:])
    private var work: [FileLedger.Action] = []
    /// Where in `work` we are.
    private var done = 0
    private var current: DocumentStream?
    private var kept: [String: DocumentStream] = [:]
    private var pipes: [DocumentStream] = []
    private var named: Set<String> = []
    /// Whether files are listed before the next batch: at first, and after each wait.
    private var mustLook = true
    private var isClosed = false

    /// Files that are kept open while they are followed, so that the rest of a file that is moved away is not missed.
    private static let keptLimit = 64

    /// - Parameters:
    ///   - name: the source's name in positions and dead letters.
    ///   - paths: files, folders and patterns; at least one.
    ///   - follow: wait for new files and for more in the ones there are, and never end.
    ///   - wait: returns when it is time to look again; throws when cancelled. One look costs a `stat` a file.
    package init(
        name: String = "file", paths: [String], follow: Bool = false, limits: FileLimits = FileLimits(),
        wait: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.paths = paths
        self.isFollowed = follow
        self.limits = limits
        self.wait = wait
    }

    /// - Throws: `no-such-file` for a path or pattern that leads to nothing, unless files are waited for.
    package func resume(from positions: [SourcePosition]) throws(SourceError) {
        let mine = positions.filter { $0.source == name }.map { ($0.partition, $0.next) }
        ledger = FileLedger(committed: Dictionary(mine, uniquingKeysWith: { _, last in last }))
        guard !isFollowed else { return }
        let missing = FileListing(paths).faults.filter(\.isMissing)
        if !missing.isEmpty {
            let list = missing.map { "\($0.path) \($0.reason)" }.joined(separator: "; ")
            throw SourceError(code: "no-such-file", message: "the source \(name) has nothing to read: \(list)")
        }
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !isClosed {
            if Task.isCancelled { throw .cancelled(name) }
            if let batch = collect() { return batch }
            guard isFollowed || !pipes.isEmpty else { return nil }
            do { try await wait() } catch { throw .cancelled(name) }
            mustLook = isFollowed
            if !pipes.isEmpty { current = pipes.removeFirst() }
        }
        return nil
    }

    package func committed(_ positions: [SourcePosition]) {}

    package func close() {
        isClosed = true
        current = nil
        kept = [:]
        pipes = []
    }

    /// What is there now, as much as a batch takes; `nil` where nothing is.
    private func collect() -> RecordBatch? {
        var draft = BatchDraft(limits: limits)
        while !draft.isFull, !Task.isCancelled {
            if let stream = current {
                take(from: stream, into: &draft)
            } else if done < work.count {
                done += 1
                start(work[done - 1], &draft)
            } else if mustLook {
                look()
            } else {
                break
            }
        }
        if let current { note(current, &draft) }
        return draft.batch
    }

    private func look() {
        let listing = FileListing(paths)
        named.formUnion(listing.entries.filter(\.isNamed).map(\.path))
        work = ledger.look(listing, isFollowed: isFollowed)
        done = 0
        mustLook = false
    }

    private func start(_ action: FileLedger.Action, _ draft: inout BatchDraft) {
        switch action {
        case .open(let path, let position):
            kept[path] = nil
            open(path, from: position, &draft)
        case .goOn(let path): current = kept[path]
        case .letGo(let path):
            guard let stream = kept[path] else { return ledger.forget(path) }
            stream.letGo()
            current = stream
        case .rename(let from, let to):
            guard let stream = kept.removeValue(forKey: from) else { return }
            kept[to] = stream
            stream.name = to
            current = stream
        case .tellTail(let path, let offset):
            let reason = "\(path) ends in the middle of a document and does not grow; it is read on when it does"
            let head = kept[path]?.pendingHead ?? []
            draft.add(UnreadableRecord(place: "\(path)@\(offset)", reason: reason, bytes: head))
        case .tell(let record): draft.add(record)
        }
    }

    private func open(_ path: String, from position: Int64, _ draft: inout BatchDraft) {
        do {
            let file = try OpenedFile(path: path)
            let isFile = try file.facts().kind == .file
            current = DocumentStream(
                file, name: path, resumeAt: isFile ? position : 0, isFollowed: isFollowed && isFile, limits: limits)
        } catch {
            if let record = ledger.cannotOpen(path, from: position, "\(error)") { draft.add(record) }
        }
    }

    /// One step of a file.
    private func take(from stream: DocumentStream, into draft: inout BatchDraft) {
        switch stream.next() {
        case .document(let offset, let range):
            stream.withBytes(range) { draft.add($0, name: stream.name, offset: offset) }
        case .unreadable(let record): draft.add(record)
        case .notYet: pause(stream, &draft)
        case .end: end(stream, &draft)
        case .replaced:
            let reason =
                "\(stream.name) is not the file that was read up to byte \(stream.resumeAt); it is read from its "
                + "start, and what the old one still held is lost"
            draft.add(UnreadableRecord(place: "\(stream.name)@\(stream.resumeAt)", reason: reason))
            current = nil
            kept[stream.name] = nil
            open(stream.name, from: 0, &draft)
        }
    }

    private func pause(_ stream: DocumentStream, _ draft: inout BatchDraft) {
        current = nil
        note(stream, &draft)
        guard stream.isFile else { return pipes.append(stream) }
        let isWorthIt = named.contains(stream.name) || ledger.hasGrown(stream.name) || stream.isUnfinished
        let isOpen = kept[stream.name] != nil || (isWorthIt && kept.count < Self.keptLimit)
        kept[stream.name] = isOpen ? stream : nil
        ledger.wasRead(
            stream.name, consumed: stream.consumed, next: stream.position, isOpen: isOpen,
            isUnfinished: stream.isUnfinished)
    }

    private func end(_ stream: DocumentStream, _ draft: inout BatchDraft) {
        current = nil
        note(stream, &draft)
        kept[stream.name] = nil
        if stream.wasLetGo { return ledger.forget(stream.name) }
        ledger.wasRead(
            stream.name, consumed: stream.consumed, next: stream.position, isOpen: false, isUnfinished: false)
    }

    /// Where a file stands now, for the journal.
    private func note(_ stream: DocumentStream, _ draft: inout BatchDraft) {
        guard stream.isFile, stream.lasting != 0 else { return }
        draft.set(SourcePosition(source: name, partition: stream.name, next: stream.lasting))
    }
}

extension SourceError {
    /// The task that reads was cancelled; everything that was given and committed stays so.
    static func cancelled(_ source: String) -> SourceError {
        SourceError(code: "cancelled", message: "the source \(source) was asked to stop")
    }
}
