import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON
import HoldfastSimulation

struct SimulateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "simulate", abstract: "Run the real engine in simulated worlds, with everything going wrong.",
        discussion: """
            A seed is exact for one commit and one toolchain. With --report a fault that never fired, or a checker \
            that \
            never had anything to judge, fails. With --break a protection is taken away and a checker must notice.
            """)

    @Option(help: "Seeds A..B, both included.") var seeds: SeedRange = SeedRange(first: 1, last: 50)
    @Flag(help: "Print how often each fault fired and each checker judged; a zero fails.") var report = false
    @Option(
        name: .customLong("break"),
        help: """
            A protection of the journal (dedupe, order, crash, tombstone, dirty-set, objections), or one of the guards \
            by its name.
            """) var sabotage: Sabotage?
    @Flag(help: "Print what happens in each seed, line by line.") var trace = false
    @OptionGroup var data: DataOptions
    @Option(help: "text or json.") var format: OutputFormat = .json

    func run() throws {
        let simulation = Simulation(policy: try data.load().policy(), sabotage: sabotage, keepsTrace: trace)
        var results: [Simulation.Result] = []
        for seed in seeds.first...seeds.last {
            let result = simulation.run(seed: seed)
            for line in result.trace { Output.line(line) }
            results.append(result)
            if Output.errorIsTerminal {
                FileHandle.standardError.write(Data("\rseed \(seed) of \(seeds.last)".utf8))
            }
            if sabotage != nil, results.last?.violations.isEmpty == false { break }
        }
        if Output.errorIsTerminal { Output.error("") }
        let summary = SimulationReport(results)
        Output.line(format == .json ? Output.pretty(summary.json) : summary.text)
        if let seed = summary.failedSeed, sabotage == nil {
            Output.error("seed \(seed) failed; repeat it with --seeds \(seed)..\(seed)")
        }
        let zeros = report ? summary.zeros : []
        if !zeros.isEmpty { Output.error("never happened: \(zeros.joined(separator: ", "))") }
        if summary.failedSeed != nil || !zeros.isEmpty { throw ExitCode.failure }
    }
}

/// Results of many seeds together.
struct SimulationReport {
    private let results: [Simulation.Result]
    init(_ results: [Simulation.Result]) { self.results = results }

    var failedSeed: UInt64? { results.first { !$0.violations.isEmpty }?.seed }
    var faults: [(Fault, Int)] {
        Fault.allCases.map { fault in (fault, results.reduce(0) { $0 + ($1.fired[fault] ?? 0) }) }
    }
    var checkers: [(Checker, Int)] {
        Checker.allCases.map { checker in (checker, results.reduce(0) { $0 + ($1.judged[checker] ?? 0) }) }
    }
    var zeros: [String] {
        faults.filter { $0.1 == 0 }.map(\.0.rawValue) + checkers.filter { $0.1 == 0 }.map(\.0.rawValue)
    }
    private var traceHash: String { sha256(results.map(\.traceHash).joined().utf8).description }

    var json: JSON {
        let violations = results.flatMap { result in
            result.violations.map { violation -> JSON in
                [
                    "seed": .number(JSONNumber(Int(result.seed))), "checker": .string(violation.checker.rawValue),
                    "what": .string(violation.what),
                ]
            }
        }
        return [
            "seeds": .number(JSONNumber(results.count)), "violations": .array(violations),
            "traceHash": .string(traceHash),
            "faults": .object(JSONObject(faults.map { ($0.0.rawValue, .number(JSONNumber($0.1))) })),
            "checkers": .object(JSONObject(checkers.map { ($0.0.rawValue, .number(JSONNumber($0.1))) })),
        ]
    }

    var text: String {
        var lines = ["\(results.count) seeds, trace \(traceHash)"]
        lines += faults.map { "fault \($0.0.rawValue): \($0.1)" } + checkers.map { "checker \($0.0.rawValue): \($0.1)" }
        lines += results.flatMap { result in
            result.violations.map { "seed \(result.seed): \($0.checker.rawValue): \($0.what)" }
        }
        return lines.joined(separator: "\n")
    }
}

/// `1..200`
struct SeedRange: ExpressibleByArgument {
    var first: UInt64
    var last: UInt64

    init(first: UInt64, last: UInt64) {
        self.first = first
        self.last = last
    }
    init?(argument: String) {
        let parts = argument.components(separatedBy: "..")
        guard let first = UInt64(parts[0]), let last = UInt64(parts[parts.count - 1]), parts.count <= 2, first <= last
        else { return nil }
        self.init(first: first, last: last)
    }
}

extension Sabotage: ExpressibleByArgument {}
