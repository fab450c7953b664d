internal import ArgumentParser

@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "holdfast-bench", abstract: "Measures parts of Holdfast on this machine.",
        subcommands: [JSONBench.self, DecodeBench.self, FlatBench.self, Fuzz.self])
}
