import Foundation
import HoldfastCloud
import HoldfastCore
import HoldfastEngine
import HoldfastFiles
import HoldfastHTTP
import HoldfastJSON
import HoldfastStore
import TestOracles
import Testing

/// Against moto, which knows Object Lock.
@Suite(
    "Checkpoints in S3", .serialized, .enabled(if: Oracle.python != nil, "HOLDFAST_TEST_PYTHON is not set"))
struct ObjectLockAnchorTests {
    let server: ServerProcess
    let endpoint: String
    let client: HTTPClient
    let keeper: CredentialKeeper
    let scope = CallScope(cloud: .aws, account: "", region: "eu-west-1")

    init() throws {
        server = try ServerProcess("aws_server.py")
        endpoint = "http://127.0.0.1:\(server.told["port"]?.int ?? 0)"
        var options = HTTPClientOptions()
        options.proxy = .none
        client = HTTPClient(options)
        keeper = CredentialKeeper(
            accounts: [], mayWrite: false,
            surroundings: surroundings([
                "AWS_ENDPOINT_URL": endpoint, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIAADMIN",
                "AWS_SECRET_ACCESS_KEY": "s",
            ]), exchange: client, now: MotoTests.now)
    }

    private func send(
        _ method: String, _ path: String, _ headers: [String: String] = [:], _ body: String = ""
    ) async throws -> HTTPResponse {
        var all = HTTPHeaders()
        for (name, value) in headers.sorted(by: { $0.key < $1.key }) { all.add(name, value) }
        let request = HTTPRequest(method: method, url: endpoint + path, headers: all, body: Array(body.utf8))
        return try await client.send(try await keeper.authorize(request, signingName: "s3", in: scope))
    }

    private func makeBucket(_ name: String, locked: Bool) async throws {
        let place = "<LocationConstraint>eu-west-1</LocationConstraint>"
        let body = "<CreateBucketConfiguration>\(place)</CreateBucketConfiguration>"
        let made = try await send(
            "PUT", "/\(name)", locked ? ["x-amz-bucket-object-lock-enabled": "true"] : [:], body)
        #expect(made.status == 200, "\(String(decoding: made.body, as: UTF8.self))")
    }

    private func anchor(_ bucket: String) throws -> ObjectLockAnchor<MachineClock> {
        let configuration = """
            audit: {anchor: [{s3: {bucket: \(bucket), region: eu-west-1, retain: 365d, prefix: audit}}]}
            """
        let (settings, problems) = Configuration.load(
            try YAMLReader.read(configuration, file: "holdfast.yaml"), folder: ".")
        try #require(problems.isEmpty)
        guard case .s3(let lock) = try #require(settings.audit.anchors.first) else { throw Failure() }
        let catalog = WireCatalog.shipped
        let sender = WireSender(
            catalog: catalog, http: client, authority: keeper,
            endpoints: Endpoints(environment: ["AWS_ENDPOINT_URL": endpoint]), clock: MachineClock(),
            retries: RetryPolicy(attempts: 1), newToken: { "token" })
        return try #require(ObjectLockAnchor(lock, catalog: catalog, sender: sender, clock: MachineClock()))
    }

    private struct Failure: Error {}

    @Test("A checkpoint is an object that nobody can delete before its time, and verifies a journal")
    func locked() async throws {
        try await makeBucket("vault", locked: true)
        let journal = try SQLiteJournal(.inMemory)
        var transaction = JournalTransaction()
        transaction.leases = [try journal.acquire(part: "shards")]
        transaction.audit = [AuditEntry(kind: "plan", at: MotoTests.now(), body: ["n": "é"])]
        try journal.commit(transaction)
        let checkpoint = try journal.checkpoint(at: MotoTests.now()) { $0 }
        try await anchor("vault").put(checkpoint)

        let key = "/vault/audit/0000000000000001-0000000000000000.json"
        let found = try await send("GET", key)
        #expect(found.status == 200)
        #expect(found.headers["x-amz-object-lock-mode"] == "COMPLIANCE")
        let until = try #require(found.headers["x-amz-object-lock-retain-until-date"].flatMap { Timestamp($0) })
        #expect(abs(until.since(checkpoint.at).nanoseconds - Span(seconds: 365 * 86_400).nanoseconds) < 1_000_000_000)
        let version = try #require(found.headers["x-amz-version-id"])
        let deleted = try await send("DELETE", "\(key)?versionId=\(version)")
        #expect(deleted.status == 403)

        let content = AnchorContent(name: "vault", lines: [Array(found.body.dropLast())])
        let report = try journal.verifyAudit(anchors: [content])
        #expect(report.isIntact)
        #expect(report.witnesses.map(\.entries) == [1])
    }

    @Test("What S3 refuses is told with what the anchor needs")
    func refused() async throws {
        let checkpoint = AuditCheckpoint(
            at: MotoTests.now(), auditSequence: 1, auditDigest: "a", batchSequence: 1, batchSeal: "b")
        let error = await #expect(throws: AnchorError.self) { try await anchor("nobody-has-this").put(checkpoint) }
        #expect(error?.description.contains("NoSuchBucket") == true, "\(error?.description ?? "")")
        #expect(error?.description.contains("HoldfastAudit") == true)
    }
}
