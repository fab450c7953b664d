package import HoldfastCore
package import HoldfastJSON

/// What was there to be replayed, and what was not: for each source, account, region and hour.
package struct Coverage: Sendable {
    /// How much of an hour's log is there.
    package enum State: String, Sendable, Comparable {
        case complete, partial, missing

        private var rank: Int {
            switch self {
            case .complete: 0
            case .partial: 1
            case .missing: 2
            }
        }
        package static func < (a: State, b: State) -> Bool { a.rank < b.rank }
    }

    /// Something that says of a time how much is there; of several kinds the strongest counts.
    package struct Claim: Sendable, Hashable {
        package enum Basis: String, Sendable, Comparable {
            case events, deliveries, journal, offsets, digests
            private var strength: Int {
                switch self {
                case .events: 0
                case .deliveries: 1
                case .journal: 2
                case .offsets: 3
                case .digests: 4
                }
            }
            package static func < (a: Basis, b: Basis) -> Bool { a.strength < b.strength }
        }
        package var basis: Basis
        /// `nil`: of every account.
        package var account: String?
        package var region: String?
        package var from: Timestamp
        package var to: Timestamp
        package var state: State
        /// How that is known, as a sentence.
        package var known: String

        package init(
            basis: Basis, account: String? = nil, region: String? = nil, from: Timestamp, to: Timestamp,
            state: State, known: String
        ) {
            self.basis = basis
            self.account = account
            self.region = region
            self.from = from
            self.to = to
            self.state = state
            self.known = known
        }
    }

    struct Line: Hashable, Comparable {
        var source: String
        var cloud: String
        var account: String
        var region: String
        static func < (a: Line, b: Line) -> Bool {
            (a.source, a.cloud, a.account, a.region) < (b.source, b.cloud, b.account, b.region)
        }
    }

    /// Hour -> events.
    private var events: [Line: [Int64: Int]] = [:]
    private var claims: [String: Set<Claim>] = [:]
    private var deliveries: [Line: Set<Int64>] = [:]
    private var unreadable: [String: Int] = [:]
    private var examples: Set<String> = []
    private var notes: Set<String> = []
    /// What checking CloudTrail's digests came to, where there are any.
    package var digests: JSON?
    package private(set) var first: Timestamp?
    package private(set) var last: Timestamp?

    package init() {}

    /// An event that came, read or write, in the window.
    ///
    /// - Parameter slot: of the delivery that it came in, where its file's name tells.
    mutating func count(
        source: String, cloud: Cloud, account: String, region: String, time: Timestamp, slot: Int64?
    ) {
        let hour = ReplayWindow.hour(of: time)
        if let last = current, last.hour == hour, last.slot == slot, last.line.account == account,
            last.line.region == region, last.line.source == source, last.line.cloud == cloud.rawValue
        {
            current?.events += 1
        } else {
            settle()
            let line = Line(source: source, cloud: cloud.rawValue, account: account, region: region)
            current = (line, hour, slot, 1)
        }
        first = min(first ?? time, time)
        last = max(last ?? time, time)
    }

    /// Neighbouring events are alike: they are added up before they are looked for.
    private var current: (line: Line, hour: Int64, slot: Int64?, events: Int)?

    /// To be called when all has been counted.
    mutating func settle() {
        guard let current else { return }
        events[current.line, default: [:]][current.hour, default: 0] += current.events
        if let slot = current.slot { deliveries[current.line, default: []].insert(slot) }
        self.current = nil
    }

    package mutating func add(_ claim: Claim, of source: String) { claims[source, default: []].insert(claim) }

    /// Something that could not be read.
    package mutating func addUnreadable(_ reason: String, at place: String, of source: String) {
        unreadable[source, default: 0] += 1
        examples.insert("\(place): \(reason)")
        if examples.count > Self.shownExamples, let last = examples.max() { examples.remove(last) }
    }
    private static let shownExamples = 20

    /// A sentence that a reader of the timeline must know.
    package mutating func note(_ sentence: String) { notes.insert(sentence) }

    package var eventCount: Int { events.values.reduce(0) { $0 + $1.values.reduce(0, +) } }
}

extension Coverage {
    /// A stretch of hours of one state.
    package struct Stretch: Sendable, Hashable {
        package var from: Timestamp
        package var to: Timestamp
        package var state: State
        package var known: String
        package var events: Int
    }

    /// One line of the strip.
    package struct Strip: Sendable {
        package var source: String
        package var cloud: String
        package var account: String
        package var region: String
        package var stretches: [Stretch]
    }

