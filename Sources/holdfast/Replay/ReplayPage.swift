import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastJSON

/// The replay as one page that needs no network: style, script and data stand in it, and its own policy lets nothing
/// else in.
struct ReplayPage {
    /// Rows that a page holds; a browser on a phone still scrolls through as many.
    static let rowLimit = 5_000

    private let done: ReplayRun.Done

    private let redaction: Redaction?

    init(_ done: ReplayRun.Done, redaction: Redaction? = nil) {
        self.done = done
        self.redaction = redaction
    }

    func html() throws -> String {
        let style = text(PackageResources.replay_css)
        let script = text(PackageResources.replay_js)
        let window = done.report.members.first { $0.name == "window" }?.value
        let title = [window?["from"]?.string, window?["to"]?.string].compactMap { $0 }.joined(separator: " to ")
        var page = text(PackageResources.replay_html)
        // The data come last, for they may hold anything.
        for (name, value) in [
            ("style-hash", hash(style)), ("script-hash", hash(script)), ("title", title), ("style", style),
            ("script", script), ("data", try data()),
        ] {
            guard let place = page.range(of: "{{\(name)}}") else { continue }
            page.replaceSubrange(place, with: value)
        }
        return page
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
    private func hash(_ text: String) -> String { "sha256-\(base64Text(sha256(text.utf8).bytes))" }

    /// JSON in which nothing ends the element that it stands in.
    private func data() throws -> String {
        var document = JSONObject(done.report.members)
        let (rows, omitted) = try rows()
        document["timeline"] = .array(rows)
        if omitted > 0 { document["omitted"] = .number(JSONNumber(omitted)) }
        return (redaction?.redact(.object(document)) ?? .object(document)).canonicalText
            .replacing("<", with: "\\u003c")
    }

    /// All rows, or of too many those with findings and openings first, then changes, each in the order of time.
    private func rows() throws -> (rows: [JSON], omitted: Int) {
        var kept: [[(place: Int, row: JSON)]] = [[], [], []]
        var count = 0
        try done.spool.forEach(in: .rows) { entry in
            defer { count += 1 }
            guard let row = try? JSON.parse(entry.body) else { return }
            let opens = row["resources"]?.array?.contains { $0["opened"] != nil } ?? false
            let rank = row["findings"] != nil || opens ? 0 : row["kind"] == "change" ? 1 : 2
            if kept[rank].count < Self.rowLimit { kept[rank].append((count, row)) }
        }
        let chosen = kept.joined().prefix(Self.rowLimit).sorted { $0.place < $1.place }
        return (chosen.map(\.row), count - chosen.count)
    }
}
