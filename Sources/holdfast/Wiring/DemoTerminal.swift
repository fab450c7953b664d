import Foundation
import HoldfastCore
import HoldfastJSON
import HoldfastSimulation

/// A demo on a terminal: keys without Return, time as it passes on the wall. Where there is no terminal, or nobody is
/// to be asked, it answers itself and waits for nothing.
struct DemoTerminal: DemoStage {
    let isWatched: Bool
    private static let columns = 80

    func show(_ text: String) { Output.line(Self.wrapped(Terminal.plain(text))) }

    func show(_ prompt: Prompt, plan: String) {
        let about: JSON = ["plan": ["text": .string(plan)]]
        let whole = ApprovalText.whole(["ask": prompt.json, "about": about])
        show(whole.split(separator: "\n", omittingEmptySubsequences: false).map { "  | \($0)" }.joined(separator: "\n"))
    }

    func pass(_ time: Duration) {
        guard isWatched else { return }
        Thread.sleep(forTimeInterval: Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18)
    }

    func ask(_ question: String, keys: [Character]) -> Character? {
        show(question)
        guard isWatched else { return keys.first }
        while let key = Keyboard.key(), key != "q" {
            let known = keys.contains(" ") && key == "\n" ? " " : key
            if keys.contains(known) { return known }
        }
        return nil
    }

    /// Lines of at most 80 columns, broken at spaces or else at commas; what follows in a line is indented as its
    /// beginning is.
    static func wrapped(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).flatMap { wrapped(line: String($0)) }
            .joined(separator: "\n")
    }

    private static func wrapped(line: String) -> [String] {
        guard line.count > columns else { return [line] }
        let margin = line.prefix { " |".contains($0) }
        let indent = margin + String(repeating: " ", count: hanging(line.dropFirst(margin.count)))
        var lines: [String] = []
        var rest = Substring(line)
        while rest.count > columns {
            let head = rest.prefix(columns + 1)
            let from = rest.index(rest.startIndex, offsetBy: indent.count)
            let comma = head.dropLast()[from...].lastIndex(of: ",").map { head.index(after: $0) }
            let end = head[from...].lastIndex(of: " ") ?? comma ?? head.index(before: head.endIndex)
            lines.append(String(rest[..<end]))
            rest = indent + rest[end...].drop { $0 == " " }
        }
        return lines + [String(rest)]
    }

    /// Behind a time at a line's beginning the text goes on below itself.
    private static func hanging(_ line: Substring) -> Int {
        guard line.first?.isNumber == true, let gap = line.firstRange(of: "  ") else { return 0 }
        return line.distance(from: line.startIndex, to: gap.upperBound)
    }
}

/// Single keys of the terminal at standard input.
enum Keyboard {
    /// The next key; `nil` where there is no more, or the person pressed Control-C.
    static func key() -> Character? {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { return nil }
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        defer { tcsetattr(STDIN_FILENO, TCSANOW, &before) }
        var byte: UInt8 = 0
        let controlC: UInt8 = 3
        while true {
            let count = read(STDIN_FILENO, &byte, 1)
            if count == 1 { return byte == controlC ? nil : Character(UnicodeScalar(byte)) }
            if count == 0 || errno != EINTR { return nil }
        }
    }
}
