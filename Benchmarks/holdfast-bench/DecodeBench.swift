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

        var intake = Intake(decoder: EventDecoder(for: catalog))
        var contenders = [
            Contender<[UInt8]>("scan of twelve fields", run: Self.scan),
            Contender<[UInt8]>("decode, filter and route") { Self.route($0, catalog, &intake) },
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

    /// What the intake lane keeps from batch to batch.
    private struct Intake {
        var decoder: EventDecoder
        var items: [DecodedItem] = []
    }

    private static func route(_ events: ArraySlice<[UInt8]>, _ catalog: Catalog, _ intake: inout Intake) -> Int {
        var sum = 0
        for event in events {
            intake.items.removeAll(keepingCapacity: true)
            intake.decoder.decode(event.span, detail: .intake, into: &intake.items)
            for case .event(let change) in intake.items {
                guard case .known(let route)? = try? catalog.route(change) else { continue }
                sum &+= route.resources.count
            }
            sum &+= intake.items.count
        }
        // As at the end of a batch.
        intake.decoder.takeDropped { sum &+= Int($0.count) }
        return sum
    }
}
