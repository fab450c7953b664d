package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// The calls of the catalog that reading files takes.
package struct QueueCalls: Sendable {
    package var receive: CloudCall
    package var delete: CloudCall
    package var extend: CloudCall
    package var get: CloudCall

    package init(receive: CloudCall, delete: CloudCall, extend: CloudCall, get: CloudCall) {
        self.receive = receive
        self.delete = delete
        self.extend = extend
        self.get = get
    }
}

/// CloudTrail's files in S3, as a queue of SQS tells of them.
///
/// A message is deleted after the journal has all records of all files that it names, never before; a crash brings it
/// back. So that a file which comes back is not counted twice, the position holds which files were read last and how
/// far the begun ones, see ``FileMemory``. What a message names that is no file of CloudTrail (digests, other logs,
/// the test event) is handed to the decoder, which counts it.
package actor QueueSource<C: HoldfastClock>: EventSource {
    package nonisolated let name: String
    private let queue: String
    private let calls: QueueCalls
    private let sender: any CallSender
    private let opener: ObjectOpener
    private let scope: CallScope
    private let clock: C
    private var ledger = QueueLedger()
    private var memory = FileMemory()
    private var current: OpenedObject?
    private var trouble = PollTrouble()
    private var fileTrouble = PollTrouble()
    /// When a file that must be left to the queue was told last.
    private var toldFile: Timestamp?
    private var isClosed = false

    /// The longest that SQS waits for a message.
    private static var receiveWait: Int { 20 }
    private static var partition: String { "files" }

    /// - Parameters:
    ///   - queue: its URL.
    ///   - scope: the queue's account and region; files are read by the same account's credentials.
    package init(
        name: String, queue: String, scope: CallScope, calls: QueueCalls, sender: any CallSender,
        inflate: @escaping Inflate, clock: C
    ) {
        self.name = name
        self.queue = queue
        self.calls = calls
        self.sender = sender
        self.scope = scope
        self.clock = clock
        opener = ObjectOpener(call: calls.get, sender: sender, inflate: inflate, scope: scope)
    }

    package func resume(from positions: [SourcePosition]) {
        let position = positions.first { $0.source == name && $0.partition == Self.partition }
        let journaled = position.map { FileMemory(count: $0.next, bytes: $0.note) } ?? FileMemory()
        // After an error that was only told the journal stands where we do: what we hold stays ours.
        if journaled.count == memory.count, journaled.bytes == memory.bytes { return }
        memory = journaled
        ledger = QueueLedger()
        current = nil
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !isClosed {
            if Task.isCancelled { throw .stopped(name) }
            try await tend()
            if let batch = takeRecords() ?? takeOthers() { return batch }
            if case .file(let object)? = ledger.work {
                try await open(object)
            } else {
                try await receive()
            }
        }
        return nil
    }

    package func committed(_ positions: [SourcePosition]) async {
        ledger.committed()
        await delete()
    }

    package func close() { isClosed = true }

    // MARK: Giving

    private func takeRecords() -> RecordBatch? {
        guard var file = current else { return nil }
        let (records, unreadable) = file.take()
        if file.isEmpty {
            memory.finish(file.object.identity)
            ledger.finishWork()
            current = nil
        } else {
            memory.stands(file.object.identity, at: file.next)
            current = file
        }
        return batch(records, unreadable)
    }

    /// What messages tell beside files to be read.
    private func takeOthers() -> RecordBatch? {
        var records: [LogRecords.Record] = []
        var unreadable: [UnreadableRecord] = []
        while records.count + unreadable.count < 500, let work = ledger.work {
            if memory.isFinished(work.identity) {
                ledger.finishWork(isCommitted: true)
                continue
            }
            switch work {
            case .file:
                return records.isEmpty && unreadable.isEmpty ? nil : batch(LogRecords(records: records), unreadable)
            case .other(let json, let place):
                records.append(LogRecords.Record(bytes: json.canonicalBytes, place: place))
            case .unreadable(let record): unreadable.append(record)
            }
            memory.finish(work.identity)
            ledger.finishWork()
        }
        return records.isEmpty && unreadable.isEmpty ? nil : batch(LogRecords(records: records), unreadable)
    }

    private func batch(_ records: any RecordStorage, _ unreadable: [UnreadableRecord]) -> RecordBatch {
        let position = SourcePosition(
            source: name, partition: Self.partition, next: memory.count, note: memory.bytes)
        return RecordBatch(records: records, unreadable: unreadable, positions: [position])
    }

    // MARK: Files

    private func open(_ object: LogObject) async throws(SourceError) {
        do throws(CallFailure) {
            current = try await opener.open(object, next: memory.next(of: object.identity))
            fileTrouble.succeeded()
        } catch {
            let now = clock.wallTime()
            switch fileTrouble.failed(error, hasToken: false, now: now) {
            case .cancelled: throw .stopped(name)
            case .wait(let span): try await sleep(span)
            case .restart: break
            case .tell(let code, _):
                ledger.letGo()
                if let toldFile, now.since(toldFile).nanoseconds < Span(seconds: 600).nanoseconds { return }
                toldFile = now
                throw .call(error, code: code, what: "\(object)", retry: Span(nanoseconds: 0))
            }
        }
    }

    // MARK: The queue

    private func receive() async throws(SourceError) {
        let answer = try await queueCall(
            calls.receive,
            [
                ("MaxNumberOfMessages", 10), ("WaitTimeSeconds", .number(JSONNumber(Self.receiveWait))),
                ("VisibilityTimeout", .number(JSONNumber(Int(QueueLedger.visibility.duration.components.seconds)))),
            ])
        let now = clock.wallTime()
        for message in answer?["Messages"]?.array ?? [] {
            guard let receipt = message["ReceiptHandle"]?.string, let body = message["Body"]?.string else { continue }
            let id = message["MessageId"]?.filled ?? receipt
            ledger.received(QueueLedger.Message(id: id, receipt: receipt), body: body, at: now)
        }
        ledger.settle()
    }

    /// - Returns: `nil` where it failed and was waited out.
    private func queueCall(
        _ call: CloudCall, _ parameters: [(String, JSON)]
    ) async throws(SourceError) -> JSON? {
        do throws(CallFailure) {
            let answer = try await sender.send(
                call, parameters: JSONObject([("QueueUrl", .string(queue))] + parameters), in: scope)
            trouble.succeeded()
            return answer.body
        } catch {
            switch trouble.failed(error, hasToken: false, now: clock.wallTime()) {
            case .cancelled: throw .stopped(name)
            case .wait(let span): try await sleep(span)
            case .restart: break
            case .tell(let code, let retry): throw .call(error, code: code, what: "the queue \(queue)", retry: retry)
            }
            return nil
        }
    }

    /// Keeps what we work on, and lets go of what is done.
    private func tend() async throws(SourceError) {
        await delete()
        let messages = ledger.toExtend(at: clock.wallTime())
        guard !messages.isEmpty else { return }
        let seconds = Int(QueueLedger.visibility.duration.components.seconds)
        let entries = messages.enumerated().map { index, message -> JSON in
            [
                "Id": .string("m\(index)"), "ReceiptHandle": .string(message.receipt),
                "VisibilityTimeout": .number(JSONNumber(seconds)),
            ]
        }
        // Where the queue does not take it, another may get the message too; the journal knows its events.
        _ = try? await sender.send(
            calls.extend, parameters: JSONObject([("QueueUrl", .string(queue)), ("Entries", .array(entries))]),
            in: scope)
        ledger.extended(messages, at: clock.wallTime())
    }

    /// Deletes what the journal has. A message that is not deleted comes back, and its files are known by then.
    private func delete() async {
        while case let messages = ledger.toDelete, !messages.isEmpty {
            let entries = messages.enumerated().map { index, message -> JSON in
                ["Id": .string("m\(index)"), "ReceiptHandle": .string(message.receipt)]
            }
            _ = try? await sender.send(
                calls.delete, parameters: JSONObject([("QueueUrl", .string(queue)), ("Entries", .array(entries))]),
                in: scope)
            ledger.deleted(messages)
        }
    }

    private func sleep(_ span: Span) async throws(SourceError) {
        do { try await clock.sleep(for: span.duration) } catch { throw .stopped(name) }
    }
}
