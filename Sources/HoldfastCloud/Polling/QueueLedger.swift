package import HoldfastCore
internal import HoldfastEngine
internal import HoldfastJSON

/// The messages of a queue that are in our hands: what is to be done for each, which are finished and wait for the
/// journal, which can be deleted, and which must be kept from coming back to others while we work on them.
package struct QueueLedger: Sendable {
    package struct Message: Sendable, Hashable {
        package var id: String
        package var receipt: String
        package init(id: String, receipt: String) {
            self.id = id
            self.receipt = receipt
        }
    }

    enum Work: Sendable {
        case file(LogObject)
        /// To be counted as what it is.
        case other(JSON, place: String)
        case unreadable(UnreadableRecord)

        /// By which it is known when it comes again.
        var identity: String {
            switch self {
            case .file(let object): object.identity
            case .other(_, let place): place
            case .unreadable(let record): record.place
            }
        }
    }

    private struct Held: Sendable {
        var message: Message
        /// The queue gives it to others from then on.
        var until: Timestamp
        var work: ArraySlice<Work>
    }

    private var held: [Held] = []
    /// All their work is in batches that were given.
    private var given: [Message] = []
    /// Everything of theirs is in the journal.
    private var deletable: [Message] = []

    /// How long a message stays ours. Extended from half of it on.
    package static let visibility = Span(seconds: 60)

    package init() {}

    package var isEmpty: Bool { held.isEmpty }

    // MARK: Work

    mutating func received(_ message: Message, body: String, at now: Timestamp) {
        let work: [Work]
        switch ObjectNotification(body: body) {
        case .objects(let objects, let others):
            let rest = others.enumerated().map { Work.other($1, place: "sqs:\(message.id)#\($0)") }
            work = objects.map(Work.file) + rest
        case .unreadable(let reason):
            let bytes = Array(body.utf8.prefix(64 << 10))
            work = [
                .unreadable(
                    UnreadableRecord(
                        place: "sqs:\(message.id)", reason: "a message of the queue \(reason)", bytes: bytes))
            ]
        }
        // A message that comes twice while we have it: the newer receipt is the one that the queue takes.
        held.removeAll { $0.message.id == message.id }
        held.append(Held(message: message, until: now + Self.visibility, work: work[...]))
    }

    /// What is done next; `nil` where nothing is left.
    var work: Work? { held.first { !$0.work.isEmpty }?.work.first }

    /// The next work is in a batch, or needs none.
    ///
    /// - Parameter isCommitted: it was in the journal already.
    mutating func finishWork(isCommitted: Bool = false) {
        guard let index = held.firstIndex(where: { !$0.work.isEmpty }) else { return }
        held[index].work.removeFirst()
        settle(isCommitted: isCommitted)
    }

    /// The next work cannot be done: its message is left to the queue, which gives it again later.
    mutating func letGo() {
        guard let index = held.firstIndex(where: { !$0.work.isEmpty }) else { return }
        held.remove(at: index)
    }

    /// Messages without work are through, in the order in which they came.
    mutating func settle(isCommitted: Bool = true) {
        let through = held.filter(\.work.isEmpty).map(\.message)
        held.removeAll(where: \.work.isEmpty)
        // What is finished without a batch may rest on one that was given and is not committed yet.
        if isCommitted, given.isEmpty { deletable += through } else { given += through }
    }

    /// The journal has every batch that was given.
    mutating func committed() {
        deletable += given
        given = []
    }

    // MARK: The queue's side

    /// At most ten, as one call takes.
    var toDelete: [Message] { Array(deletable.prefix(10)) }

    /// What the queue was told, whether it heard or not: a message that comes back is known.
    mutating func deleted(_ messages: [Message]) { deletable.removeAll(where: messages.contains) }

    /// At most ten.
    func toExtend(at now: Timestamp) -> [Message] {
        let half = now + Span(nanoseconds: Self.visibility.nanoseconds / 2)
        return held.filter { $0.until < half }.prefix(10).map(\.message)
    }

    /// - Parameter isDone: false: the queue did not take it, and may give the messages to others.
    mutating func extended(_ messages: [Message], at now: Timestamp) {
        for index in held.indices where messages.contains(held[index].message) {
            held[index].until = now + Self.visibility
        }
    }
}
