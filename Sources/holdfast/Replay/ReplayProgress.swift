import Foundation
import HoldfastCore
import HoldfastEngine

/// How far a replay has come, on standard error: a line that moves on a terminal, one now and then elsewhere.
final class ReplayProgress {
    private let began = SystemWallClock.now
    private var last = SystemWallClock.now
    private var expected: Int64 = 0

    func expect(_ bytes: Int64) { expected += bytes }

    func read(_ totals: ReplayIntake.Totals) {
        tell { elapsed in
            let rate = Int(Double(totals.events) / elapsed)
            var text = "\(totals.events) events read, \(rate) a second"
            if expected > totals.bytes, totals.bytes > 0 {
                let left = Double(expected - totals.bytes) / (Double(totals.bytes) / elapsed)
                text += ", about \(Int(left.rounded(.up))) s to go"
            }
            return text
        }
    }

    func replayed(_ count: Int, of total: Int) {
        tell { elapsed in
            let left = count > 0 ? Double(max(0, total - count)) / (Double(count) / elapsed) : 0
            return "\(count) of \(total) changes replayed, about \(Int(left.rounded(.up))) s to go"
        }
    }

    func end() { if Output.errorIsTerminal { FileHandle.standardError.write(Data("\r\u{1B}[K".utf8)) } }

    private func tell(_ text: (Double) -> String) {
        let now = SystemWallClock.now
        let pause: Int64 = Output.errorIsTerminal ? 200_000_000 : 5_000_000_000
        guard now.since(last).nanoseconds >= pause else { return }
        last = now
        let line = text(max(Double(now.since(began).nanoseconds) / 1e9, 0.001))
        FileHandle.standardError.write(Data((Output.errorIsTerminal ? "\r\(line)\u{1B}[K" : "\(line)\n").utf8))
    }
}
