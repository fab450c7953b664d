internal import HoldfastJSON

/// Where a record stands in what was received, and what the envelopes around it say of it.
indirect enum RecordPlace {
    /// All that was received.
    case whole
    /// In a member of what stands at a place; one envelope further in.
    case member(RecordPlace, String, EnvelopeFacts)
    /// In a list or a text that has no name of its own; one envelope further in.
    case nested(RecordPlace)
    case element(RecordPlace, Int)

    /// Envelopes within envelopes that are opened: SQS in SNS in EventBridge is three.
    static let deepest = 6
    static let tooDeep = "is wrapped in more than \(deepest) envelopes, which no event is"

    /// - Parameter facts: what this envelope says of what is in the member.
    func member(_ name: String, _ facts: EnvelopeFacts = EnvelopeFacts()) -> RecordPlace { .member(self, name, facts) }

    /// From the outside in: `Records[3].body`; empty for the whole.
    var path: String {
        switch self {
        case .whole: ""
        case .member(.whole, let name, _): name
        case .member(let outer, let name, _): "\(outer.path).\(name)"
        case .nested(let outer): outer.path
        case .element(let list, let index): "\(list.path)[\(index)]"
        }
    }

    /// Envelopes opened on the way here.
    var depth: Int {
        switch self {
        case .whole: 0
        case .member(let outer, _, _), .nested(let outer): outer.depth + 1
        case .element(let list, _): list.depth
        }
    }

    /// What the nearest envelope that has a say in it says.
    var facts: EnvelopeFacts {
        switch self {
        case .whole: EnvelopeFacts()
        case .member(_, _, let facts) where facts.isSaying: facts
        case .member(let outer, _, _), .nested(let outer), .element(let outer, _): outer.facts
        }
    }
}

/// What an envelope says of the event in it, for where the event itself does not.
struct EnvelopeFacts {
    var id: String?
    var time: Timestamp?
    var account: String?
    var region: String?
    var readOnly: Bool?

    fileprivate var isSaying: Bool { id != nil || time != nil || account != nil || region != nil || readOnly != nil }
}

/// A time as a record gives it.
enum Moment {
    case time(Timestamp)
    case missing
    /// With the reason, for a dead letter.
    case unreadable(String)

    /// - Parameters:
    ///   - value: a text by RFC 3339, or a number of seconds since 1970. A text without a zone is taken for UTC, in
    ///     which all clouds write: data lakes leave the zone out.
    ///   - name: what the record calls it.
    init(_ value: JSON?, name: String) {
        switch value {
        case nil, .null?, .string("")?: self = .missing
        case .string(let text)?:
            guard let time = Timestamp(text) ?? Timestamp(text + "Z") else {
                self = .unreadable(Moment.fault(text, name))
                return
            }
            self = .time(time)
        case .number(let number)?:
            let nanoseconds = (number.double * 1e9).rounded()
            guard abs(nanoseconds) < 0x1p63 else {
                self = .unreadable(Moment.fault(number.text, name))
                return
            }
            self = .time(Timestamp(nanoseconds: Int64(nanoseconds)))
        case .bool?, .array?, .object?:
            self = .unreadable("has \(value?.kindName ?? "") for \(name), where a time by RFC 3339 is needed")
        }
    }

    var time: Timestamp? { if case .time(let time) = self { time } else { nil } }

    private static func fault(_ text: String, _ name: String) -> String {
        let shown = text.prefix(64)
        // A year by its place tells a real time that does not fit from a text that is no time.
        if let year = Int(text.prefix(4)), Timestamp("2000" + text.dropFirst(4)) != nil {
            return "has the time \(shown) in \(name): year \(year) lies outside of 1678 to 2262, which times here can "
                + "hold; correct the record's clock and send it again"
        }
        return "has \"\(shown)\" in \(name), which is no time by RFC 3339"
    }

    /// The time, or the envelope's where there is none, or why there is neither.
    func resolved(by facts: EnvelopeFacts, name: String) throws(RecordFault) -> Timestamp {
        switch self {
        case .time(let time): return time
        case .unreadable(let reason): throw RecordFault(reason)
        case .missing:
            guard let time = facts.time else {
                throw RecordFault("has no time: it lacks \(name), and no envelope around it says one")
            }
            return time
        }
    }
}

/// Why a record of a known shape is a dead letter all the same.
struct RecordFault: Error {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}
