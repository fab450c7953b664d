import HoldfastJSON

/// One thing that the doctor looked at, and what it found.
struct Diagnosis: Sendable {
    enum State: String, Sendable {
        case ok
        /// It works, or was not tried, and somebody should know why.
        case note
        case fails
    }
    /// What is looked at: `store`, `source`, `credential`, …
    var part: String
    /// Which of them; empty where there is one.
    var subject: String
    var state: State
    /// What was found.
    var text: String
    /// What to do; empty where all is well.
    var remedy: String

    static func ok(_ part: String, _ subject: String = "", _ text: String) -> Diagnosis {
        Diagnosis(part: part, subject: subject, state: .ok, text: text, remedy: "")
    }

    static func note(_ part: String, _ subject: String = "", _ text: String, do remedy: String = "") -> Diagnosis {
        Diagnosis(part: part, subject: subject, state: .note, text: text, remedy: remedy)
    }

    static func fails(_ part: String, _ subject: String = "", _ text: String, do remedy: String) -> Diagnosis {
        Diagnosis(part: part, subject: subject, state: .fails, text: text, remedy: remedy)
    }

    var json: JSON {
        [
            "part": .string(part), "subject": .string(subject), "state": .string(state.rawValue),
            "text": .string(text), "remedy": .string(remedy),
        ]
    }

    /// One line, and under it what to do.
    var lines: String {
        let mark = state == .fails ? "FAILS" : state.rawValue
        let name = subject.isEmpty ? part : "\(part) \(subject)"
        let padding = String(repeating: " ", count: 5 - mark.count)
        let line = "\(mark)\(padding)  \(name): \(text)"
        return remedy.isEmpty ? line : "\(line)\n         do: \(remedy)"
    }
}
