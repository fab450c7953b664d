package import HoldfastCore
package import HoldfastEngine
internal import HoldfastJSON

/// CloudTrail's files in S3, by listing the bucket: for where no queue tells of them.
///
/// Looks for the folders of accounts and regions each hour, and lists each folder from its floor on, see
/// ``FolderCursor``. A folder whose file cannot be read waits for the next pass, and the others go on.
package actor BucketSource<C: HoldfastClock>: EventSource {
    package nonisolated let name: String
    private let bucket: String
    private let prefix: String
    private let overlap: Span
    private let every: Span
    private let scope: CallScope
    private let list: CloudCall
    private let sender: any CallSender
    private let opener: ObjectOpener
    private let clock: C
    private let start: Timestamp
    /// Files that were written more than the overlap after it are left out, and one pass is all; `nil`: never ends.
    private let until: Timestamp?
    private var passes = 0
    /// What the journal has, by folder, and what was given since.
    private var positions: [String: SourcePosition] = [:]
    private var cursors: [String: FolderCursor] = [:]
    /// Folders of this pass that are still to be listed, the next one last.
    private var folders: [String] = []
    /// Files of the page that was listed last, the next one last.
    private var files: [LogObject] = []
    /// What ends the page when its files are read.
    private var page: (folder: String, last: String?, isTruncated: Bool)?
    private var current: OpenedObject?
    private var looked: Timestamp?
    private var nextPass = Timestamp.distantPast
    private var trouble = PollTrouble()
    /// When a file that cannot be read was told last.
    private var toldFile: Timestamp?
    private var isClosed = false

    private static var lookEvery: Span { Span(seconds: 3600) }

    /// - Parameters:
    ///   - prefix: what stands before `AWSLogs/`, with its slash; empty where nothing does.
    ///   - overlap: how late a file may show up after the minute in its name.
    ///   - scope: the account whose credentials read it, and the bucket's region.
    ///   - start: of folders that the journal does not know, files are wanted from then on.
    ///   - until: for replays: the bucket is listed once, as far as files may tell of the time before; `nil`: for good.
    package init(
        name: String, bucket: String, prefix: String, overlap: Span, every: Span, scope: CallScope, list: CloudCall,
        get: CloudCall, sender: any CallSender, inflate: @escaping Inflate, clock: C, start: Timestamp,
        until: Timestamp? = nil
    ) {
        self.name = name
        self.bucket = bucket
        self.prefix = prefix
        self.overlap = overlap
        self.every = every
        self.scope = scope
        self.list = list
        self.sender = sender
        self.clock = clock
        self.start = start
        self.until = until
        opener = ObjectOpener(call: get, sender: sender, inflate: inflate, scope: scope)
    }

    package func resume(from positions: [SourcePosition]) {
        let mine = Dictionary(
            positions.filter { $0.source == name }.map { ($0.partition, $0) }, uniquingKeysWith: { $1 })
        // After an error that was only told the journal stands where we do: the pass goes on with the next folder.
        if !cursors.isEmpty, mine == self.positions { return }
        self.positions = mine
        cursors = [:]
        folders = []
        files = []
        page = nil
        current = nil
        looked = nil
    }

    package func nextBatch() async throws(SourceError) -> RecordBatch? {
        while !isClosed {
            if Task.isCancelled { throw .stopped(name) }
            if let batch = takeRecords() { return batch }
            if let file = files.last {
                try await open(file)
            } else if let page {
                self.page = nil
                cursors[page.folder]?.endPage(last: page.last, isTruncated: page.isTruncated)
                if cursors[page.folder]?.isInPass != true { folders.removeLast() }
            } else if let folder = folders.last {
                try await listFiles(folder)
            } else if until != nil, passes > 0 {
                return nil
            } else if let batch = takePositions() {
                return batch
            } else {
                try await beginPass()
            }
        }
        return nil
    }

    package func committed(_ positions: [SourcePosition]) {}

    package func close() { isClosed = true }

    // MARK: Giving

    private func takeRecords() -> RecordBatch? {
        guard var file = current, let folder = page?.folder, var cursor = cursors[folder] else { return nil }
        let (records, unreadable) = file.take()
        if file.isEmpty {
            cursor.finish(file.object)
            files.removeLast()
            current = nil
        } else {
            cursor.stands(file.object, at: file.next)
            current = file
        }
        cursors[folder] = cursor
        return RecordBatch(
            records: records, unreadable: unreadable, positions: [position(of: folder)].compactMap { $0 })
    }

    /// Of folders whose floor moved on without a file.
    private func takePositions() -> RecordBatch? {
        let moved = cursors.keys.sorted().filter { cursors[$0]?.mustCommit == true }.prefix(500)
        let positions = moved.compactMap { position(of: $0) }
        return positions.isEmpty ? nil : RecordBatch(records: LogRecords(records: []), positions: positions)
    }

    private func position(of folder: String) -> SourcePosition? {
        let position = cursors[folder]?.position(source: name)
        positions[folder] = position
        return position
    }

    // MARK: Reading

    private func beginPass() async throws(SourceError) {
        let now = clock.wallTime()
        nextPass = min(nextPass, now + every)
        guard now >= nextPass else { return try await sleep(nextPass.since(now)) }
        if looked.map({ now.since($0).nanoseconds >= Self.lookEvery.nanoseconds || now < $0 }) ?? true {
            guard try await look() else { return }
            looked = now
        }
        nextPass = now + every
        folders = cursors.keys.sorted(by: >)
        passes += 1
    }

    /// Finds the folders: `[o-…/]ACCOUNT/CloudTrail/REGION/` below `AWSLogs/`.
    ///
    /// - Returns: whether all was listed.
    private func look() async throws(SourceError) -> Bool {
        guard let top = try await below("\(prefix)AWSLogs/") else { return false }
        var accounts: [String] = []
        for folder in top {
            guard folder.split(separator: "/").last?.hasPrefix("o-") == true else {
                accounts.append(folder)
                continue
            }
            guard let inside = try await below(folder) else { return false }
            accounts += inside
        }
        for account in accounts {
            guard let regions = try await below("\(account)CloudTrail/") else { return false }
            for base in regions where cursors[base] == nil {
                cursors[base] = FolderCursor(
                    TrailFolder(base: base), overlap: overlap, position: positions[base], start: start)
            }
        }
        return true
    }

    /// The folders in a folder; `nil` where that failed and was waited out.
    private func below(_ folder: String) async throws(SourceError) -> [String]? {
        var found: [String] = []
        var token: JSON?
        repeat {
            var parameters: [(String, JSON)] = [("Prefix", .string(folder)), ("Delimiter", "/")]
            if let token { parameters.append(("ContinuationToken", token)) }
            guard let answer = try await listing(parameters) else { return nil }
            found += (answer["CommonPrefixes"]?.array ?? []).compactMap { $0["Prefix"]?.filled }
            token = answer["NextContinuationToken"]
        } while token?.filled != nil
        return found
    }

    private func listFiles(_ folder: String) async throws(SourceError) {
        guard var cursor = cursors[folder] else { return }
        if !cursor.isInPass { cursor.beginPass(at: clock.wallTime()) }
        cursors[folder] = cursor
        guard
            let answer = try await listing([("Prefix", .string(folder)), ("StartAfter", .string(cursor.startAfter))])
        else { return }
        let contents = answer["Contents"]?.array ?? []
        let last = until.map { $0 + overlap } ?? .distantFuture
        files = contents.compactMap { item in
            guard let key = item["Key"]?.filled, let named = TrailKey(key), named.written <= last else { return nil }
            let etag = (item["ETag"]?.string ?? "").filter { $0 != "\"" }
            return LogObject(bucket: bucket, key: key, etag: etag)
        }.filter(cursor.wants).reversed()
        let isTruncated = answer["IsTruncated"].map { $0 == true || $0 == "true" } ?? false
        page = (folder, contents.last?["Key"]?.filled, isTruncated)
    }

    private func open(_ object: LogObject) async throws(SourceError) {
        guard let folder = page?.folder else { return }
        do throws(CallFailure) {
            current = try await opener.open(object, next: cursors[folder]?.next(of: object) ?? 0)
            trouble.succeeded()
        } catch {
            let now = clock.wallTime()
            switch trouble.failed(error, hasToken: false, now: now) {
            case .cancelled: throw .stopped(name)
            case .wait(let span): try await sleep(span)
            case .restart: break
            case .tell(let code, _):
                cursors[folder]?.breakOff()
                files = []
                page = nil
                folders.removeLast()
                if let toldFile, now.since(toldFile).nanoseconds < Span(seconds: 600).nanoseconds { return }
                toldFile = now
                throw .call(error, code: code, what: "\(object)", retry: Span(nanoseconds: 0))
            }
        }
    }

    /// - Returns: `nil` where it failed and was waited out.
    private func listing(_ parameters: [(String, JSON)]) async throws(SourceError) -> JSON? {
        do throws(CallFailure) {
            let answer = try await sender.send(
                list, parameters: JSONObject([("Bucket", .string(bucket))] + parameters), in: scope)
            trouble.succeeded()
            return answer.body
        } catch {
            switch trouble.failed(error, hasToken: false, now: clock.wallTime()) {
            case .cancelled: throw .stopped(name)
            case .wait(let span): try await sleep(span)
            case .restart: break
            case .tell(let code, let retry):
                throw .call(error, code: code, what: "the bucket \(bucket)", retry: retry)
            }
            return nil
        }
    }

    private func sleep(_ span: Span) async throws(SourceError) {
        do { try await clock.sleep(for: span.duration) } catch { throw .stopped(name) }
    }
}
