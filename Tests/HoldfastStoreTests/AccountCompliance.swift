import HoldfastCore
import HoldfastEngine
import Testing

/// What every implementation of the journal promises of accounts.
@Suite("A journal's accounts")
struct AccountCompliance {
    let first = Sample.bucket("first")
    let second = Sample.bucket("second")

    @Test("Of an account the latest times stay, and what is said anew of its place", arguments: JournalKind.all)
    func accounts(kind: JournalKind) throws {
        let bench = try Bench(kind)
        let account = StoredAccount(
            cloud: .aws, id: "012345670123",
            listing: .init(discovery: "o", facts: ["ou": "A", "tag:\u{0}": "\u{1}é"], listed: Sample.at(1)),
            lastEvent: Sample.at(5))
        let other = StoredAccount(cloud: .aws, id: "12345670123", lastRead: Sample.at(1))
        try bench.commit { $0.accounts = [account, other] }
        try bench.commit { $0.accounts = [StoredAccount(cloud: .aws, id: account.id, lastEvent: Sample.at(3))] }
        #expect(try bench.journal.accounts() == [account, other])
        let listing = StoredAccount.Listing(discovery: "p", facts: [:], listed: Sample.at(7), left: Sample.at(8))
        try bench.commit {
            $0.accounts = [
                StoredAccount(
                    cloud: .aws, id: account.id, listing: listing, lastEvent: Sample.at(6), lastWrite: Sample.at(2),
                    lastWriteDenied: Sample.at(9))
            ]
        }
        let found = try bench.journal.accounts()[0]
        #expect(found.listing == listing)
        #expect(
            [found.lastEvent, found.lastRead, found.lastWrite, found.lastWriteDenied]
                == [Sample.at(6), nil, Sample.at(2), Sample.at(9)])
        try bench.commit {
            $0.accounts = [
                StoredAccount(
                    cloud: .aws, id: account.id, listing: .init(discovery: "p", facts: [:], listed: Sample.at(9)))
            ]
        }
        #expect(try bench.journal.accounts()[0].listing?.left == nil)
    }

    @Test("Resources that are there and live findings are counted by account", arguments: JournalKind.all)
    func accountCounts(kind: JournalKind) throws {
        let bench = try Bench(kind)
        #expect(try bench.journal.accountCounts().isEmpty)
        var gone = Sample.stored(second)
        gone.isDeleted = true
        var elsewhere = Sample.stored(Sample.bucket("elsewhere"))
        elsewhere.context = ResourceContext(cloud: .gcp, account: "p", region: "")
        try bench.commit {
            $0.resources = [Sample.stored(first), gone, elsewhere]
            $0.findings = [
                Sample.finding("f1", of: first, state: "open"), Sample.finding("f2", of: first, state: "stale"),
                Sample.finding("f3", of: first, state: "resolved"), Sample.finding("f4", of: second, state: "deleted"),
            ]
        }
        let counts = try bench.journal.accountCounts()
        #expect(counts.map(\.id) == [Sample.context.account, "p"])
        #expect(counts.map(\.resources) == [1, 1])
        #expect(counts.map { $0.findings.values.reduce(0, +) } == [2, 0])
    }
}
