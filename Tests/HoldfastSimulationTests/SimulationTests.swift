import Foundation
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastSimulation
import Testing

/// The repository's own data files.
private let policy: Policy = {
    let top = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path
    let folders = DataFolders(
        catalog: ["\(top)/catalog"], baseline: ["\(top)/baseline"], playbooks: ["\(top)/playbooks"])
    return DataSet(folders, configuration: Configuration(folder: top), now: Timestamp(seconds: 1_780_000_000)).policy()
}()

@Suite("Simulation")
struct SimulationTests {
    @Test("A seed repeats bit by bit")
    func repeats() {
        let simulation = Simulation(policy: policy)
        for seed in UInt64(1)...3 {
            let first = simulation.run(seed: seed)
            let second = simulation.run(seed: seed)
            #expect(first.traceHash == second.traceHash)
            #expect(first.jobs == second.jobs)
        }
    }

    @Test("With everything going wrong nothing is violated, and every fault and checker had its turn")
    func holds() {
        let simulation = Simulation(policy: policy)
        var fired: [Fault: Int] = [:]
        var judged: [Checker: Int] = [:]
        for seed in UInt64(1)...60 {
            let result = simulation.run(seed: seed)
            #expect(result.violations.isEmpty, "seed \(seed): \(result.violations.prefix(3))")
            fired.merge(result.fired, uniquingKeysWith: +)
            judged.merge(result.judged, uniquingKeysWith: +)
        }
        for fault in Fault.allCases { #expect(fired[fault] ?? 0 > 0, "\(fault.rawValue) never fired") }
        for checker in Checker.allCases { #expect(judged[checker] ?? 0 > 0, "\(checker.rawValue) never judged") }
    }

    @Test("A protection that is taken away is missed within 50 seeds", arguments: Sabotage.allCases)
    func sabotage(_ sabotage: Sabotage) {
        let simulation = Simulation(policy: policy, sabotage: sabotage)
        let caught = (UInt64(1)...50).first { !simulation.run(seed: $0).violations.isEmpty }
        #expect(caught != nil, "\(sabotage.rawValue) was not noticed")
    }
}
