package import HoldfastCore
internal import HoldfastCrypto
package import HoldfastEngine
internal import HoldfastJSON

/// Checkpoints as objects of S3 that nobody can delete or change until their time is over: Object Lock in mode
/// COMPLIANCE. Objects are named so that the order of their names is the order of the checkpoints.
package struct ObjectLockAnchor<C: HoldfastClock>: Anchor {
    package let name: String
    private let settings: AuditSettings.ObjectLockSettings
    private let call: CloudCall
    private let sender: any CallSender
    private let clock: C

    /// The call that it makes, for permissions.
    package static var callName: String { "s3.PutObject" }

    /// - Parameter sender: with the credentials of the settings' role.
    /// - Returns: `nil` where the catalog has no such call.
    package init?(
        _ settings: AuditSettings.ObjectLockSettings, catalog: Catalog, sender: any CallSender, clock: C
    ) {
        guard let call = catalog.call(Self.callName) else { return nil }
        name = "s3 \(settings.bucket)/\(settings.prefix)"
        self.settings = settings
        self.call = call
        self.sender = sender
        self.clock = clock
    }

    package func put(_ checkpoint: AuditCheckpoint) async throws(AnchorError) {
        let failure = await withTaskGroup(of: AnchorError?.self) { group in
            group.addTask { await send(checkpoint) }
            group.addTask {
                try? await clock.sleep(for: AnchorError.deadline)
                return AnchorError("no answer within \(AnchorError.deadline)")
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        if let failure { throw failure }
    }

    private func send(_ checkpoint: AuditCheckpoint) async -> AnchorError? {
        let body = checkpoint.line + [UInt8(ascii: "\n")]
        let parameters = JSONObject([
            ("Bucket", .string(settings.bucket)), ("Key", .string(settings.prefix + Self.objectName(checkpoint))),
            ("Body", .string(base64Text(body))), ("ContentType", "application/json"),
            // Object Lock wants the content's digest, and S3 refuses what does not fit it.
            ("ChecksumAlgorithm", "SHA256"), ("ChecksumSHA256", .string(base64Text(sha256(body).bytes))),
            ("ObjectLockMode", "COMPLIANCE"),
            ("ObjectLockRetainUntilDate", .string((checkpoint.at + settings.retain).description)),
        ])
        let scope = CallScope(cloud: .aws, account: settings.account, region: settings.region)
        do throws(CallFailure) {
            _ = try await sender.send(call, parameters: parameters, in: scope)
            return nil
        } catch {
            return AnchorError(
                "\(error.message); `holdfast permissions` says what it needs, as HoldfastAudit, and the bucket must "
                    + "have Object Lock")
        }
    }

    static func objectName(_ checkpoint: AuditCheckpoint) -> String {
        func digits(_ number: Int64) -> String {
            String(repeating: "0", count: max(0, 16 - String(number).count)) + String(number)
        }
        return "\(digits(checkpoint.auditSequence))-\(digits(checkpoint.batchSequence)).json"
    }
}

extension AuditSettings.ObjectLockSettings {
    /// The account of the role; empty: whatever the machine's credentials belong to.
    fileprivate var account: String {
        let parts = role?.split(separator: ":", omittingEmptySubsequences: false) ?? []
        return parts.count == 6 ? String(parts[4]) : ""
    }

    /// Whom to be.
    package var access: AccountAccess {
        AccountAccess(cloud: .aws, account: account, readRole: role, externalID: externalID)
    }
}
