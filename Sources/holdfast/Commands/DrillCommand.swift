import ArgumentParser
import HoldfastCore
import HoldfastJSON

struct DrillCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drill",
        abstract: "Prove from end to end that a playbook works, on a resource that is there for that.",
        discussion: """
            On a resource with the label holdfast:drill, and on no other, the service plants the drift that the \
            playbook's drill: says, waits for its event, sees it fixed and verified, undoes the fix and takes away \
            what it planted. The time of each leg is printed; a missing one fails. Nothing is planted that would not \
            be fixed at once, by what the guards say before.
            """)
    @OptionGroup var desk: DeskOptions
    @Argument(help: "The playbook's id.") var playbook: String
    @Option(help: "The resource's whole id.") var resource: String
    @Option(help: "text, or json: the drill when it has ended.") var format: OutputFormat = .text

    func run() async throws {
        let client = try await desk.client()
        let begun = try await client.post(
            ["drills"], ["playbook": .string(playbook), "resource": .string(resource)])
        guard let id = begun["drill"]?["id"]?.string else { throw Failure("the answer names no drill") }
        if format == .text { Output.line(Terminal.plain(begun["done"]?.string ?? id)) }
        var shown = 0
        while true {
            let drill = try await client.get(["drills", id])
            let legs = drill["legs"]?.array ?? []
            if format == .text {
                for leg in legs.dropFirst(shown) { Output.line(Self.line(leg)) }
            }
            shown = legs.count
            let phase = drill["phase"]?.string.flatMap(Drill.Phase.init)
            if let phase, phase.isEnd { return try end(drill, phase) }
            try await Task.sleep(for: .milliseconds(300))
        }
    }

    private func end(_ drill: JSON, _ phase: Drill.Phase) throws {
        if format == .json { Output.line(Output.pretty(drill)) }
        guard phase == .passed else { throw Failure("the drill failed: \(drill["reason"]?.string ?? "")") }
        let total = (drill["legs"]?.array ?? []).compactMap { $0["ms"]?.int }.reduce(0, +)
        if format == .text { Output.line("passed in \(Self.seconds(total))") }
    }

    /// `verified   1.204 s   2026-11-30T14:10:00Z`
    private static func line(_ leg: JSON) -> String {
        let name = leg["leg"]?.string ?? ""
        let took = seconds(leg["ms"]?.int ?? 0)
        let padding = String(repeating: " ", count: max(1, 10 - name.count))
        return "  \(name)\(padding)\(String(repeating: " ", count: max(0, 10 - took.count)))\(took)  "
            + (leg["at"]?.string ?? "")
    }

    private static func seconds(_ milliseconds: Int) -> String {
        let fraction = String(milliseconds % 1000)
        return "\(milliseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction) s"
    }
}
