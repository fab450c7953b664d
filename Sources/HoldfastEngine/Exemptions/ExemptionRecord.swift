package import HoldfastCore
package import HoldfastJSON

/// An exemption that was asked for through the server, with everything that people said of it.
package struct ExemptionRecord: Sendable, Hashable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        case proposed, approved, refused, withdrawn, ended
    }

    /// What led to a state.
    package struct Word: Sendable, Hashable {
        package var state: State
        package var person: String
        package var at: Timestamp
        package var reason: String
        package init(state: State, person: String, at: Timestamp, reason: String) {
            self.state = state
            self.person = person
            self.at = at
            self.reason = reason
        }
    }

    /// `x-` and 16 hexadecimal digits.
    package let id: String
    /// Its approver is empty until somebody agrees.
    package private(set) var exemption: Exemption
    /// The first is the proposal.
    package private(set) var words: [Word]

    package init(id: String, exemption: Exemption, by person: String, at: Timestamp) {
        self.id = id
        self.exemption = exemption
        self.exemption.place = SourcePlace(file: id, line: 0, column: 0)
        words = [Word(state: .proposed, person: person, at: at, reason: exemption.reason)]
    }

    package var state: State { words.last?.state ?? .proposed }
    package var proposedBy: String { words.first?.person ?? "" }

    /// Why a state cannot follow the present one; `nil` where it can.
    func obstacle(to next: State, now: Timestamp) -> String? {
        if next == .approved, exemption.end <= now { return "\(id) would have ended at \(exemption.end)" }
        let from: [State] = next == .withdrawn ? [.proposed, .approved] : next == .ended ? [.approved] : [.proposed]
        return from.contains(state) ? nil : "\(id) is \(state.rawValue) already"
    }

    mutating func take(_ word: Word) {
        words.append(word)
        if word.state == .approved { exemption.approver = word.person }
    }

    package var json: JSON {
        [
            "id": .string(id), "state": .string(state.rawValue), "rule": .string(exemption.rule),
            "resources": .array(exemption.resources.map(JSON.string)), "kind": .string(exemption.kind.rawValue),
            "owner": .string(exemption.owner), "approver": .string(exemption.approver),
            "reason": .string(exemption.reason), "end": .string(exemption.end.description),
            "proposed-by": .string(proposedBy),
            "words": .array(
                words.map {
                    [
                        "state": .string($0.state.rawValue), "person": .string($0.person),
                        "at": .string($0.at.description), "reason": .string($0.reason),
                    ]
                }),
        ]
    }

    package init?(json: JSON) {
        guard let id = json["id"]?.string, let rule = json["rule"]?.string,
            let kind = json["kind"]?.string.flatMap(Exemption.Kind.init), let owner = json["owner"]?.string,
            let approver = json["approver"]?.string, let reason = json["reason"]?.string,
            let end = json["end"]?.string.flatMap({ Timestamp($0) }), let words = json["words"]?.array
        else { return nil }
        self.id = id
        exemption = Exemption(
            rule: rule, resources: json["resources"]?.array?.compactMap(\.string) ?? [], kind: kind, owner: owner,
            approver: approver, reason: reason, end: end, place: SourcePlace(file: id, line: 0, column: 0))
        self.words = words.compactMap { word in
            guard let state = word["state"]?.string.flatMap(State.init),
                let at = word["at"]?.string.flatMap({ Timestamp($0) })
            else { return nil }
            return Word(
                state: state, person: word["person"]?.string ?? "", at: at, reason: word["reason"]?.string ?? "")
        }
    }
}

/// What the journal keeps of exemptions.
package protocol ExemptionJournal: AnyObject, Sendable {
    /// In the order in which they were proposed.
    func exemptions() throws(JournalError) -> [ExemptionRecord]
}

extension ExemptionJournal {
    /// Those that people agreed to and nobody took back.
    func granted() throws(JournalError) -> [Exemption] {
        try exemptions().filter { $0.state == .approved }.map(\.exemption)
    }
}

extension Exemption {
    /// Whether it was granted through the server, not by a data file.
    var isGranted: Bool { place.line == 0 && place.file.hasPrefix("x-") }
}
