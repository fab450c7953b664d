package import HoldfastEngine

/// Events from standard input, or from another descriptor that somebody else opened and closes: plain or gzip, in any
/// shape that ``DocumentSplitter`` parts. What went by cannot be had again, so it gives no positions.
package actor StdinSource: EventSource {
    package nonisolated let name: String
    private let stream: DocumentStream
    private let limits: FileLimits
    private let wait: @Sendable () async throws -> Void
    private var hasEnded = false

    /// - Parameters:
    ///   - name: the source's name, which places begin with: `stdin@1042`.
    ///   - descriptor: where to read; 0 is standard input.
    ///   - wait: returns when it is time to look for input again, 20 ms or so; throws when cancelled.
    package init(
        name: String = "stdin", descriptor: Int32 = 0, limits: FileLimits = FileLimits(),
        wait: @escaping @Sendable () async throws -> Void
    ) {
        self.name = name
        self.limits = limits
        self.wait = wait
        stream = DocumentStream(OpenedFile(borrowing: descriptor), name: name, limits: limits)
    }

    package func resume(from positions: [SourcePosition]) {}

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !hasEnded {
            if Task.isCancelled { throw .cancelled(name) }
            if let batch = collect() { return batch }
            if hasEnded { return nil }
            do { try await wait() } catch { throw .cancelled(name) }
        }
        return nil
    }

    package func committed(_ positions: [SourcePosition]) {}

    package func close() { hasEnded = true }

    private func collect() -> RecordBatch? {
        var draft = BatchDraft(limits: limits)
        while !draft.isFull {
            switch stream.next() {
            case .document(let offset, let range):
                stream.withBytes(range) { draft.add($0, name: name, offset: offset) }
            case .unreadable(let record): draft.add(record)
            case .notYet: return draft.batch
            case .end, .replaced:
                hasEnded = true
                return draft.batch
            }
        }
        return draft.batch
    }
}
