package import HoldfastCrypto
internal import HoldfastJSON

/// What to do about a finding: one data file, fully checked against the catalog and the rules when it was loaded.
package struct Playbook: Sendable {
    /// The file's name without its ending.
    package var id: String
    package var title: String
    /// The rules whose findings it fixes.
    package var remedies: [String]
    /// The type of resource that it changes.
    package var type: ResourceType
    /// The playbook whose rules it takes over.
    package var insteadOf: String?
    package var risk: PlaybookRisk
    var needs: PlaybookNeed?
    /// The type whose last observed state it makes again; `nil`: it needs none.
    package var neededType: String? { needs?.type.name }
    var edits: [DocumentEdit]
    var choices: [PlaybookChoice]
    var steps: [PlaybookStep]
    var alternatives: [PlaybookAlternative]
    package var tellsActor: Bool
    package var grace: Span?
    var tests: [PlaybookTest]
    /// What makes the drift for a drill, as a playbook of one step; none or one. It is not in the digest.
    var plantings: [Playbook] = []
    package var planting: Playbook? { plantings.first }
    package var typeName: String { type.name }
    /// The catalog's entry of every call that a step or an undo makes, by name.
    package var calls: [String: CloudCall]
    /// Over steps, calls, parameters and the catalog's entries of the calls; title, tests, comments and what only
    /// guards read are not in it.
    package var digest: SHA256Digest
    package var place: SourcePlace
}

/// State of a resource that is gone, to make it again.
struct PlaybookNeed: Sendable {
    var type: ResourceType
    var atMost: Span?
    var place: SourcePlace
}

/// A document that is changed in part.
struct DocumentEdit: Sendable {
    var name: String
    /// The section of the resource.
    var section: PropertyPath
    var whenAbsent: PlaybookTemplate?
    var removesOffending: Bool
    /// Of an offending element, what is taken out where something of it holds; paths are the element's own.
    var only: PlaybookCondition?
    /// Elements that lists of the document must have.
    var additions: [(list: PropertyPath, elements: [PlaybookTemplate])]
    var merge: PlaybookTemplate?
    var place: SourcePlace
}

/// One element chosen from a list of the resource.
struct PlaybookChoice: Sendable {
    var name: String
    var from: PropertyPath
    var filter: PlaybookCondition?
    var orderBy: PropertyPath?
    var isDescending: Bool
    /// The rule is tried with each candidate in place.
    var mustPass: Bool
    /// The resource's property -> the candidate's, for that trial.
    var inPlace: [(property: PropertyPath, candidate: PropertyPath)]
    var place: SourcePlace
}

struct PlaybookAlternative: Sendable {
    var title: String
    var steps: [PlaybookStep]
}

/// One call, with when it is made and how it is undone.
struct PlaybookStep: Sendable {
    enum Loop: Sendable {
        /// The offending elements, of one list where it is named.
        case offending(list: PropertyPath?)
        case list(PlaybookReference)
    }
    enum Undo: Sendable {
        case restore
        case inverseEdit(String)
        case call(String, with: PlaybookTemplate, UndoGrade)
        case irreversible(String)
    }
    var why: String?
    var when: PlaybookCondition?
    var loop: Loop?
    /// The most elements that the loop may have.
    var bound: Int
    var call: String
    var with: PlaybookTemplate
    var ifMatch: PlaybookReference?
    var waitUntil: PlaybookCondition?
    var waitAtMost: Span?
    var undo: Undo
    /// Of its call.
    var place: SourcePlace
    var undoPlace: SourcePlace
}

/// How well something can be undone; the greater, the worse.
package enum UndoGrade: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// All is as before.
    case exact
    /// As good as before, but for what is lost.
    case equivalent(loses: String)
    case irreversible(reason: String)

    static let words = ["exact", "equivalent", "irreversible"]

    package var word: String {
        switch self {
        case .exact: "exact"
        case .equivalent: "equivalent"
        case .irreversible: "irreversible"
        }
    }
    package var description: String {
        switch self {
        case .exact: "exact"
        case .equivalent(let loses): "equivalent, loses \(loses)"
        case .irreversible(let reason): "irreversible: \(reason)"
        }
    }
    private var rank: Int { UndoGrade.words.firstIndex(of: word) ?? 0 }

    /// By the word alone: one `equivalent` is no worse than another.
    package static func < (a: UndoGrade, b: UndoGrade) -> Bool { a.rank < b.rank }
}

/// One test of a playbook's file.
struct PlaybookTest: Sendable {
    /// A state, or a sample by its name.
    enum Given: Sendable {
        case sample(String)
        case state(JSON)
    }
    var given: Given
    var id: String?
    var sets: [(path: PropertyPath, value: JSON)]
    var unsets: [PropertyPath]
    var rule: String?
    var offending: [PropertyPath]?
    var params: [String: JSON]
    /// `in:`, the one that is not classified without it.
    var environment: String
    var lists: [String: [String]]
    var tags: [String: String]?
    /// Relation -> resources at its other end.
    var related: [String: [Given]]
    var last: Given?
    var plans: [String]?
    var calls: [JSON]?
    var undo: String?
    var undoes: [JSON]?
    var warns: [String]?
    var proposes: String?
    var nothing: String?
    var decides: String?
    var place: SourcePlace
}
