internal import ArgumentParser

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast-bench", abstract: "Measures parts of Holdfast on this machine.",
        subcommands: [JSONBench.self, Fuzz.self])
}
