internal import ArgumentParser
internal import HoldfastCore
internal import HoldfastFiles
internal import HoldfastJSON

/// Times decoding, filtering and routing of events against the twelve-field scan alone, in one run.
struct DecodeBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode", abstract: "Time decode, filter and route against the scan of twelve fields.")

    @Option(help: "How many made-up events, nine in ten of them read-only.")
    var count = 20_000
    @Option(help: "How many rounds; the median counts.")
    var rounds = 5

    func run() throws {
        var made = AuditEvents(seed: 7)
        let events = (0..<count).map { _ in Array(made.next().utf8) }
        let size = Double(events.reduce(0) { $0 + $1.count }) / Double(events.count)
        let files = DataFolder.read(["catalog"]).files
        let catalog = Catalog.load(files.map { ($0.name, $0.node) }, operations: nil).catalog
        guard !catalog.types.isEmpty else { throw ValidationError("run it at the top of the repository") }

        var contenders = [
            Contender<[UInt8]>("scan of twelve fields", run: Self.scan),
            Contender<[UInt8]>("decode, filter and route") { Self.route($0, catalog) },
        ]
        measure(&contenders, on: events, rounds: rounds)
        print("\(events.count) events, mean \(Int(size)) bytes")
        print(table(of: contenders, size: size))
        let ratios = zip(contenders[0].rounds, contenders[1].rounds).map { $0 / $1 }
        let shown = ratios.map { "\(Int(($0 * 100).rounded())) %" }
        let median = Int((ratios.median * 100).rounded())
        print("decode, filter and route has \(median) % of the scan's rate (rounds: \(shown))")
    }

    private static func scan(_ events: ArraySlice<[UInt8]>) -> Int {
        var slots: [JSONSlice] = []
        var sum = 0
        for event in events where JSONBench.fields.scan(event.span, into: &slots) == .fields {
            for slot in slots { sum &+= slot.range.count }
        }
        return sum
    }

    private static func route(_ events: ArraySlice<[UInt8]>, _ catalog: Catalog) -> Int {
        var decoder = EventDecoder()
        var items: [DecodedItem] = []
        var sum = 0
        for event in events {
            items.removeAll(keepingCapacity: true)
            decoder.decode(event.span, detail: .intake, into: &items)
            for case .event(var change) in items {
                guard (try? change.readBody()) != nil else { continue }
                sum &+= catalog.changes(for: change).changes.count
            }
            sum &+= items.count
        }
        return sum
    }
}
