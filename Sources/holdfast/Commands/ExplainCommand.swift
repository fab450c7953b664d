import ArgumentParser
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

struct ExplainCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say of each event what it is, what it affects, and why it is dropped.",
        discussion:
            "One line for each record on standard output; a record that cannot be decoded is a dead letter on "
            + "standard error."
    )

    @Argument(help: "Event files, folders or patterns; - is standard input.") var paths: [String]
    @OptionGroup var data: DataOptions
    @Option(help: "text, json or jsonl.") var format: ListFormat = .jsonl

    func run() async throws {
        let catalog = try data.load().catalog
        var rows: [JSON] = []
        var deadLetters = 0
        let source: any EventSource =
            paths == ["-"]
            ? StdinSource { try await Task.sleep(for: .milliseconds(20)) } : FileSource(paths: paths) {}
        try await source.resume(from: [])
        var decoder = EventDecoder()
        while let batch = try await source.nextBatch() {
            for unreadable in batch.unreadable {
                deadLetters += 1
                Output.error("dead letter: \(unreadable.place): \(unreadable.reason)")
            }
            for index in 0..<batch.records.count {
                let items = batch.records.withBytes(at: index) { decoder.decode($0, detail: .full) }
                for item in items {
                    if case .undecodable(let record) = item {
                        deadLetters += 1
                        let place = [batch.records.place(at: index), record.place].filter { !$0.isEmpty }
                        Output.error("dead letter: \(place.joined(separator: " ")): \(record.reason)")
                    } else if let row = item.explanation(affected: affected(by: item, catalog)) {
                        if format == .jsonl { Output.line(row.canonicalText) } else { rows.append(row) }
                    }
                }
            }
        }
        await source.close()
        if format != .jsonl { print(rows) }
        if deadLetters > 0 { Output.error("\(deadLetters) dead letters") }
    }

    /// The resources that the event names. Of a failed write too: `dropped` says that nothing came of it.
    private func affected(by item: DecodedItem, _ catalog: Catalog) -> [ResourceChange] {
        item.event.map { catalog.changes(for: $0).changes } ?? []
    }

    private func print(_ rows: [JSON]) {
        Output.list(rows, as: format, header: ["TIME", "ACTION", "ACTOR", "AFFECTED", "DROPPED"]) { json in
            let affected = json["affected"]?.array?.compactMap { $0["id"]?.string } ?? []
            return [
                json["time"]?.string ?? "", json["action"]?.string ?? "", json["actor"]?.string ?? "",
                affected.joined(separator: " "), json["dropped"]?.string ?? "",
            ]
        }
    }
}
