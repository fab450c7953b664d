import HoldfastCore
import HoldfastJSON

/// Text that somebody else wrote, for a terminal.
enum Terminal {
    /// Without what moves a cursor, colours, or turns the order of letters round: shown as its number instead.
    static func plain(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case _ where scalar == "\n": out += "\n"
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
                out += "\\u{\(String(scalar.value, radix: 16))}"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}

/// A plan that waits, for a person at a terminal, in the order in which they need it.
enum ApprovalText {
    /// What it is about, in one sentence.
    static func sentence(_ json: JSON) -> String {
        if let sentence = json["sentence"]?.string { return sentence }
        let count = json["items"]?.array?.count ?? 0
        return
            "\(json["proposed-by"]?.string ?? "") asks to fix the backlog of \(json["playbook"]?.string ?? "") in "
            + "\(json["scope"]?.string ?? "") as one list of \(count): \(json["reason"]?.string ?? "")"
    }

    /// - Parameter json: as the query `planOf` answers.
    static func whole(_ json: JSON) -> String {
        guard let ask = json["ask"] else {
            return Terminal.plain(json["kind"] == "campaign" ? sentence(json) : "it no longer waits")
        }
        func texts(_ name: String) -> [String] { ask[name]?.array?.compactMap(\.string) ?? [] }
        var lines = [
            sentence(ask), "",
            ["severity", "environment"].map { ask[$0]?.string ?? "" }.joined(separator: ", ")
                + ", \(ask["risk"]?.string ?? "") risk",
            "", "What may break:",
        ]
        lines += texts("may-break").map { "  \($0)" }
        lines += ["", "What would be done:"]
        let plan = json["about"]?["plan"]?["text"]?.string ?? ""
        lines += plan.split(separator: "\n", omittingEmptySubsequences: false).map { "  \($0)" }
        lines.append("Evidence: \(ask["evidence"]?.string ?? "").")
        for word in json["words"]?.array ?? [] {
            lines.append(
                "\(word["person"]?.string ?? ""): \(word["word"]?.string ?? "") at \(word["at"]?.string ?? "") "
                    + "\(word["reason"]?.string ?? "")")
        }
        return Terminal.plain(lines.joined(separator: "\n"))
    }
}