    /// The strip over the window; what the window leaves open ends with the first and last event.
    package func strips(_ window: ReplayWindow) -> [Strip] {
        guard let from = window.from ?? first else { return [] }
        guard let to = window.to ?? last.map(ReplayWindow.end), to > from else { return [] }
        let lines = Set(events.keys).union(deliveries.keys).sorted()
        return lines.map { line in
            Strip(
                source: line.source, cloud: line.cloud, account: line.account, region: line.region,
                stretches: stretches(of: line, from: from, to: to, isOpenEnded: window.to == nil))
        }
    }

    private func stretches(
        of line: Line, from: Timestamp, to: Timestamp, isOpenEnded: Bool
    ) -> [Stretch] {
        let hours = events[line] ?? [:]
        let own = (claims[line.source] ?? []).filter {
            ($0.account ?? line.account) == line.account && ($0.region ?? line.region) == line.region
        }.sorted { ($0.basis, $0.from, $0.known) < ($1.basis, $1.from, $1.known) }
        var edges: Set<Int64> = []
        func add(_ hour: Int64) { edges.formUnion([hour, hour + 3600]) }
        for hour in hours.keys { add(hour) }
        for slot in deliveries[line] ?? [] { add(slot - slot % 3600) }
        for claim in own {
            for time in [claim.from, claim.to] where time > from && time < to { add(ReplayWindow.hour(of: time)) }
        }
        let (start, end) = (ReplayWindow.hour(of: from), ReplayWindow.hour(of: to - Span(nanoseconds: 1)) + 3600)
        let marks = ([start, end] + edges.filter { $0 > start && $0 < end }).sorted()
        var found: [Stretch] = []
        for (hour, next) in zip(marks, marks.dropFirst()) {
            let (begin, limit) = (max(from, Timestamp(seconds: hour)), min(to, Timestamp(seconds: next)))
            let count = hours[hour] ?? 0
            let (state, known) = judge(line, hour, begin, limit, count, own)
            if let before = found.last, before.state == state, before.known == known {
                found[found.count - 1].to = limit
                found[found.count - 1].events += count
            } else {
                found.append(Stretch(from: begin, to: limit, state: state, known: known, events: count))
            }
        }
        return found
    }

    private func judge(
        _ line: Line, _ hour: Int64, _ from: Timestamp, _ to: Timestamp, _ count: Int, _ own: [Claim]
    ) -> (State, String) {
        let here = own.filter { $0.from < to && $0.to > from }
        if let basis = here.map(\.basis).max() {
            let strongest = here.filter { $0.basis == basis }
            guard let worst = strongest.map(\.state).max() else { return (.missing, "") }
            let known = Set(strongest.filter { $0.state == worst }.map(\.known)).sorted().joined(separator: " ")
            // What claims cover only in part is not known to be whole.
            let covered = strongest.map(\.from).min() ?? to <= from && strongest.map(\.to).max() ?? from >= to
            return (worst == .complete && !covered ? .partial : worst, known)
        }
        if let slots = deliveries[line] {
            return DeliverySequence(slots: slots).judge(hour: hour, from: from, to: to, events: count)
        }
        return count > 0
            ? (.partial, "Events were seen; nothing in this source says whether there are more.")
            : (.missing, "No event was seen, and nothing in this source says that there was none.")
    }
}

extension Coverage {
    /// As `--format json` prints it.
    package func json(_ window: ReplayWindow) -> JSON {
        let strips = strips(window).map { strip -> JSON in
            [
                "source": .string(strip.source), "cloud": .string(strip.cloud), "account": .string(strip.account),
                "region": .string(strip.region),
                "stretches": .array(
                    strip.stretches.map { stretch in
                        [
                            "from": .string(stretch.from.description), "to": .string(stretch.to.description),
                            "state": .string(stretch.state.rawValue), "known": .string(stretch.known),
                            "events": .number(JSONNumber(stretch.events)),
                        ]
                    }),
            ]
        }
        let counts = unreadable.sorted { $0.key < $1.key }.map { ($0.key, JSON.number(JSONNumber($0.value))) }
        var object = JSONObject([
            ("strip", .array(strips)), ("unreadable", .object(JSONObject(counts))),
            ("unreadable-examples", .array(examples.sorted().map(JSON.string))),
            ("notes", .array(notes.sorted().map(JSON.string))),
        ])
        if let digests { object["digests"] = digests }
        return .object(object)
    }
}
