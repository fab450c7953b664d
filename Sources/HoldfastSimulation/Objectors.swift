internal import HoldfastCore
internal import HoldfastEngine
internal import HoldfastStore

/// People who say why a drift should stay, at any moment, and some of them take that back.
extension World {
    func object(_ store: SQLiteJournal, _ keeper: Keeper) async throws {
        let now = clock.wallTime()
        let open = try store.findings(states: [Finding.State.open.rawValue])
        for finding in open {
            let standing = try store.objections(to: finding.id).filter { $0.withdrawn == nil }
            for objection in standing where random.once(in: 4) {
                try? await keeper.withdraw(
                    objectionTo: finding.id, by: World.person(objection.person), reason: "it is over", now: now)
            }
        }
        guard let finding = open.randomElement(using: &random), faults.fires(.objected) else { return }
        let person = World.person(["ada", "ben", "cleo", "dan"].randomElement(using: &random) ?? "dan")
        try? await keeper.object(
            to: finding.id, by: person, isOperator: true, reason: "a demo runs on it", now: now)
    }
}
