internal import ArgumentParser
internal import JSONFuzzing

/// The long form of the differential test of scanner and strict parser.
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Hold the JSON scanner against the strict parser on spoilt texts.")

    @Option(help: "How many texts to try.")
    var inputs = 10_000_000
    @Option(help: "Equal seeds give equal texts.")
    var seed: UInt64 = 1

    func run() throws {
        var differential = Differential()
        var events = OddEvents(seed: seed)
        differential.run(inputs, from: &events)
        print("inputs         \(differential.inputs)")
        print("fields found   \(differential.fields)")
        print("unusual        \(differential.unusual)   (accepted by the strict parser)")
        print("refused        \(differential.refused)   (by both)")
        print("disagreements  \(differential.disagreements)")
        for report in differential.reports { print(report) }
        if differential.disagreements > 0 { throw ExitCode.failure }
    }
}
