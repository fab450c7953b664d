internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastStore

/// People who say why a drift should stay, at any moment, and some of them take that back.
extension World {
    func object(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        let now = clock.wallTime()
        let open = try store.findings(states: [Finding.State.open.rawValue])
        for finding in open {
            for objection in try store.objections(to: finding.id)
            where objection.withdrawn == nil && random.once(in: 6) {
                try? await keeper.withdraw(
                    objectionTo: finding.id, by: World.person(objection.person), reason: "it is over", now: now)
            }
        }
        // What is about to be fixed: to other findings an objection changes nothing.
        let planned = try store.candidates(dueAt: .distantFuture, limit: 1000).map(\.finding)
        for finding in planned where faults.fires(.objected) {
            let person = World.person(["ada", "ben", "cleo", "dan"].randomElement(using: &random) ?? "dan")
            try? await keeper.object(
                to: finding, by: person, isOperator: true, reason: "a demo runs on it", now: now)
        }
    }
}
