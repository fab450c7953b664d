import HoldfastCore
import HoldfastJSON
import Testing

@testable import HoldfastCloud

@Suite("The ledger of a queue's messages")
struct QueueLedgerTests {
    private static let start = time("2026-11-22T12:00:00Z")
    private static let file = TrailFile(written: start, number: 1, records: 1)

    private func message(_ id: String, _ receipt: String = "r") -> QueueLedger.Message {
        QueueLedger.Message(id: id, receipt: receipt)
    }

    @Test("A message whose work is in a batch can be deleted when the journal has the batch, and not before")
    func deletion() {
        var ledger = QueueLedger()
        ledger.received(message("a"), body: Self.file.notification, at: Self.start)
        #expect(ledger.work?.identity == "s3://trail/\(Self.file.key)#0f")
        ledger.finishWork()
        #expect(ledger.isEmpty && ledger.toDelete.isEmpty)
        // Another whose file was known already waits too: it may be known by that very batch.
        ledger.received(message("b"), body: Self.file.notification, at: Self.start)
        ledger.finishWork(isCommitted: true)
        #expect(ledger.toDelete.isEmpty)
        ledger.committed()
        #expect(ledger.toDelete == [message("a"), message("b")])
        ledger.deleted(ledger.toDelete)
        #expect(ledger.toDelete.isEmpty)
    }

    @Test("A message with several files is through with the last of them")
    func several() {
        var ledger = QueueLedger()
        let record = Self.file.notification.dropFirst("{\"Records\":[".count).dropLast(2)
        ledger.received(message("a"), body: "{\"Records\":[\(record),\(record)]}", at: Self.start)
        ledger.finishWork(isCommitted: true)
        #expect(!ledger.isEmpty)
        ledger.finishWork(isCommitted: true)
        #expect(ledger.toDelete == [message("a")])
    }

    @Test("A message without anything in it is through at once, and one that comes again has the newer receipt")
    func odd() {
        var ledger = QueueLedger()
        ledger.received(message("a"), body: "{\"Records\":[]}", at: Self.start)
        ledger.settle()
        #expect(ledger.toDelete == [message("a")])
        ledger.received(message("b", "old"), body: Self.file.notification, at: Self.start)
        ledger.received(message("b", "new"), body: Self.file.notification, at: Self.start)
        ledger.finishWork(isCommitted: true)
        #expect(ledger.isEmpty && ledger.toDelete == [message("a"), message("b", "new")])
    }

    @Test("Messages are kept from half their time on, and what is let go is neither kept nor deleted")
    func keeping() {
        var ledger = QueueLedger()
        for id in ["a", "b"] { ledger.received(message(id), body: Self.file.notification, at: Self.start) }
        let half = Self.start + Span(seconds: 30)
        #expect(ledger.toExtend(at: half).isEmpty)
        #expect(ledger.toExtend(at: half.plus(1)) == [message("a"), message("b")])
        ledger.extended([message("a")], at: half)
        #expect(ledger.toExtend(at: half.plus(1)) == [message("b")])
        ledger.letGo()
        #expect(ledger.toExtend(at: half.plus(60_000)) == [message("b")])
        ledger.letGo()
        #expect(ledger.isEmpty && ledger.toDelete.isEmpty && ledger.work == nil)
    }
}
