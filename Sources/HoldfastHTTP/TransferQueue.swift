/// What waits for a connection, and what may go next: in order at each origin, the origins in turn.
///
/// libcurl's own queue wakes one transfer for each connection that gets free, whether or not that is of use to it, so
/// nothing is given to libcurl that it could not start at once.
struct TransferQueue<Element> {
    private struct Origin {
        var waiting: ArraySlice<Element> = []
        var active = 0
        /// As its last answer was.
        var isHTTP2 = false
    }

    private let connectionsPerHost: Int
    private let streamsPerHost: Int
    private let connections: Int
    private var origins: [String: Origin] = [:]
    /// Origins that have something waiting; the first one's turn is next.
    private var turn: [String] = []
    /// Connections in use, at most: no origin has more than it may, however many its transfers.
    private var connectionsUsed = 0

    init(connectionsPerHost: Int, streamsPerHost: Int, connections: Int) {
        self.connectionsPerHost = connectionsPerHost
        self.streamsPerHost = streamsPerHost
        self.connections = connections
    }

    var isEmpty: Bool { turn.isEmpty }

    mutating func add(_ element: Element, origin: String) {
        if origins[origin, default: Origin()].waiting.isEmpty { turn.append(origin) }
        origins[origin, default: Origin()].waiting.append(element)
    }

    /// Takes what may be started now; the caller starts it, and says when it has ended.
    mutating func next() -> Element? {
        guard let index = turn.firstIndex(where: hasRoom) else { return nil }
        guard var origin = origins[turn[index]], let element = origin.waiting.first else { return nil }
        let needsConnection = origin.active < connectionsPerHost
        // Nobody passes one whose turn it is: a busy origin over HTTP/2 would never let go of its connections.
        if needsConnection, connectionsUsed == connections { return nil }
        if needsConnection { connectionsUsed += 1 }
        origin.active += 1
        origin.waiting.removeFirst()
        let name = turn.remove(at: index)
        if !origin.waiting.isEmpty { turn.append(name) }
        origins[name] = origin
        return element
    }

    private func hasRoom(_ name: String) -> Bool {
        guard let origin = origins[name] else { return false }
        return origin.active < (origin.isHTTP2 ? max(streamsPerHost, connectionsPerHost) : connectionsPerHost)
    }

    /// - Parameter isHTTP2: how the answer came; `nil` where there was none.
    mutating func ended(origin name: String, isHTTP2: Bool?) {
        guard var origin = origins[name] else { return }
        origin.active -= 1
        if origin.active < connectionsPerHost { connectionsUsed -= 1 }
        if let isHTTP2 { origin.isHTTP2 = isHTTP2 }
        keep(origin, name)
    }

    /// Only what is under way, or worth knowing when the next request comes.
    private mutating func keep(_ origin: Origin, _ name: String) {
        let isIdle = origin.active == 0 && origin.waiting.isEmpty
        origins[name] = isIdle && !origin.isHTTP2 ? nil : origin
    }

    /// Takes out what need not wait any longer.
    mutating func remove(where isDone: (Element) -> Bool) -> [Element] {
        var removed: [Element] = []
        for name in turn {
            guard var origin = origins[name] else { continue }
            let waiting = origin.waiting
            origin.waiting = []
            // Each is asked once: a task may be cancelled between two questions.
            for element in waiting {
                if isDone(element) { removed.append(element) } else { origin.waiting.append(element) }
            }
            keep(origin, name)
        }
        turn.removeAll { origins[$0]?.waiting.isEmpty ?? true }
        return removed
    }
}
