import ArgumentParser
import HoldfastCore
import HoldfastJSON

struct ObjectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "object",
        abstract: "Say why a drift should stay: it is not fixed before another person approves that.",
        discussion: """
            Who made the change may object, who answers for the resource, and any operator or approver. An objection \
            is for this drift: it ends when its person takes it back with --withdraw, or another person approves the \
            fix. `holdfast why` says who objected and why.
            """)
    @OptionGroup var desk: DeskOptions
    @Argument(help: "The finding's id, as the message names it.") var finding: String
    @Option(help: "Why it should stay; approvers read it.") var reason = ""
    @Flag(help: "Take your objection back.") var withdraw = false

    func validate() throws {
        guard !withdraw, reason.isEmpty else { return }
        throw ValidationError("give a reason: --reason \"…\"")
    }

    func run() async throws {
        let path = ["findings", finding, "object"] + (withdraw ? ["withdraw"] : [])
        try await desk.post(path, ["reason": .string(reason)])
    }
}

/// Who was told of a finding and who objected, for `holdfast why`.
enum PeopleText {
    static func lines(_ json: JSON) -> [String] {
        let told = (json["told"]?.array ?? []).map { row -> String in
            let who = row["person"]?.string ?? ""
            let role = row["owner"] == true ? "who answers for it" : "who made it"
            if let at = row["told"]?.string { return "\(who), \(role), was told at \(at)" }
            return row["state"] == "failed"
                ? "\(who), \(role), could not be told" : "\(who), \(role), is being told"
        }
        let objections = (json["objections"]?.array ?? []).map { row -> String in
            let end = row["withdrawn"]?.string.map { ", and took it back at \($0)" } ?? ""
            let (who, at) = (row["person"]?.string ?? "", row["at"]?.string ?? "")
            return "\(who) objected at \(at): \(row["reason"]?.string ?? "")\(end)"
        }
        return told + objections
    }
}
