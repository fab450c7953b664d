import ArgumentParser
import Foundation
import HoldfastCore
import HoldfastFiles
import HoldfastSimulation

struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "See drift fixed, approved, undone and fought over, in 90 seconds.",
        discussion: """
            The real engine in a cloud that is made up: no network, no configuration, and nothing is kept. Without a \
            terminal, or with --yes, it answers itself and waits for nothing.
            """)

    @Flag(help: "Answer what it asks, and wait for nothing.") var yes = false

    func run() throws {
        let isWatched = !yes && isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1
        let data = try DataSet.load(Configuration(folder: "."))
        let demo = Demo(policy: data.policy(), start: SystemWallClock.now)
        do { try demo.run(on: DemoTerminal(isWatched: isWatched)) } catch { throw Failure("the demo failed: \(error)") }
    }
}
